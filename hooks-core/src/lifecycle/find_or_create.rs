//! Operations that look a row up first, and create it if there is none.
//!
//! Somebody else may create it between the look and the INSERT. Then a unique constraint refuses our row, what
//! was done for it is undone, and one more look finds theirs.

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
    find_or_create(conn, |conn| find_one(conn, &filter), new)
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
    // The row must stay as it was found until it is written: on SQLite a transaction that may write sees to it.
    let scope = M::hooks()?.own_update.max(Scope::ReadBack);
    atomic::<M, C, _>(conn, scope, |conn| {
        let (row, created) = find_or_create(conn, |conn| find_one(conn, &filter), new)?;
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
    let find = |conn: &mut C| {
        M::find(conn, pk.clone()).map_err(Error::query(M::INFO.name, Operation::Load))
    };
    let scope = M::hooks()?.own_update.max(Scope::Statements);
    atomic::<M, C, _>(conn, scope, |conn| {
        let (row, created) = find_or_create(conn, find, || new.clone())?;
        match created {
            true => Ok((row, true)),
            false => Ok((M::overwrite(conn, row, new)?, false)),
        }
    })
}

/// The row, and whether it was created.
fn find_or_create<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    find: impl Fn(&mut C) -> Result<Option<M>>,
    new: impl FnOnce() -> M::New,
) -> Result<(M, bool)> {
    if let Some(row) = find(conn)? {
        return Ok((row, false));
    }
    match create_unless_taken(conn, new())? {
        Attempt::Created(row) => Ok((row, true)),
        Attempt::Taken(error) => match find(conn)? {
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
) -> Result<Option<M>> {
    let mut rows = M::load_where(conn, FirstTwo(filter))
        .map_err(Error::query(M::INFO.name, Operation::Load))?;
    let row = rows.pop();
    match rows.is_empty() {
        true => Ok(row),
        false => Err(Error::SeveralRows {
            model: M::INFO.name,
        }),
    }
}
