//! Our own SQL, as Diesel query fragments with values only in binds.
//!
//! Diesel builds an UPDATE and prepares it anew on each use, parses each savepoint, and finds an
//! `INSERT .. RETURNING` by its text. Fragments with a static [`QueryId`] are prepared once on each
//! connection and found again by their type.

mod key;
mod list;
mod locked;

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::expression::Expression;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_source::QuerySource;

use crate::backend::Dialect;
use crate::model::Row;

#[allow(unreachable_pub, reason = "the derive's output has them in bounds")]
pub use self::key::{Bind, Columns, Is, Known, Named, Nullability, OneKey, Spread, Terms};
pub(crate) use self::key::{Full, In, Limited, WithKey};
pub use self::list::Lists;
#[cfg(feature = "postgres")]
pub(crate) use self::list::{List, PushArray};
pub(crate) use self::locked::Locked;

pub(crate) type FromClause<M> = <<M as Row>::Table as QuerySource>::FromClause;

pub(crate) fn from_clause<M: Row>() -> FromClause<M> {
    M::Table::default().from_clause()
}

/// `SELECT selection FROM table WHERE filter`
pub(crate) struct Select<M: Row, S, F> {
    selection: S,
    from: FromClause<M>,
    filter: F,
}

impl<M: Row, S, F> Select<M, S, F> {
    pub(crate) fn new(selection: S, filter: F) -> Self {
        Select {
            selection,
            from: from_clause::<M>(),
            filter,
        }
    }
}

impl<M: Row, S: Expression, F> Query for Select<M, S, F> {
    type SqlType = S::SqlType;
}

impl<M: Row, S: QueryId, F: QueryId> QueryId for Select<M, S, F> {
    type QueryId = Select<M, PhantomData<S::QueryId>, PhantomData<F::QueryId>>;
    const HAS_STATIC_QUERY_ID: bool = S::HAS_STATIC_QUERY_ID && F::HAS_STATIC_QUERY_ID;
}

impl<M, S, F, DB> QueryFragment<DB> for Select<M, S, F>
where
    M: Row,
    DB: Backend,
    S: QueryFragment<DB>,
    FromClause<M>: QueryFragment<DB>,
    F: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.selection.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        self.from.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.filter.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.filter.is_safe_to_cache_prepared(backend)
    }
}

/// A condition, and how the rows go on.
pub(crate) struct Then<F, P>(pub(crate) F, pub(crate) P);

impl<F, P> QueryId for Then<F, P> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<F: QueryFragment<DB>, P: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Then<F, P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        self.1.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}

/// `query FOR UPDATE`, where that is needed to keep others from the rows.
pub(crate) struct ForUpdate<Q>(pub(crate) Q);

impl<Q: Query> Query for ForUpdate<Q> {
    type SqlType = Q::SqlType;
}

impl<F> QueryId for ForUpdate<F> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<F: QueryFragment<DB>, DB: Dialect> QueryFragment<DB> for ForUpdate<F> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(out.backend().system().for_update());
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}

/// `query LIMIT n`
pub(crate) struct Limit<Q> {
    pub(crate) query: Q,
    pub(crate) limit: usize,
}

impl<Q: Query> Query for Limit<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryId> QueryId for Limit<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Limit<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_sql(&self.limit.to_string());
        Ok(())
    }
}

/// `UPDATE table SET changes WHERE key = ?`, kept prepared as `K` says.
pub(crate) struct Update<M: Row, S, K> {
    from: FromClause<M>,
    changes: S,
    filter: M::PkFilter,
    keep: PhantomData<K>,
}

/// How an UPDATE of the changes `S` stays prepared on the connection.
pub(crate) trait Keep<M, S>: 'static {
    /// Whether it stays.
    const KEPT: bool;
    /// Whether its type is enough to find it again, and not its text.
    const BY_TYPE: bool;
}

