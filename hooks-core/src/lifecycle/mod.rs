//! Create, load, update: one generic function for each, and the only module, with the collector, that
//! sends a model's signals.

mod create;
mod find_or_create;
mod hooks;
mod update;
mod update_many;

use std::collections::{HashMap, HashSet};

use diesel::QueryResult;

use crate::connection::{RawConnection, atomic, scoped};
use crate::each::try_each;
use crate::error::{Error, Operation, Result};
use crate::model::{Persist, Row};
use crate::signal::PostLoad;

pub(crate) use self::create::{
    create, create_dependent, create_dependents, create_many, create_scope, rider,
};
pub(crate) use self::find_or_create::{get_or_create, update_or_create, upsert};
pub use self::hooks::ModelHooks;
pub(crate) use self::update::{overwrite, save, update, update_set, write_set};
pub(crate) use self::update_many::{lock, update_many};

/// How many parameters a statement has at most where it cannot be divided: the least that a backend takes.
pub(crate) const MOST_PARAMETERS: usize = 32_766;

/// Loads a row, and says so to receivers.
pub(crate) fn get<M: Persist<C>, C: RawConnection>(conn: &mut C, pk: &M::Pk) -> Result<M> {
    let hooks = M::hooks()?;
    if hooks.post_load.is_empty() && !scoped::here(conn) {
        return find(conn, pk);
    }
    atomic::<M, C, _>(conn, hooks.own_load, |conn| {
        let instance = find(conn, pk)?;
        let mut event = PostLoad { instance };
        hooks.post_load.send(&mut event, conn)?;
        Ok(event.instance)
    })
}

/// Loads rows, each once, and says so to receivers.
pub(crate) fn load<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    read: impl FnOnce(&mut C) -> QueryResult<Vec<M>>,
) -> Result<Vec<M>> {
    let hooks = M::hooks()?;
    atomic::<M, C, _>(conn, hooks.own_load, |conn| {
        let rows = unique(read(conn).map_err(Error::query(M::INFO.name, Operation::Load))?);
        if hooks.post_load.is_empty() && !scoped::any() {
            return Ok(rows);
        }
        let mut events: Vec<_> = rows
            .into_iter()
            .map(|instance| PostLoad { instance })
            .collect();
        hooks.post_load.send_many(&mut events, conn)?;
        Ok(events.into_iter().map(|event| event.instance).collect())
    })
}

/// The rows, each once: a join may repeat them.
fn unique<M: Row>(mut rows: Vec<M>) -> Vec<M> {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.retain(|row| seen.insert(row.pk()));
    rows
}

/// Loads a row that an operation needs.
pub(crate) fn find<M: Persist<C>, C: RawConnection>(conn: &mut C, pk: &M::Pk) -> Result<M> {
    let found = M::find(conn, pk.clone()).map_err(Error::query(M::INFO.name, Operation::Load))?;
    found.ok_or_else(|| Error::NotFound {
        model: M::INFO.name,
        key: M::key_of(pk),
        related_to: None,
    })
}

/// Loads rows that an operation needs, in the order of their keys.
pub(crate) fn find_many<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    keys: Vec<M::Pk>,
) -> Result<Vec<M>> {
    let error = Error::query(M::INFO.name, Operation::Load);
    let found = M::find_many(conn, &keys).map_err(error)?;
    let mut by_key = HashMap::with_capacity(found.len());
    for row in found {
        by_key.insert(row.pk(), row);
    }
    try_each(keys, |key| match by_key.remove(&key) {
        Some(row) => Ok(row),
        // What the database calls the same key, Rust may not.
        None => find(conn, &key),
    })
}
