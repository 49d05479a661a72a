//! What a model's rows can have done to them on a connection, as statements.

use diesel::QueryResult;
use diesel::connection::Connection;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::Error as DieselError;

use super::Hooked;
use crate::backend::Rider;
use crate::backend::catalog::TableNames;
use crate::connection::RawConnection;
use crate::error::{Error, Result};
use crate::signal::ColumnSet;
use crate::timestamp::Fresh;

/// A model whose rows can be stored on connections of type `C`.
///
/// There is nothing to implement: `#[derive(Hooks)]` and the columns' types decide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks on this connection",
    label = "not a model on this connection",
    note = "add `#[derive(Hooks)]`, turn on the feature of the connection's backend in diesel-hooks, and see that the backend can store each column's type"
)]
pub trait Persist<C: RawConnection>: Stored<C> {
    /// Whether a statement on the table may do more or less than it says, or half of it, so that even one
    /// alone needs a savepoint.
    #[doc(hidden)]
    fn guarded(conn: &mut C) -> bool;
    /// Forgets what is known of the table.
    #[doc(hidden)]
    fn look_again(conn: &mut C);
    #[doc(hidden)]
    fn insert(conn: &mut C, new: Fresh<Self>) -> Result<Self>;
    /// Whether this error of an INSERT says that the table has a row already with what must be unique in it.
    #[doc(hidden)]
    fn is_taken(conn: &mut C, error: &DieselError) -> bool;
    #[doc(hidden)]
    fn insert_unread(conn: &mut C, new: Fresh<Self>) -> Result;
    /// Inserts rows in few statements, and reads them back in their order.
    #[doc(hidden)]
    fn insert_many(conn: &mut C, new: Vec<Fresh<Self>>) -> Result<Vec<Self>, Refused>;
    /// Inserts rows in few statements.
    #[doc(hidden)]
    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<Self>>) -> Result<(), Refused>;
    /// Whether a row that was inserted has been read on this connection by the statement that inserted it.
    #[doc(hidden)]
    fn gives_back(conn: &mut C) -> bool;
    /// The INSERT of a row, to go by the statement that inserts the one it refers to.
    #[doc(hidden)]
    fn carried(conn: &mut C, new: Fresh<Self>) -> Option<Box<dyn QueryFragment<C::Backend>>>;
    /// Whether the statement that inserts a row can insert these as well.
    #[doc(hidden)]
    fn carries(conn: &mut C, riders: &[Rider<C::Backend>]) -> Result<bool>;
    /// Inserts a row and by the same statement those that refer to it, which it [carries](Persist::carries).
    #[doc(hidden)]
    fn insert_with(conn: &mut C, new: Fresh<Self>, riders: Vec<Rider<C::Backend>>) -> Result<Self>;
    /// Whether the schema keeps two rows from having the same values in these columns.
    #[doc(hidden)]
    fn is_unique(conn: &mut C, columns: &[&str]) -> bool;
}

/// A model whose rows can be read, changed and deleted on connections of type `C`, as on all of them.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hooks on this connection",
    label = "not a model on this connection",
    note = "add `#[derive(Hooks)]`, turn on the feature of the connection's backend in diesel-hooks, and see that the backend can store each column's type"
)]
pub trait Stored<C: RawConnection>: Hooked<C> {
    /// What the table and the columns are called in SQL.
    #[doc(hidden)]
    fn names(backend: &C::Backend) -> QueryResult<TableNames>;
    /// The table's name, after that of its schema if it has one.
    #[doc(hidden)]
    fn path(backend: &C::Backend) -> QueryResult<Vec<String>>;
    #[doc(hidden)]
    fn find(conn: &mut C, pk: Self::Pk) -> QueryResult<Option<Self>>;
    /// The first of the rows past this key, in the order of their keys.
    #[doc(hidden)]
    fn load_next<F: Filter<C>>(
        conn: &mut C,
        filter: F,
        past: Option<Self::Pk>,
        limit: usize,
    ) -> QueryResult<Vec<Self>>;
    /// Those of the rows with these keys that there are, in any order.
    #[doc(hidden)]
    fn find_many(conn: &mut C, keys: &[Self::Pk]) -> QueryResult<Vec<Self>>;
    #[doc(hidden)]
    fn load_where<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<Vec<Self>>;
    /// The same, and keeps others from these rows until the transaction is over.
    #[doc(hidden)]
    fn lock_where<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<Vec<Self>>;
    /// No more than two of the rows, in the same way.
    #[doc(hidden)]
    fn lock_two<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<Vec<Self>>;
    /// The rows with these keys, in the same way.
    #[doc(hidden)]
    fn lock_many(conn: &mut C, keys: &[Self::Pk]) -> QueryResult<Vec<Self>>;
    /// Keeps others from the rows with these keys until the transaction is over, and says which there are.
    #[doc(hidden)]
    fn lock(conn: &mut C, keys: &[Self::Pk]) -> QueryResult<Vec<Self::Pk>>;
    #[doc(hidden)]
    fn write(&self, conn: &mut C, columns: ColumnSet) -> QueryResult<usize>;
    /// Writes these columns, as this row has them, to all rows with these keys.
    #[doc(hidden)]
    fn write_to(&self, conn: &mut C, columns: ColumnSet, keys: &[Self::Pk]) -> QueryResult<usize>;
    #[doc(hidden)]
    fn write_changeset<S>(conn: &mut C, pk: Self::Pk, changeset: S) -> QueryResult<usize>
    where
        S: QueryFragment<C::Backend>;
    #[doc(hidden)]
    fn remove(conn: &mut C, pk: Self::Pk) -> QueryResult<usize>;
    #[doc(hidden)]
    fn remove_where<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<usize>;
    /// Deletes the rows with these keys by one statement.
    #[doc(hidden)]
    fn remove_many(conn: &mut C, keys: &[Self::Pk]) -> QueryResult<usize>;
    /// Of these keys, those that are there.
    #[doc(hidden)]
    fn present(conn: &mut C, keys: &[Self::Pk]) -> QueryResult<Vec<Self::Pk>>;
    #[doc(hidden)]
    fn load_many(conn: &mut C, keys: &[Self::Pk]) -> QueryResult<Vec<Self>>;
    #[doc(hidden)]
    fn change_where<S: Filter<C>, F: Filter<C>>(
        conn: &mut C,
        changes: S,
        filter: F,
    ) -> QueryResult<usize>;
}

/// Rows that could not be inserted.
#[doc(hidden)]
pub struct Refused {
    /// How many of those that were to be inserted are.
    pub inserted: usize,
    pub error: Error,
}

/// A condition on rows, as SQL for the backend of `C`.
#[doc(hidden)]
pub trait Filter<C: Connection>: QueryFragment<C::Backend> + QueryId {}

impl<C: Connection, F: QueryFragment<C::Backend> + QueryId> Filter<C> for F {}
