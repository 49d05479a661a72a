use diesel::query_builder::QueryFragment;

use super::ModelHooks;
use crate::connection::{RawConnection, Scope, atomic};
use crate::diesel_internals::is_empty;
use crate::error::{Error, Operation, Result};
use crate::model::{Persist, Row};
use crate::signal::{ColumnSet, PostSave, PostUpdate, PreSave, PreUpdate};

pub(crate) fn save<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &mut M) -> Result<()> {
    let hooks = M::hooks()?;
    let all = ColumnSet::first(M::COLUMNS.len());
    if !hooks.hears_update() {
        return atomic::<M, C, _>(conn, hooks.own_update, |conn| write(conn, row, all));
    }
    let old = &*row;
    *row = atomic::<M, C, _>(conn, hooks.own_update, |conn| {
        let row = announce(hooks, conn, old.clone(), &old.pk())?;
        write(conn, &row, all)?;
        report(hooks, conn, row, all)
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
    let columns = changed.differing(row);
    if columns.is_empty() {
        return Ok(());
    }
    let hooks = M::hooks()?;
    if !hooks.hears_update() {
        atomic::<M, C, _>(conn, hooks.own_update, |conn| {
            write(conn, &changed, columns)
        })?;
        *row = changed;
        return Ok(());
    }
    let old = &*row;
    *row = atomic::<M, C, _>(conn, hooks.own_update, |conn| {
        let row = announce(hooks, conn, changed, &old.pk())?;
        let columns = row.differing(old);
        if columns.is_empty() {
            return Ok(row);
        }
        write(conn, &row, columns)?;
        report(hooks, conn, row, columns)
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
        let row = announce(hooks, conn, read.clone(), &pk)?;
        let changed_by_receivers = row.differing(&read);
        if !changed_by_receivers.is_empty() {
            write(conn, &row, changed_by_receivers)?;
        }
        let columns = row.differing(old);
        report(hooks, conn, row, columns)
    })?;
    Ok(())
}

/// Sends the signals before the UPDATE, and hands back what is to be written.
fn announce<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    instance: M,
    pk: &M::Pk,
) -> Result<M> {
    let mut save = PreSave::Update(PreUpdate { instance });
    hooks.pre_save.send(&mut save, conn)?;
    let PreSave::Update(mut update) = save else {
        return Err(Error::SignalReplaced {
            model: M::INFO.name,
            was: Operation::Update,
        });
    };
    hooks.pre_update.send(&mut update, conn)?;
    same_key(&update.instance, pk)?;
    Ok(update.instance)
}

/// Sends the signals after the UPDATE, and hands back the row.
fn report<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    instance: M,
    columns: ColumnSet,
) -> Result<M> {
    let mut update = PostUpdate { columns, instance };
    hooks.post_update.send(&mut update, conn)?;
    let mut save = PostSave {
        created: false,
        columns,
        instance: update.instance,
    };
    hooks.post_save.send(&mut save, conn)?;
    Ok(save.instance)
}

fn write<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M, columns: ColumnSet) -> Result<()> {
    if columns.is_empty() {
        // A row of nothing but its key has nothing to write, but may be gone all the same.
        return super::get::<M, C>(conn, row.pk()).map(drop);
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
    match super::get::<M, C>(conn, pk.clone()) {
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
