//! Operations that look a row up first, and create it if there is none.
//!
//! Somebody else may create it between the look and the INSERT. Then a unique constraint refuses our row, what
//! was done for it is undone, and one more look finds theirs. That look asks for the row's lock, where there is one:
//! only so it sees past the snapshot of a transaction of MySQL.

use std::slice;

use super::create::{Attempt, create_unless_taken};
use super::update;
use crate::backend::statements::FirstTwo;
use crate::connection::{RawConnection, Scope, atomic};
use crate::error::{Error, Operation, Result};
use crate::model::{Condition, Persist, Upsert};
use crate::timestamp;

pub(crate) fn get_or_create<M, C>(
    conn: &mut C,
    filter: impl Condition<M, C>,
    new: impl FnOnce() -> M::New,
) -> Result<(M, bool)>
where
    M: Persist<C>,
    C: RawConnection,
{
    find_or_create(
        conn,
        Lock::No,
        |conn, lock| find_one(conn, &filter, lock),
        new,
    )
}

pub(crate) fn update_or_create<M, C>(
    conn: &mut C,
    filter: impl Condition<M, C>,
    new: impl FnOnce() -> M::New,
    change: impl FnOnce(&mut M),
) -> Result<(M, bool)>
where
    M: Persist<C>,
    C: RawConnection,
{
    // The row must stay as it was found until it is written.
    let scope = M::hooks()?.own_update.max(Scope::ReadBack);
    atomic::<M, C, _>(conn, scope, |conn| {
        let find = |conn: &mut C, lock| find_one(conn, &filter, lock);
        let (row, created) = find_or_create(conn, Lock::Yes, find, new)?;
        if created {
            return Ok((row, true));
        }
        let at = timestamp::now::<M, C>(conn);
        match update::changed(&row, at, change)? {
            None => Ok((row, false)),
            Some((changed, columns)) => {
                let row = update::write_changed(conn, &row, changed, columns)?;
                Ok((row, false))
            }
        }
    })
}

pub(crate) fn upsert<M, C>(conn: &mut C, new: M::New) -> Result<(M, bool)>
where
    M: Upsert<C>,
    M::New: Clone,
    C: RawConnection,
{
    let pk = M::new_pk(&new);
    let find = |conn: &mut C, lock| {
        let row = match lock {
            Lock::No => M::find(conn, pk.clone()),
            Lock::Yes => M::lock_many(conn, slice::from_ref(&pk)).map(|mut rows| rows.pop()),
        };
        row.map_err(Error::query(M::INFO.name, Operation::Load))
    };
    let scope = M::hooks()?.own_update.max(Scope::Statements);
    atomic::<M, C, _>(conn, scope, |conn| {
        let (row, created) = find_or_create(conn, Lock::Yes, find, || new.clone())?;
        match created {
            true => Ok((row, true)),
            false => Ok((M::overwrite(conn, row, new)?, false)),
        }
    })
}

/// Whether to keep others from a row that is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    No,
    Yes,
}

/// The row, and whether it was created. Where a lock on what is not there would be in the way of its creators, it is
/// looked for without one first.
fn find_or_create<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    lock: Lock,
    find: impl Fn(&mut C, Lock) -> Result<Option<M>>,
    new: impl FnOnce() -> M::New,
) -> Result<(M, bool)> {
    let locks = conn.system().locks_rows();
    let first = match conn.system().locks_gaps() {
        true => Lock::No,
        false => lock,
    };
    if let Some(row) = find(conn, first)? {
        let row = match locks && lock != first {
            true => find(conn, Lock::Yes)?,
            false => Some(row),
        };
        if let Some(row) = row {
            return Ok((row, false));
        }
    }
    match create_unless_taken(conn, new())? {
        Attempt::Created(row) => Ok((row, true)),
        Attempt::Taken(error) => match find(conn, if locks { Lock::Yes } else { Lock::No })? {
            Some(row) => Ok((row, false)),
            // Another row than the one that was looked for has what must be unique.
            None => Err(error),
        },
    }
}

/// The row that fulfils a condition, if there is one.
fn find_one<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    filter: &impl Condition<M, C>,
    lock: Lock,
) -> Result<Option<M>> {
    let rows = match lock {
        Lock::No => M::load_where(conn, FirstTwo(filter)),
        Lock::Yes => M::lock_two(conn, filter),
    };
    let mut rows = rows.map_err(Error::query(M::INFO.name, Operation::Load))?;
    let row = rows.pop();
    match rows.is_empty() {
        true => Ok(row),
        false => Err(Error::SeveralRows {
            model: M::INFO.name,
        }),
    }
}
