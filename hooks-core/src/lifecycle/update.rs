use std::sync::Arc;
use std::time::SystemTime;

use diesel::query_builder::QueryFragment;

use super::ModelHooks;
use crate::connection::{RawConnection, Scope, atomic, scoped};
use crate::diesel_internals::is_empty;
use crate::error::{Error, Operation, Result};
use crate::model::{Persist, Row};
use crate::signal::{AnyModel, Changes, ColumnSet, PostSave, PostUpdate, PreSave, PreUpdate};
use crate::timestamp;

pub(crate) fn save<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &mut M) -> Result<()> {
    let hooks = M::hooks()?;
    let all = ColumnSet::first(M::COLUMNS.len());
    if !hooks.hears_update(conn) {
        if M::STAMPED {
            let mut stamped = row.clone();
            stamp(conn, &mut stamped);
            atomic::<M, C, _>(conn, hooks.own_update, |conn| write(conn, &stamped, all))?;
            *row = stamped;
            return Ok(());
        }
        return atomic::<M, C, _>(conn, hooks.own_update, |conn| write(conn, row, all));
    }
    let old = &*row;
    let compares = hooks.compares || scoped::has_connected(conn);
    let scope = match compares {
        true => hooks.own_update.max(Scope::ReadBack),
        false => hooks.own_update,
    };
    *row = atomic::<M, C, _>(conn, scope, |conn| {
        let stored = match compares {
            true => Some(super::find::<M, C>(conn, &old.pk())?),
            false => None,
        };
        let update = Update::new(hooks, conn, stored.as_ref());
        let mut row = old.clone();
        stamp(conn, &mut row);
        let mut row = update.announce(conn, row, &old.pk())?;
        row.keep_unwritten(old);
        write(conn, &row, all)?;
        let columns = stored.map_or(all, |stored| row.differing(&stored));
        update.report(conn, row, columns)
    })?;
    Ok(())
}

/// Writes every column of a row whose stored state is known, in the transaction or savepoint of the caller.
pub(crate) fn overwrite<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    stored: &M,
    mut row: M,
) -> Result<M> {
    let hooks = M::hooks()?;
    let all = ColumnSet::first(M::COLUMNS.len());
    row.keep_unwritten(stored);
    stamp(conn, &mut row);
    if !hooks.hears_update(conn) {
        write(conn, &row, all)?;
        return Ok(row);
    }
    let update = Update::new(hooks, conn, Some(stored));
    let mut row = update.announce(conn, row, &stored.pk())?;
    row.keep_unwritten(stored);
    write(conn, &row, all)?;
    let columns = row.differing(stored);
    update.report(conn, row, columns)
}

pub(crate) fn update<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    row: &mut M,
    change: impl FnOnce(&mut M),
) -> Result<()> {
    let at = timestamp::now::<M, C>(conn);
    let Some((changed, columns)) = changed(row, at, change)? else {
        return Ok(());
    };
    let hooks = M::hooks()?;
    let old = &*row;
    *row = atomic::<M, C, _>(conn, hooks.own_update, |conn| {
        write_changed(conn, old, changed, columns)
    })?;
    Ok(())
}

/// A copy of the row as the closure leaves it, and the columns in which it differs, if there are any; then it
/// says that it is written at this time.
#[inline]
pub(super) fn changed<M: Row>(
    row: &M,
    at: Option<SystemTime>,
    change: impl FnOnce(&mut M),
) -> Result<Option<(M, ColumnSet)>> {
    let mut changed = row.clone();
    change(&mut changed);
    same_key(&changed, &row.pk())?;
    changed.keep_unwritten(row);
    let mut columns = changed.differing(row);
    if columns.is_empty() {
        return Ok(None);
    }
    if let Some(at) = at {
        changed.stamp(at);
        columns = changed.differing(row);
    }
    Ok(Some((changed, columns)))
}

/// Writes the columns in which a row differs from what it was, in the transaction or savepoint of the caller.
#[inline]
pub(super) fn write_changed<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    old: &M,
    changed: M,
    columns: ColumnSet,
) -> Result<M> {
    let hooks = M::hooks()?;
    if !hooks.hears_update(conn) {
        write(conn, &changed, columns)?;
        return Ok(changed);
    }
    let update = Update::new(hooks, conn, Some(old));
    if !hooks.hears_pre_update(conn) {
        write(conn, &changed, columns)?;
        return update.report(conn, changed, columns);
    }
    let mut row = update.announce(conn, changed, &old.pk())?;
    row.keep_unwritten(old);
    let columns = row.differing(old);
    if columns.is_empty() {
        return Ok(row);
    }
    write(conn, &row, columns)?;
    update.report(conn, row, columns)
}

pub(crate) fn update_set<M, C, S>(conn: &mut C, row: &mut M, changeset: S) -> Result<()>
where
    M: Persist<C>,
    C: RawConnection,
    S: QueryFragment<C::Backend>,
{
    if is_empty::<C>(&changeset, &conn.backend())? {
        return Ok(());
    }
    let scope = M::hooks()?.own_update.max(Scope::Statements);
    *row = atomic::<M, C, _>(conn, scope, |conn| write_set(conn, row, changeset))?;
    Ok(())
}

