//! What differs between databases, and the statements that go to all of them.

#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "no database is on")
)]
pub(crate) mod catalog;
mod insert;
#[cfg(feature = "mysql")]
mod mysql;
pub(crate) mod names;
mod persist;
#[cfg(feature = "postgres")]
mod postgres;
mod session;
mod shape;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod statements;
mod stored;
mod system;

pub(crate) use self::insert::Rider;
pub use self::insert::{ByLastId, ByReturning, ByRowid, BySystem, Inserting};
pub(crate) use self::session::NotCommitted;
pub use self::session::{Session, Settings};
pub use self::shape::Shape;
pub use self::system::{Dialect, System};

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::connection::{Connection, LoadConnection};
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::row::Row as SqlRow;

use self::statements::{All, ByText, FromClause, Keep, Never, Nth, Update};
use crate::diesel_internals::Prepared;
use crate::model::Row;
use crate::signal::ColumnSet;

/// Runs a statement of ours, and says how many rows it touched.
pub(crate) fn execute<C, Q>(conn: &mut C, statement: Q) -> QueryResult<usize>
where
    C: Connection,
    Q: QueryFragment<C::Backend> + QueryId,
{
    conn.execute_returning_count(&Prepared(statement))
}

/// Runs a query of ours and reads its rows. Loops and no iterators here, because each query of each model has
/// its own.
pub(crate) fn rows<C, Q, T>(conn: &mut C, query: Q) -> QueryResult<Vec<T>>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
    T: FromSqlRow<Q::SqlType, C::Backend>,
{
    let mut rows = Vec::new();
    for row in conn.load(Prepared(query))? {
        rows.push(read(row)?);
    }
    Ok(rows)
}

/// Runs a query of ours and reads its first row: a `Vec` for the only one would cost an allocation on every
/// create and get.
pub(crate) fn first_row<C, Q, T>(conn: &mut C, query: Q) -> QueryResult<Option<T>>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
    T: FromSqlRow<Q::SqlType, C::Backend>,
{
    conn.load(Prepared(query))?.next().map(read).transpose()
}

/// As [`first_row`], with what came of running the query told from what came of reading the row.
fn run_and_read<C, Q, T>(
    conn: &mut C,
    query: Q,
) -> QueryResult<std::thread::Result<QueryResult<Option<T>>>>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
    T: FromSqlRow<Q::SqlType, C::Backend>,
{
    let mut rows = conn.load(Prepared(query))?;
    let read = AssertUnwindSafe(|| rows.next().map(read).transpose());
    Ok(catch_unwind(read))
}

fn read<'a, DB, ST, T>(row: QueryResult<impl SqlRow<'a, DB>>) -> QueryResult<T>
where
    DB: Backend,
    T: FromSqlRow<ST, DB>,
{
    T::build_from_row(&row?).map_err(DieselError::DeserializationError)
}

/// Runs the UPDATE of these columns by the statement that stays prepared for them.
fn write<M, C, S>(conn: &mut C, columns: ColumnSet, changes: S, row: &M) -> QueryResult<usize>
where
    M: Row,
    C: Connection,
    FromClause<M>: QueryFragment<C::Backend>,
    M::PkFilter: QueryFragment<C::Backend> + QueryId,
    S: QueryFragment<C::Backend> + QueryId,
{
    if columns == ColumnSet::first(M::COLUMNS.len()) {
        return run::<M, C, S, All>(conn, changes, row);
    }
    match columns.sole() {
        Some(index) => write_one(conn, index, changes, row),
        None => run::<M, C, S, Never>(conn, changes, row),
    }
}

/// One type for each column that the model has; past the last of these, the text has to do.
fn write_one<M, C, S>(conn: &mut C, index: usize, changes: S, row: &M) -> QueryResult<usize>
where
    M: Row,
    C: Connection,
    FromClause<M>: QueryFragment<C::Backend>,
    M::PkFilter: QueryFragment<C::Backend> + QueryId,
    S: QueryFragment<C::Backend> + QueryId,
{
    macro_rules! by_index {
        ($($index:literal)*) => {
            match index {
                $($index if const { $index < M::COLUMNS.len() } => run::<M, C, S, Nth<$index>>(conn, changes, row),)*
                _ => run::<M, C, S, ByText>(conn, changes, row),
            }
        };
    }
    by_index!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
}

fn run<M, C, S, K>(conn: &mut C, changes: S, row: &M) -> QueryResult<usize>
where
    M: Row,
    C: Connection,
    K: Keep<M, S>,
    Update<M, S, K>: QueryFragment<C::Backend>,
{
    execute(conn, Update::<M, S, K>::new(changes, row.pk()))
}
