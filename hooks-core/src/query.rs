//! Hooked operations on the rows of a Diesel query.

use diesel::QueryResult;
use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::{Expression, QueryMetadata};
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::{LoadQuery, SelectDsl};

use crate::backend::statements::{In, Limited, Named, OneKey};
use crate::collector::{self, Deleted};
use crate::connection::{HookConnection, RawConnection};
use crate::error::Result;
use crate::lifecycle;
use crate::model::{Persist, Select};
use crate::trace;

/// Hooked operations on a Diesel query of a model's table.
///
/// Nothing in a query names the model, so the caller does.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_hooks::prelude::*;
///
/// diesel::table! { books (id) { id -> Integer, title -> Text } }
///
/// #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
/// struct Book {
///     id: i32,
///     title: String,
/// }
///
/// #[receiver]
/// fn loaded(event: &PostLoad<Book>) {
///     println!("{} is in memory", event.instance.title);
/// }
///
/// # fn main() -> diesel_hooks::Result {
/// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
/// # diesel::sql_query("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL)").execute(&mut conn)?;
/// for title in ["Emma", "Persuasion"] {
///     Book::create(&mut conn, NewBook { title: title.into() })?;
/// }
/// let books = books::table
///     .filter(books::title.like("E%"))
///     .load_hooked::<Book>(&mut conn)?;
/// assert_eq!(books.len(), 1);
///
/// let deleted = books::table.limit(1).delete_hooked::<Book>(&mut conn)?;
/// assert_eq!(deleted.total, 1);
/// # Ok(())
/// # }
/// ```
pub trait HookedQueryDsl<C: HookConnection>: Sized {
    /// Loads the rows and sends [`PostLoad`](crate::signal::PostLoad) for each.
    ///
    /// The model's columns are selected, whatever the query selects. A row that a join repeats comes once.
    ///
    /// # Errors
    ///
    /// [`Error::Query`](crate::Error::Query), and what receivers return.
    fn load_hooked<'query, M>(self, conn: &mut C) -> Result<Vec<M>>
    where
        M: LoadFrom<'query, Self, C::Raw>,
    {
        trace::operation::<M, _, _>("load_hooked", conn.raw_connection(), |conn| {
            lifecycle::load(conn, |conn| M::load_from(conn, self))
        })
    }

    /// Changes the rows and hands all of them back, in the order of the query and as they then are.
    ///
    /// The closure works on a copy of each row. Those that it changes are written as by
    /// [`update`](crate::Model::update): the columns that differ, with each signal for all rows before the next
    /// signal; a receiver that takes a slice is called once. Nothing is sent for the others. Rows that get the
    /// same values share an UPDATE. A query of limited rows, a boxed one and one with joins will do; a row that a
    /// join repeats comes once. All of it happens or nothing does.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_hooks::prelude::*;
    /// # diesel::table! { books (id) { id -> Integer, title -> Text, lent -> Bool } }
    /// # #[derive(Debug, Clone, Queryable, Hooks)]
    /// # struct Book { id: i32, title: String, lent: bool }
    /// # fn main() -> diesel_hooks::Result {
    /// # let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    /// # diesel::sql_query("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, lent BOOLEAN NOT NULL)").execute(&mut conn)?;
    /// for title in ["Emma", "Persuasion"] {
    ///     Book::create(&mut conn, NewBook { title: title.into(), lent: true })?;
    /// }
    /// let returned = books::table
    ///     .filter(books::lent)
    ///     .update_hooked::<Book>(&mut conn, |book| book.lent = false)?;
    /// assert_eq!(returned.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Model::update`](crate::Model::update).
    fn update_hooked<'query, M>(self, conn: &mut C, change: impl FnMut(&mut M)) -> Result<Vec<M>>
    where
        M: UpdateFrom<'query, Self, C::Raw>,
    {
        trace::operation::<M, _, _>("update_hooked", conn.raw_connection(), |conn| {
            lifecycle::update_many(conn, |conn| M::lock_from(conn, self), change)
        })
    }

    /// Deletes the rows, and what depends on them, as [`Model::delete`](crate::Model::delete) does each: in
    /// one transaction, with as few statements as can be.
    ///
    /// The query may have joins, limits and an order; a row that a join repeats is deleted once.
    ///
    /// # Errors
    ///
    /// As [`Model::delete`](crate::Model::delete); then none of the rows is deleted.
    fn delete_hooked<'query, M>(self, conn: &mut C) -> Result<Deleted>
    where
        M: DeleteFrom<'query, Self, C::Raw>,
    {
        trace::operation::<M, _, _>("delete_hooked", conn.raw_connection(), |conn| {
            match collector::goes_alone::<M, C::Raw>(conn)? {
                true => collector::delete_alone::<M, _>(conn, |conn| M::delete_from(conn, self)),
                false => {
                    collector::delete_keys::<M, _>(conn, None, |conn| M::keys_from(conn, self))
                }
            }
        })
    }

