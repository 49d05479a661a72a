//! Create, load, update: one generic function for each, and the only module, with the collector, that
//! sends a model's signals.

mod create;
mod hooks;
mod update;

use std::collections::{HashMap, HashSet};

use diesel::QueryResult;

use crate::connection::{RawConnection, atomic, scoped};
use crate::error::{Error, Operation, Result};
use crate::model::Persist;
use crate::signal::PostLoad;

pub(crate) use self::create::{
    create, create_dependent, create_dependents, create_many, create_scope,
};
pub use self::hooks::ModelHooks;
pub(crate) use self::update::{save, update, update_set};

/// How many keys one statement names: prepared anew each time, it gains nothing past this, and it stays
/// far below every backend's limit of parameters.
pub(crate) const KEYS_AT_ONCE: usize = 1_000;

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
        let mut rows = read(conn).map_err(Error::query(M::INFO.name, Operation::Load))?;
        let mut seen = HashSet::with_capacity(rows.len());
        rows.retain(|row| seen.insert(row.pk()));
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
    let mut found: HashMap<_, _> = found.into_iter().map(|row| (row.pk(), row)).collect();
    keys.iter()
        .map(|key| match found.remove(key) {
            Some(row) => Ok(row),
            // What the database calls the same key, Rust may not.
            None => find(conn, key),
        })
        .collect()
}