/// Runs a changeset that is not empty, in the transaction or savepoint of the caller.
pub(crate) fn write_set<M, C, S>(conn: &mut C, old: &M, changeset: S) -> Result<M>
where
    M: Persist<C>,
    C: RawConnection,
    S: QueryFragment<C::Backend>,
{
    let pk = old.pk();
    let count = M::write_changeset(conn, pk.clone(), changeset)
        .map_err(Error::query(M::INFO.name, Operation::Update))?;
    one_row::<M, C>(conn, count, &pk)?;
    let read = M::find(conn, pk.clone()).map_err(Error::query(M::INFO.name, Operation::Load))?;
    // The row was there a statement ago.
    let read = read.ok_or_else(|| key_changed::<M>(&pk))?;
    let update = Update::new(M::hooks()?, conn, Some(old));
    let mut row = read.clone();
    stamp(conn, &mut row);
    let mut row = update.announce(conn, row, &pk)?;
    row.keep_unwritten(&read);
    let changed_since = row.differing(&read);
    if !changed_since.is_empty() {
        write(conn, &row, changed_since)?;
    }
    let columns = row.differing(old);
    update.report(conn, row, columns)
}

/// What the signals of one update have in common.
struct Update<M: Row, C: 'static> {
    hooks: &'static ModelHooks<M, C>,
    raw: bool,
    before: Option<Arc<dyn AnyModel>>,
}

impl<M: Persist<C>, C: RawConnection> Update<M, C> {
    fn new(hooks: &'static ModelHooks<M, C>, conn: &mut C, before: Option<&M>) -> Self {
        let before = before.filter(|_| keeps_old_row(hooks, conn));
        Update {
            hooks,
            raw: scoped::loads_fixtures(conn),
            before: before.map(kept),
        }
    }

    /// Sends the signals before the UPDATE, and hands back what is to be written.
    fn announce(&self, conn: &mut C, instance: M, pk: &M::Pk) -> Result<M> {
        let mut save = pre_save(self.raw, self.before.clone(), instance);
        self.hooks.pre_save.send(&mut save, conn)?;
        let mut update = pre_update(save)?;
        self.hooks.pre_update.send(&mut update, conn)?;
        same_key(&update.instance, pk)?;
        Ok(update.instance)
    }

    /// Sends the signals after the UPDATE, and hands back the row.
    fn report(self, conn: &mut C, instance: M, columns: ColumnSet) -> Result<M> {
        let mut update = post_update(self.raw, self.before, instance, columns);
        self.hooks.post_update.send(&mut update, conn)?;
        let mut save = post_save(update);
        self.hooks.post_save.send(&mut save, conn)?;
        Ok(save.instance)
    }
}

/// Whether a receiver may look at the row as it was, which is kept for such receivers only.
pub(super) fn keeps_old_row<M: Row, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
) -> bool {
    hooks.looks_back || scoped::has_connected(conn)
}

pub(super) fn kept<M: Row>(row: &M) -> Arc<dyn AnyModel> {
    Arc::new(row.clone())
}

pub(super) fn pre_save<M: Row>(
    raw: bool,
    before: Option<Arc<dyn AnyModel>>,
    instance: M,
) -> PreSave<M> {
    PreSave::Update(PreUpdate {
        raw,
        before,
        instance,
    })
}

pub(super) fn pre_update<M: Row>(event: PreSave<M>) -> Result<PreUpdate<M>> {
    match event {
        PreSave::Update(event) => Ok(event),
        PreSave::Create(_) => Err(Error::SignalReplaced {
            model: M::INFO.name,
            was: Operation::Update,
        }),
    }
}

pub(super) fn post_update<M: Row>(
    raw: bool,
    before: Option<Arc<dyn AnyModel>>,
    instance: M,
    columns: ColumnSet,
) -> PostUpdate<M> {
    PostUpdate {
        raw,
        changes: Changes::of::<M>(columns),
        before,
        instance,
    }
}

pub(super) fn post_save<M: Row>(event: PostUpdate<M>) -> PostSave<M> {
    PostSave {
        created: false,
        raw: event.raw,
        changes: event.changes,
        instance: event.instance,
    }
}

/// Makes the row say that it is written now, before receivers see it.
#[inline]
fn stamp<M: Row, C: RawConnection>(conn: &mut C, row: &mut M) {
    if let Some(at) = timestamp::now::<M, C>(conn) {
        row.stamp(at);
    }
}

fn write<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M, columns: ColumnSet) -> Result<()> {
    if columns.is_empty() {
        // A row of nothing but its key has nothing to write, but may be gone all the same.
        return super::find::<M, C>(conn, &row.pk()).map(drop);
    }
    let count = row
        .write(conn, columns)
        .map_err(Error::query(M::INFO.name, Operation::Update))?;
    one_row::<M, C>(conn, count, &row.pk())
}

#[inline]
fn one_row<M: Persist<C>, C: RawConnection>(conn: &mut C, count: usize, pk: &M::Pk) -> Result<()> {
    match count {
        1 => Ok(()),
        _ => Err(wrong_count::<M, C>(conn, count, std::slice::from_ref(pk))),
    }
}

/// Why an UPDATE of the rows with these keys touched another number of rows.
#[cold]
pub(super) fn wrong_count<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    actual: usize,
    keys: &[M::Pk],
) -> Error {
    for pk in keys {
        if let Err(error) = super::find::<M, C>(conn, pk) {
            return error;
        }
    }
    // They are there: a trigger kept one, or a key is that of several rows.
    Error::RowCount {
        model: M::INFO.name,
        operation: Operation::Update,
        expected: keys.len(),
        actual,
    }
}

pub(super) fn same_key<M: Row>(row: &M, pk: &M::Pk) -> Result<()> {
    if row.pk() == *pk {
        return Ok(());
    }
    Err(key_changed::<M>(pk))
}

fn key_changed<M: Row>(pk: &M::Pk) -> Error {
    Error::KeyChanged {
        model: M::INFO.name,
        key: M::key_of(pk),
    }
}
