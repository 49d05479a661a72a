//! Inserting rows, and reading them back: each database has a way of its own that is right and fast.

mod by_last_id;
mod by_returning;
mod by_rowid;
mod by_system;
mod riders;
mod several;
mod text;

pub use self::by_last_id::ByLastId;
pub use self::by_returning::ByReturning;
pub use self::by_rowid::ByRowid;
pub use self::by_system::BySystem;
pub(crate) use self::riders::Rider;

use std::collections::HashMap;

use diesel::QueryResult;
use diesel::insertable::Insertable;
use diesel::query_builder::{InsertStatement, QueryFragment, QueryId};
use diesel::result::Error as DieselError;

use super::execute;
use crate::connection::RawConnection;
use crate::error::{Error, Operation, Result};
use crate::model::{self, Refused, Row, Stored};
use crate::timestamp::{Fresh, Stamping};

/// A way to insert rows of `M` on connections of type `C`.
#[doc(hidden)]
pub trait Inserting<M: Row, C: RawConnection> {
    fn insert(conn: &mut C, new: Fresh<M>) -> Result<M>;
    fn insert_unread(conn: &mut C, new: Fresh<M>) -> Result;
    /// Inserts rows in few statements, and reads them back in their order.
    fn insert_many(conn: &mut C, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused>;
    /// Inserts rows in few statements.
    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused>;

    /// The INSERT of a row, to go by the statement that inserts the one it refers to.
    fn carried(_conn: &mut C, _new: Fresh<M>) -> Option<Box<dyn QueryFragment<C::Backend>>> {
        None
    }

    /// Whether the statement that inserts a row can insert these as well.
    fn carries(_conn: &mut C, riders: &[Rider<C::Backend>]) -> Result<bool> {
        Ok(riders.is_empty())
    }

    /// Inserts a row and by the same statement those that refer to it, which it [carries](Inserting::carries).
    fn insert_with(conn: &mut C, new: Fresh<M>, riders: Vec<Rider<C::Backend>>) -> Result<M> {
        debug_assert!(riders.is_empty(), "it carries none");
        Self::insert(conn, new)
    }
}

/// The INSERT of what fixtures are made of, or where there is nothing to stamp.
pub(super) type Insert<M> = InsertValues<M, <M as model::Model>::New>;
/// The INSERT of what is stamped. Without stamps it is the same.
pub(super) type InsertStamped<M> = InsertValues<M, StampedNew<M>>;

pub(super) type InsertValues<M, V> =
    InsertStatement<<M as Row>::Table, <V as Insertable<<M as Row>::Table>>::Values>;
pub(super) type StampedNew<M> = <<M as Row>::Fields as Stamping<<M as model::Model>::New>>::Stamped;

/// What is to be inserted with its stamps, or as it is.
#[inline]
pub(super) fn stamped<M>(new: Fresh<M>) -> std::result::Result<StampedNew<M>, M::New>
where
    M: Row<Fields: Stamping<M::New>>,
{
    match new.stamp {
        Some(at) if M::STAMPED => Ok(M::Fields::stamped(new.new, at)),
        _ => Err(new.new),
    }
}

/// The INSERTs of some rows: all of one type, or those rows.
pub(super) enum Inserts<S, P, M: model::Model> {
    Stamped(Vec<S>),
    Plain(Vec<P>),
    /// While fixtures are loaded, a receiver may stamp some of the rows.
    Mixed(Vec<Fresh<M>>),
}

pub(super) fn inserts<M>(new: Vec<Fresh<M>>) -> Inserts<InsertStamped<M>, Insert<M>, M>
where
    M: Row<New: Insertable<M::Table>, Fields: Stamping<M::New>>,
    StampedNew<M>: Insertable<M::Table>,
{
    let mut stamps = 0;
    for new in &new {
        stamps += usize::from(M::STAMPED && new.stamp.is_some());
    }
    if 0 < stamps && stamps < new.len() {
        return Inserts::Mixed(new);
    }
    let mut stamped_rows = Vec::with_capacity(stamps);
    let mut plain = Vec::with_capacity(new.len() - stamps);
    for new in new {
        match stamped(new) {
            Ok(new) => stamped_rows.push(insert_into::<M, _>(new)),
            Err(new) => plain.push(insert_into::<M, _>(new)),
        }
    }
    match stamps {
        0 => Inserts::Plain(plain),
        _ => Inserts::Stamped(stamped_rows),
    }
}

pub(super) fn insert_into<M: Row, V: Insertable<M::Table>>(values: V) -> InsertValues<M, V> {
    diesel::insert_into(M::Table::default()).values(values)
}

/// Inserts each by itself, until one is refused.
pub(super) fn one_by_one<I, T>(
    all: Vec<I>,
    mut insert: impl FnMut(I) -> Result<T>,
) -> Result<Vec<T>, Refused> {
    let mut done = Vec::with_capacity(all.len());
    for one in all {
        match insert(one) {
            Ok(one) => done.push(one),
            Err(error) => {
                let inserted = done.len();
                return Err(Refused { inserted, error });
            }
        }
    }
    Ok(done)
}

/// The error for one row that became none, or several.
pub(super) fn row_count<M: Row>(actual: usize) -> Error {
    rows_count::<M>(1, actual)
}

pub(super) fn rows_count<M: Row>(expected: usize, actual: usize) -> Error {
    Error::RowCount {
        model: M::INFO.name,
        operation: Operation::Create,
        expected,
        actual,
    }
}

pub(super) fn refused<M: Row>(inserted: usize, error: DieselError) -> Refused {
    Refused {
        inserted,
        error: Error::query(M::INFO.name, Operation::Create)(error),
    }
}

/// Inserts a row with its stamps, or as it is, and does not read it.
pub(super) fn insert_unread<M, C>(conn: &mut C, new: Fresh<M>) -> Result
where
    C: RawConnection,
    M: Row<New: Insertable<M::Table>, Fields: Stamping<M::New>>,
    StampedNew<M>: Insertable<M::Table>,
    Insert<M>: QueryFragment<C::Backend> + QueryId,
    InsertStamped<M>: QueryFragment<C::Backend> + QueryId,
{
    match stamped(new) {
        Ok(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
        Err(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
    }
}

pub(super) fn insert_one_unread<M, C, I>(conn: &mut C, insert: I) -> Result
where
    M: Row,
    C: RawConnection,
    I: QueryFragment<C::Backend> + QueryId,
{
    match execute(conn, insert) {
        Ok(1) => Ok(()),
        Ok(count) => Err(row_count::<M>(count)),
        Err(error) => Err(Error::query(M::INFO.name, Operation::Create)(error)),
    }
}

/// The rows with these keys, in their order. What the database calls the same key, Rust may not.
pub(super) fn load_in_order<M, C>(conn: &mut C, keys: Vec<M::Pk>) -> QueryResult<Vec<M>>
where
    M: Stored<C>,
    C: RawConnection,
{
    let mut found = HashMap::with_capacity(keys.len());
    for row in M::find_many(conn, &keys)? {
        found.insert(row.pk(), row);
    }
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        let row = match found.remove(&key) {
            Some(row) => Some(row),
            None => M::find(conn, key)?,
        };
        if let Some(row) = row {
            rows.push(row);
        }
    }
    Ok(rows)
}
