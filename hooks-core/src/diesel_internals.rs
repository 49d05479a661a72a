//! All that needs Diesel's feature `i-implement-a-third-party-backend-and-opt-into-breaking-changes`, so
//! that the next Diesel is a small step.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
#[cfg(any(feature = "mysql", feature = "postgres"))]
use std::num::NonZeroU32;

use diesel::backend::Backend;
#[cfg(any(feature = "mysql", feature = "postgres"))]
use diesel::connection::{AnsiTransactionManager, InstrumentationEvent};
use diesel::connection::{
    Connection, DynInstrumentation, Instrumentation, TransactionDepthChange, TransactionManager,
    TransactionManagerStatus,
};
use diesel::insertable::InsertValues;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId, ValuesClause};
#[cfg(any(feature = "mysql", feature = "postgres"))]
use diesel::result::Error as DieselError;
use diesel::{QueryResult, Table};

use crate::backend::Dialect;
use crate::backend::names::{parts, sql};

/// The type that a connection without instrumentation shows.
pub(crate) fn no_instrumentation() -> TypeId {
    type_of(&*DynInstrumentation::none())
}

pub(crate) fn type_of(instrumentation: &dyn Instrumentation) -> TypeId {
    Any::type_id(instrumentation.as_any())
}

pub(crate) fn transaction_status<C: Connection>(conn: &mut C) -> &mut TransactionManagerStatus {
    C::TransactionManager::transaction_manager_status_mut(conn)
}

/// Commits the outermost transaction by statements that end in COMMIT, as Diesel does by COMMIT alone.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn commit_by<C>(conn: &mut C, sql: &str) -> QueryResult<()>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    let outermost = InstrumentationEvent::commit_transaction(NonZeroU32::MIN);
    conn.instrumentation().on_connection_event(outermost);
    conn.batch_execute(sql)?;
    let state = transaction_status(conn).transaction_state()?;
    match state.change_transaction_depth(TransactionDepthChange::DecreaseDepth) {
        // PostgreSQL's connection notices by itself.
        Ok(()) | Err(DieselError::NotInTransaction) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes Diesel believe in this many transactions again.
pub(crate) fn restore_depth<C: Connection>(conn: &mut C, depth: u32) {
    let Ok(state) = transaction_status(conn).transaction_state() else {
        return;
    };
    while state.transaction_depth().map_or(0, u32::from) < depth
        && state
            .change_transaction_depth(TransactionDepthChange::IncreaseDepth)
            .is_ok()
    {}
}

/// Whether the outermost transaction is one of [`Connection::begin_test_transaction`].
pub(crate) fn is_test_transaction<C: Connection>(conn: &mut C) -> bool {
    match transaction_status(conn) {
        TransactionManagerStatus::Valid(status) => status
            .in_transaction
            .as_ref()
            .is_some_and(|it| it.test_transaction),
        TransactionManagerStatus::InError => false,
    }
}

/// Whether this part of a statement writes nothing.
pub(crate) fn is_empty<C: Connection>(
    fragment: &impl QueryFragment<C::Backend>,
    backend: &C::Backend,
) -> QueryResult<bool> {
    fragment.is_noop(backend)
}

/// Whether this pass writes SQL, and does not collect values: for a statement whose text is known.
pub(crate) fn writes_sql<DB: Backend>(out: &mut AstPass<'_, '_, DB>) -> bool {
    // The only option that Diesel keeps for a pass, it keeps for this one alone.
    let skips = out.should_skip_from();
    out.skip_from(true);
    let writes = out.should_skip_from();
    out.skip_from(skips);
    writes
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) use diesel::query_builder::bind_collector::RawBytesBindCollector;

#[cfg(feature = "mysql")]
pub(crate) fn bytes_of<DB: Backend>(values: &RawBytesBindCollector<DB>) -> usize {
    values.binds.iter().flatten().map(Vec::len).sum()
}

/// What is sent of each value.
#[cfg(feature = "postgres")]
pub(crate) fn sent<DB: Backend>(values: RawBytesBindCollector<DB>) -> Vec<Option<Vec<u8>>> {
    values.binds
}

/// Collects the values of a statement.
pub(crate) fn collect_values<'b, DB: Backend>(
    backend: &'b DB,
    statement: &'b dyn QueryFragment<DB>,
    values: &mut DB::BindCollector<'b>,
    lookup: &mut DB::MetadataLookup,
) -> QueryResult<()> {
    statement.collect_binds(values, lookup, backend)
}

