use std::sync::Arc;

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

pub(crate) fn update<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    row: &mut M,
    change: impl FnOnce(&mut M),
) -> Result<()> {
    let mut changed = row.clone();
    change(&mut changed);
    same_key(&changed, &row.pk())?;
    changed.keep_unwritten(row);
    let mut columns = changed.differing(row);
    if columns.is_empty() {
        return Ok(());
    }
    if M::STAMPED {
        stamp(conn, &mut changed);
        columns = changed.differing(row);
    }
    let hooks = M::hooks()?;
    if !hooks.hears_update(conn) {
        atomic::<M, C, _>(conn, hooks.own_update, |conn| {
            write(conn, &changed, columns)
        })?;
        *row = changed;
        return Ok(());
    }
    let old = &*row;
    *row = atomic::<M, C, _>(conn, hooks.own_update, |conn| {
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
    })?;
    Ok(())
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
    let hooks = M::hooks()?;
    let old = &*row;
    let scope = hooks.own_update.max(Scope::Statements);
    *row = atomic::<M, C, _>(conn, scope, |conn| {
        let pk = old.pk();
        let count = M::write_changeset(conn, pk.clone(), changeset)
            .map_err(Error::query(M::INFO.name, Operation::Update))?;
        one_row::<M, C>(conn, count, &pk)?;
        let read =
            M::find(conn, pk.clone()).map_err(Error::query(M::INFO.name, Operation::Load))?;
        // The row was there a statement ago.
        let read = read.ok_or_else(|| key_changed::<M>(&pk))?;
        let update = Update::new(hooks, conn, Some(old));
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
    })?;
    Ok(())
}

/// What the signals of one update have in common.
struct Update<M: Row, C: 'static> {
    hooks: &'static ModelHooks<M, C>,
    raw: bool,
    before: Option<Arc<dyn AnyModel>>,
}

impl<M: Persist<C>, C: RawConnection> Update<M, C> {
    /// The row as it was is kept for receivers that look at it only.
    fn new(hooks: &'static ModelHooks<M, C>, conn: &mut C, before: Option<&M>) -> Self {
        let keeps = hooks.looks_back || scoped::has_connected(conn);
        let before = before.filter(|_| keeps);
        Update {
            hooks,
            raw: scoped::loads_fixtures(conn),
            before: before.map(|row| Arc::new(row.clone()) as Arc<dyn AnyModel>),
        }
    }

    /// Sends the signals before the UPDATE, and hands back what is to be written.
    fn announce(&self, conn: &mut C, instance: M, pk: &M::Pk) -> Result<M> {
        let mut save = PreSave::Update(PreUpdate {
            raw: self.raw,
            before: self.before.clone(),
            instance,
        });
        self.hooks.pre_save.send(&mut save, conn)?;
        let PreSave::Update(mut update) = save else {
            return Err(Error::SignalReplaced {
                model: M::INFO.name,
                was: Operation::Update,
            });
        };
        self.hooks.pre_update.send(&mut update, conn)?;
        same_key(&update.instance, pk)?;
        Ok(update.instance)
    }

    /// Sends the signals after the UPDATE, and hands back the row.
    fn report(self, conn: &mut C, instance: M, columns: ColumnSet) -> Result<M> {
        let changes = Changes::of::<M>(columns);
        let mut update = PostUpdate {
            raw: self.raw,
            changes,
            before: self.before,
            instance,
        };
        self.hooks.post_update.send(&mut update, conn)?;
        let mut save = PostSave {
            created: false,
            raw: self.raw,
            changes,
            instance: update.instance,
        };
        self.hooks.post_save.send(&mut save, conn)?;
        Ok(save.instance)
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
        _ => Err(not_one_row::<M, C>(conn, count, pk)),
    }
}

#[cold]
fn not_one_row<M: Persist<C>, C: RawConnection>(conn: &mut C, actual: usize, pk: &M::Pk) -> Error {
    match super::find::<M, C>(conn, pk) {
        Err(error) => error,
        // It is there: a trigger kept it, or the key is that of several rows.
        Ok(_) => Error::RowCount {
            model: M::INFO.name,
            operation: Operation::Update,
            expected: 1,
            actual,
        },
    }
}

fn same_key<M: Row>(row: &M, pk: &M::Pk) -> Result<()> {
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