/// For an UPDATE of all columns: one shape, if the types of its values tell theirs.
pub(crate) struct All;
/// For an UPDATE of one column, by its place: as many shapes as columns.
pub(crate) struct Nth<const INDEX: usize>;
/// For an UPDATE of few shapes that its type does not tell.
pub(crate) struct ByText;
/// For an UPDATE of any set of columns: too many shapes to keep, for Diesel's cache has no bound.
pub(crate) struct Never;

/// Whether no value, and no key, has SQL that its type does not tell.
const fn is_static<M: Row<PkFilter: QueryId>, S: QueryId>() -> bool {
    S::HAS_STATIC_QUERY_ID && M::PkFilter::HAS_STATIC_QUERY_ID
}

impl<M: Row<PkFilter: QueryId>, S: QueryId> Keep<M, S> for All {
    const KEPT: bool = true;
    const BY_TYPE: bool = is_static::<M, S>();
}

impl<M: Row<PkFilter: QueryId>, S: QueryId, const INDEX: usize> Keep<M, S> for Nth<INDEX> {
    const KEPT: bool = true;
    const BY_TYPE: bool = is_static::<M, S>();
}

impl<M, S> Keep<M, S> for ByText {
    const KEPT: bool = true;
    const BY_TYPE: bool = false;
}

impl<M, S> Keep<M, S> for Never {
    const KEPT: bool = false;
    const BY_TYPE: bool = false;
}

impl<M: Row, S, K: Keep<M, S>> Update<M, S, K> {
    pub(crate) fn new(changes: S, pk: M::Pk) -> Self {
        Update {
            from: from_clause::<M>(),
            changes,
            filter: M::pk_filter(pk),
            keep: PhantomData,
        }
    }
}

impl<M: Row, S, K: Keep<M, S>> QueryId for Update<M, S, K> {
    type QueryId = Update<M, (), K>;
    const HAS_STATIC_QUERY_ID: bool = K::BY_TYPE;
}

impl<M, S, K, DB> QueryFragment<DB> for Update<M, S, K>
where
    M: Row,
    DB: Backend,
    FromClause<M>: QueryFragment<DB>,
    S: QueryFragment<DB>,
    M::PkFilter: QueryFragment<DB>,
    K: Keep<M, S>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !K::KEPT {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("UPDATE ");
        self.from.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.filter.walk_ast(out)
    }
}

/// `filter LIMIT 2`, which tells whether more than one row fulfils it.
pub(crate) struct FirstTwo<F>(pub(crate) F);

impl<F: QueryId> QueryId for FirstTwo<F> {
    type QueryId = FirstTwo<F::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = F::HAS_STATIC_QUERY_ID;
}

impl<F: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for FirstTwo<F> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT 2");
        Ok(())
    }
}

/// `DELETE FROM table WHERE filter`
pub(crate) struct Delete<M: Row, F> {
    from: FromClause<M>,
    filter: F,
}

impl<M: Row, F> Delete<M, F> {
    pub(crate) fn new(filter: F) -> Self {
        Delete {
            from: from_clause::<M>(),
            filter,
        }
    }
}

impl<M: Row, F: QueryId> QueryId for Delete<M, F> {
    type QueryId = Delete<M, PhantomData<F::QueryId>>;
    const HAS_STATIC_QUERY_ID: bool = F::HAS_STATIC_QUERY_ID;
}

impl<M, F, DB> QueryFragment<DB> for Delete<M, F>
where
    M: Row,
    DB: Backend,
    FromClause<M>: QueryFragment<DB>,
    F: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("DELETE FROM ");
        self.from.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.filter.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.filter.is_safe_to_cache_prepared(backend)
    }
}

/// `UPDATE table SET changes WHERE filter`, of any number of rows.
pub(crate) struct UpdateWhere<M: Row, S, F> {
    from: FromClause<M>,
    changes: S,
    filter: F,
}

impl<M: Row, S, F> UpdateWhere<M, S, F> {
    pub(crate) fn new(changes: S, filter: F) -> Self {
        UpdateWhere {
            from: from_clause::<M>(),
            changes,
            filter,
        }
    }
}