/// A statement of ours. If its type tells its text, it may stay prepared, and Diesel need not walk it on
/// every use to learn that.
pub(crate) struct Prepared<Q>(pub(crate) Q);

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryId> QueryId for Prepared<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q, DB> QueryFragment<DB> for Prepared<Q>
where
    DB: Backend,
    Q: QueryFragment<DB> + QueryId,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        match Q::HAS_STATIC_QUERY_ID {
            true => Ok(true),
            false => self.0.is_safe_to_cache_prepared(backend),
        }
    }
}

/// The values of an INSERT, each for a column of `Self::Table`.
#[doc(hidden)]
pub trait Inserted {
    type Table;
    type Each;
    fn each(self) -> Self::Each;
}

impl<V, T> Inserted for ValuesClause<V, T> {
    type Table = T;
    type Each = V;
    fn each(self) -> V {
        self.values
    }
}

/// `(columns) = (values)`, as an UPDATE sets what an INSERT would write.
pub(crate) struct SetAsInserted<V, T>(V, PhantomData<T>);

impl<V, T> SetAsInserted<V, T> {
    pub(crate) fn new(values: V) -> Self {
        SetAsInserted(values, PhantomData)
    }

    /// `column = value, column = value`, where values are not numbered.
    fn pairs<DB: Dialect>(&self, backend: &DB) -> QueryResult<String>
    where
        T: Table,
        V: InsertValues<DB, T>,
    {
        let columns = sql(backend, &ColumnNames::<_, T>(&self.0, PhantomData))?;
        let values = sql(backend, &self.0)?;
        let pairs = parts(&columns).into_iter().zip(parts(&values));
        let pairs: Vec<_> = pairs
            .map(|(column, value)| format!("{column} = {value}"))
            .collect();
        Ok(pairs.join(", "))
    }
}

/// The columns of values, as an INSERT lists them.
struct ColumnNames<'a, V, T>(&'a V, PhantomData<T>);

impl<V, T, DB> QueryFragment<DB> for ColumnNames<'_, V, T>
where
    DB: Backend,
    T: Table,
    V: InsertValues<DB, T>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.column_names(out)
    }
}

impl<V, T, DB> QueryFragment<DB> for SetAsInserted<V, T>
where
    DB: Dialect,
    T: Table,
    V: InsertValues<DB, T>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let Some(row) = out.backend().system().row() else {
            if writes_sql(&mut out) {
                let pairs = self.pairs(out.backend())?;
                out.push_sql(&pairs);
                return Ok(());
            }
            return self.0.walk_ast(out);
        };
        out.push_sql("(");
        self.0.column_names(out.reborrow())?;
        out.push_sql(") = ");
        out.push_sql(row);
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// Tells of a COMMIT that the database refused.
#[cfg(test)]
pub(crate) fn hear_a_commit_fail(
    instrumentation: &mut dyn Instrumentation,
    error: &diesel::result::Error,
) {
    use diesel::connection::{InstrumentationEvent, StrQueryHelper};

    let commit = StrQueryHelper::new("COMMIT");
    let events = [
        InstrumentationEvent::commit_transaction(std::num::NonZeroU32::MIN),
        InstrumentationEvent::start_query(&commit),
        InstrumentationEvent::finish_query(&commit, Some(error)),
    ];
    for event in events {
        instrumentation.on_connection_event(event);
    }
}
