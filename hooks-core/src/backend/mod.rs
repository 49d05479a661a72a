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
pub use self::session::{Session, Settings};
pub use self::shape::Shape;
pub use self::system::{Dialect, System};

use diesel::QueryResult;
use diesel::connection::{Connection, LoadConnection};
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;

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

/// Runs a query of ours and reads its rows, one at a time: a `Vec` for the only row would cost an
/// allocation on every create and get.
pub(crate) fn rows<'a, C, Q, T>(
    conn: &'a mut C,
    query: Q,
) -> QueryResult<impl Iterator<Item = QueryResult<T>>>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: Query + QueryFragment<C::Backend> + QueryId + 'a,
    T: FromSqlRow<Q::SqlType, C::Backend>,
{
    let rows = conn.load(Prepared(query))?;
    Ok(rows.map(|row| T::build_from_row(&row?).map_err(DieselError::DeserializationError)))
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