impl<M: Row, S: QueryId, F: QueryId> QueryId for UpdateWhere<M, S, F> {
    type QueryId = UpdateWhere<M, PhantomData<S::QueryId>, PhantomData<F::QueryId>>;
    const HAS_STATIC_QUERY_ID: bool = S::HAS_STATIC_QUERY_ID && F::HAS_STATIC_QUERY_ID;
}

impl<M, S, F, DB> QueryFragment<DB> for UpdateWhere<M, S, F>
where
    M: Row,
    DB: Backend,
    FromClause<M>: QueryFragment<DB>,
    S: QueryFragment<DB>,
    F: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.from.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.filter.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        Ok(self.changes.is_safe_to_cache_prepared(backend)?
            && self.filter.is_safe_to_cache_prepared(backend)?)
    }
}

/// `a = NULL, b = NULL`
#[derive(Default)]
pub(crate) struct Clear<Cs>(Cs);

impl<Cs: 'static> QueryId for Clear<Cs> {
    type QueryId = Self;
}

impl<Cs: Named<DB>, DB: Backend> QueryFragment<DB> for Clear<Cs> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.clear(out)
    }
}

/// `a = ?, b = ?`
pub(crate) struct Assign<Cs, Vs: Bind<Cs>>(Vs::Bound);

impl<Cs, Vs: Bind<Cs>> Assign<Cs, Vs> {
    pub(crate) fn new(values: Vs) -> Self {
        Assign(values.bind())
    }
}

impl<Cs: 'static, Vs: Bind<Cs> + 'static> QueryId for Assign<Cs, Vs> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = <Vs::Bound as QueryId>::HAS_STATIC_QUERY_ID;
}

impl<Cs, Vs, DB> QueryFragment<DB> for Assign<Cs, Vs>
where
    DB: Backend,
    Vs: Bind<Cs, Bound: Terms<Cs, DB>>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.assign(out)
    }
}

/// A condition whose type is not known any more: its statement is found again by its text.
pub(crate) struct Erased<'a, DB>(pub(crate) &'a dyn QueryFragment<DB>);

impl<DB> QueryId for Erased<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend> QueryFragment<DB> for Erased<'_, DB> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}

/// `insert RETURNING selection`
pub(crate) struct Returning<I, S> {
    pub(crate) insert: I,
    pub(crate) selection: S,
}

impl<I, S: Expression> Query for Returning<I, S> {
    type SqlType = S::SqlType;
}

impl<I: QueryId, S: QueryId> QueryId for Returning<I, S> {
    type QueryId = Returning<PhantomData<I::QueryId>, PhantomData<S::QueryId>>;
    const HAS_STATIC_QUERY_ID: bool = I::HAS_STATIC_QUERY_ID && S::HAS_STATIC_QUERY_ID;
}

impl<I, S, DB> QueryFragment<DB> for Returning<I, S>
where
    DB: Backend,
    I: QueryFragment<DB>,
    S: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.insert.walk_ast(out.reborrow())?;
        out.push_sql(" RETURNING ");
        self.selection.walk_ast(out)
    }
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident => $sql:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl QueryId for $name {
            type QueryId = Self;
        }

        impl<DB: Backend> QueryFragment<DB> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }
    )*};
}

// Savepoints of one name nest: the innermost is meant.
fixed! {
    /// Sets a savepoint that Diesel's transaction manager need not know.
    SetSavepoint => "SAVEPOINT diesel_hooks";
    /// Undoes what was written since the innermost savepoint, which stays set.
    RollBackToSavepoint => "ROLLBACK TO SAVEPOINT diesel_hooks";
    /// Keeps what was written since the innermost savepoint.
    Release => "RELEASE SAVEPOINT diesel_hooks";
    /// Ends a transaction behind Diesel's back, so that Diesel finds it gone.
    RollBack => "ROLLBACK";
}
