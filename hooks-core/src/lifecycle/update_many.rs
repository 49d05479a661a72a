//! The update of all rows of a query: each signal for all of them, and one UPDATE for rows that get the same
//! values.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{Query, QueryFragment, QueryId};

use super::update::{
    changed, keeps_old_row, kept, post_save, post_update, pre_save, pre_update, same_key,
    wrong_count,
};
use super::{ModelHooks, unique};
use crate::backend::rows;
use crate::backend::statements::Locked;
use crate::connection::{RawConnection, Scope, atomic, scoped};
use crate::each::each;
use crate::error::{Error, Operation, Result};
use crate::model::{Persist, Row};
use crate::signal::{AnyModel, ColumnSet};
use crate::timestamp;

/// How many UPDATEs wait for further rows that get the same values.
const WAITING: usize = 16;

/// A row as it is to be written.
struct Changed<M> {
    /// Its place among all rows.
    place: usize,
    /// As it was, for receivers that look at it.
    before: Option<Arc<dyn AnyModel>>,
    row: M,
    columns: ColumnSet,
}

/// Changes rows, each once, and hands all of them back as they then are.
pub(crate) fn update_many<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    lock: impl FnOnce(&mut C) -> QueryResult<Vec<M>>,
    mut change: impl FnMut(&mut M),
) -> Result<Vec<M>> {
    let hooks = M::hooks()?;
    let scope = hooks.own_update.max(Scope::Statements);
    atomic::<M, C, _>(conn, scope, |conn| {
        let mut rows = lock(conn).map_err(Error::query(M::INFO.name, Operation::Load))?;
        let keeps = hooks.hears_update(conn) && keeps_old_row(hooks, conn);
        let at = timestamp::now::<M, C>(conn);
        let mut all_changed = Vec::new();
        for (place, old) in rows.iter().enumerate() {
            if let Some((row, columns)) = changed(old, at, &mut change)? {
                all_changed.push(Changed {
                    place,
                    before: keeps.then(|| kept(old)),
                    row,
                    columns,
                });
            }
        }
        let all_changed = announce(hooks, conn, &rows, all_changed)?;
        write(conn, &all_changed)?;
        report(hooks, conn, &mut rows, all_changed)?;
        Ok(rows)
    })
}

/// The rows of this query, each once and in its order, as they are when nobody else can change them.
pub(crate) fn lock<M, C, Q>(conn: &mut C, query: Q) -> QueryResult<Vec<M>>
where
    C: RawConnection,
    M: Persist<C> + FromSqlRow<Q::SqlType, C::Backend>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<Q::SqlType>,
{
    let query = Locked::new(query, M::path, &conn.backend())?;
    let locks = query.locks();
    let found = unique(rows(conn, query)?);
    match locks {
        true => Ok(found),
        false => lock_found(conn, found),
    }
}

/// The same, of rows that were found by a query that could not lock them, less those that are gone.
fn lock_found<M: Persist<C>, C: RawConnection>(conn: &mut C, found: Vec<M>) -> QueryResult<Vec<M>> {
    let keys = each(&found, M::pk);
    let mut locked = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(conn.system().keys_at_once()) {
        for row in M::lock_many(conn, keys)? {
            locked.insert(row.pk(), row);
        }
    }
    Ok(keys.iter().filter_map(|key| locked.remove(key)).collect())
}

/// Sends the signals before the UPDATEs, and hands back what is to be written.
fn announce<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    rows: &[M],
    changed: Vec<Changed<M>>,
) -> Result<Vec<Changed<M>>> {
    if !hooks.hears_pre_update(conn) {
        return Ok(changed);
    }
    let raw = scoped::loads_fixtures(conn);
    let (places, mut saves): (Vec<_>, Vec<_>) = changed
        .into_iter()
        .map(|it| (it.place, pre_save(raw, it.before, it.row)))
        .unzip();
    hooks.pre_save.send_many(&mut saves, conn)?;
    let mut updates = saves
        .into_iter()
        .map(pre_update)
        .collect::<Result<Vec<_>>>()?;
    hooks.pre_update.send_many(&mut updates, conn)?;
    let mut changed = Vec::with_capacity(updates.len());
    for (place, update) in places.into_iter().zip(updates) {
        let (old, mut row) = (&rows[place], update.instance);
        same_key(&row, &old.pk())?;
        row.keep_unwritten(old);
        let columns = row.differing(old);
        if !columns.is_empty() {
            changed.push(Changed {
                place,
                before: update.before,
                row,
                columns,
            });
        }
    }
    Ok(changed)
}

/// Rows that get the same values of the same columns.
struct Alike<'a, M: Row> {
    first: &'a Changed<M>,
    keys: Vec<M::Pk>,
}

impl<M: Row> Alike<'_, M> {
    fn takes(&self, other: &Changed<M>) -> bool {
        let first = self.first;
        first.columns == other.columns && first.row.differing(&other.row).is_disjoint(first.columns)
    }
}

fn write<M: Persist<C>, C: RawConnection>(conn: &mut C, changed: &[Changed<M>]) -> Result<()> {
    let at_once = conn.system().keys_at_once();
    let mut waiting: Vec<Alike<'_, M>> = Vec::new();
    for it in changed {
        if let Some(place) = waiting.iter().position(|alike| alike.takes(it)) {
            waiting[place].keys.push(it.row.pk());
            if waiting[place].keys.len() == at_once {
                write_alike(conn, &waiting.remove(place))?;
            }
            continue;
        }
        if waiting.len() == WAITING {
            write_alike(conn, &waiting.remove(0))?;
        }
        waiting.push(Alike {
            first: it,
            keys: vec![it.row.pk()],
        });
    }
    waiting
        .iter()
        .try_for_each(|alike| write_alike(conn, alike))
}

fn write_alike<M: Persist<C>, C: RawConnection>(conn: &mut C, alike: &Alike<'_, M>) -> Result<()> {
    let Changed { row, columns, .. } = alike.first;
    let count = match &*alike.keys {
        [_] => row.write(conn, *columns),
        keys => row.write_to(conn, *columns, keys),
    };
    let count = count.map_err(Error::query(M::INFO.name, Operation::Update))?;
    match count == alike.keys.len() {
        true => Ok(()),
        false => Err(wrong_count::<M, C>(conn, count, &alike.keys)),
    }
}

/// Sends the signals after the UPDATEs, and puts the rows in their places.
fn report<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    rows: &mut [M],
    changed: Vec<Changed<M>>,
) -> Result<()> {
    if !hooks.hears_update(conn) {
        for it in changed {
            rows[it.place] = it.row;
        }
        return Ok(());
    }
    let raw = scoped::loads_fixtures(conn);
    let (places, mut updates): (Vec<_>, Vec<_>) = changed
        .into_iter()
        .map(|it| (it.place, post_update(raw, it.before, it.row, it.columns)))
        .unzip();
    hooks.post_update.send_many(&mut updates, conn)?;
    let mut saves: Vec<_> = updates.into_iter().map(post_save).collect();
    hooks.post_save.send_many(&mut saves, conn)?;
    for (place, save) in places.into_iter().zip(saves) {
        rows[place] = save.instance;
    }
    Ok(())
}