    /// The same, if that is not more than `max_rows` rows in all, dependents included.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRows`](crate::Error::TooManyRows) before anything is written, and as `delete_hooked`.
    fn delete_hooked_at_most<'query, M>(self, conn: &mut C, max_rows: usize) -> Result<Deleted>
    where
        M: DeleteFrom<'query, Self, C::Raw>,
    {
        trace::operation::<M, _, _>("delete_hooked", conn.raw_connection(), |conn| {
            collector::delete_keys::<M, _>(conn, Some(max_rows), |conn| M::keys_from(conn, self))
        })
    }
}

impl<Q, C: HookConnection> HookedQueryDsl<C> for Q {}

/// A model whose rows can be deleted by the query `Q`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be deleted by this query",
    label = "not a query of this model's table",
    note = "`.delete_hooked::<Model>(conn)` takes a query of the model's table, such as `users::table.filter(..)`"
)]
pub trait DeleteFrom<'query, Q, C: RawConnection>: Persist<C> {
    #[doc(hidden)]
    fn keys_from(conn: &mut C, query: Q) -> QueryResult<Vec<Self::Pk>>;
    #[doc(hidden)]
    fn delete_from(conn: &mut C, query: Q) -> QueryResult<usize>;
}

#[diagnostic::do_not_recommend]
impl<'query, M, Q, C> DeleteFrom<'query, Q, C> for M
where
    C: RawConnection,
    M: Persist<C>,
    Q: SelectDsl<M::PkColumns>,
    Q::Output: LoadQuery<'query, C, M::Pk> + QueryFragment<C::Backend> + QueryId,
    <M::PkFilter as OneKey>::Columns: Named<C::Backend>,
{
    fn keys_from(conn: &mut C, query: Q) -> QueryResult<Vec<M::Pk>> {
        let query = query.select(M::PkColumns::default());
        query.internal_load(conn)?.collect()
    }

    fn delete_from(conn: &mut C, query: Q) -> QueryResult<usize> {
        let query = query.select(M::PkColumns::default());
        M::remove_where(
            conn,
            In::<<M::PkFilter as OneKey>::Columns, _>::new(Limited(query)),
        )
    }
}

/// A model whose rows can be changed by the query `Q`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded from this query",
    label = "not a query of this model's table",
    note = "a hooked operation, such as `.update_hooked::<Model>(conn, ..)`, takes a query of the model's table, such as `users::table.filter(..)`"
)]
pub trait UpdateFrom<'query, Q, C: RawConnection>: Persist<C> {
    #[doc(hidden)]
    fn lock_from(conn: &mut C, query: Q) -> QueryResult<Vec<Self>>;
}

#[diagnostic::do_not_recommend]
impl<'query, M, Q, C> UpdateFrom<'query, Q, C> for M
where
    C: RawConnection<Backend: QueryMetadata<SqlTypeOf<M::Selection>>>,
    M: Persist<C> + Select<C::Backend, Selection: Expression>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    Q: SelectDsl<M::Selection>,
    Q::Output: Query<SqlType = SqlTypeOf<M::Selection>>,
    Q::Output: QueryFragment<C::Backend> + QueryId + 'query,
{
    fn lock_from(conn: &mut C, query: Q) -> QueryResult<Vec<M>> {
        lifecycle::lock(conn, query.select(M::selection()))
    }
}

/// A model that the query `Q` can be loaded as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded from this query",
    label = "not a query of this model's table",
    note = "a hooked operation, such as `.load_hooked::<Model>(conn)`, takes a query of the model's table, such as `users::table.filter(..)`"
)]
pub trait LoadFrom<'query, Q, C: RawConnection>: Persist<C> {
    #[doc(hidden)]
    fn load_from(conn: &mut C, query: Q) -> QueryResult<Vec<Self>>;
}

#[diagnostic::do_not_recommend]
impl<'query, M, Q, C> LoadFrom<'query, Q, C> for M
where
    C: RawConnection,
    M: Persist<C> + Select<C::Backend, Selection: Expression>,
    Q: SelectDsl<M::Selection>,
    Q::Output: LoadQuery<'query, C, M>,
{
    fn load_from(conn: &mut C, query: Q) -> QueryResult<Vec<M>> {
        query.select(M::selection()).internal_load(conn)?.collect()
    }
}
