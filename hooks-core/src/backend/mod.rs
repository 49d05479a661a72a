//! What differs between databases, and the statements that go to all of them.

#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod statements;

use diesel::QueryResult;
use diesel::connection::{Connection, LoadConnection};
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;

/// Runs a query of ours and reads its rows.
fn load<C, Q, T>(conn: &mut C, query: Q) -> QueryResult<Vec<T>>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
    T: FromSqlRow<Q::SqlType, C::Backend>,
{
    conn.load(query)?
        .map(|row| T::build_from_row(&row?).map_err(DieselError::DeserializationError))
        .collect()
}

/// The first row alone; a `Vec` for it would cost an allocation on every create and get.
fn load_first<C, Q, T>(conn: &mut C, query: Q) -> QueryResult<Option<T>>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Q::SqlType>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
    T: FromSqlRow<Q::SqlType, C::Backend>,
{
    conn.load(query)?
        .next()
        .map(|row| T::build_from_row(&row?).map_err(DieselError::DeserializationError))
        .transpose()
}
