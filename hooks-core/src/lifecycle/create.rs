use super::ModelHooks;
use crate::backend::{Rider, System};
use crate::connection::{RawConnection, Scope, atomic, scoped};
use crate::each::{try_each, turn_each};
use crate::error::{Error, Operation, Result};
use crate::model::{Persist, Refused, Row};
use crate::relation::RelationInfo;
use crate::signal::{Changes, PostCreate, PostSave, PreCreate, PreSave};
use crate::timestamp::{self, Fresh};

pub(crate) fn create<M: Persist<C>, C: RawConnection>(conn: &mut C, new: M::New) -> Result<M> {
    let hooks = M::hooks()?;
    let (scope, riders) = in_one_statement(hooks, conn)?;
    atomic::<M, C, _>(conn, scope, |conn| {
        let new = announce(hooks, conn, new)?;
        let row = if riders.is_empty() {
            let row = M::insert(conn, new)?;
            depend(hooks, conn, &row)?;
            row
        } else {
            M::insert_with(conn, new, riders)?
        };
        report(hooks, conn, row)
    })
}

/// What it takes to undo the creation of a row, and the dependents that go by its own statement.
///
/// PostgreSQL can insert all of them at once and give back the row. It is trusted to do so where it did before
/// on this connection, so that a table whose columns Rust reads as other types is noticed in a transaction. What
/// waits for the COMMIT needs one too.
fn in_one_statement<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
) -> Result<(Scope, Vec<Rider<C::Backend>>)> {
    let all = scope(hooks)?;
    // A receiver with the connection may have created the dependents, which is told one by one.
    if conn.system() != System::Postgres
        || hooks.own_create == Scope::Receivers
        || scoped::here(conn)
        || M::guarded(conn)
    {
        return Ok((all, Vec::new()));
    }
    let mut riders = Vec::with_capacity(hooks.auto_created().len());
    for relation in hooks.auto_created() {
        let Some(rider) = relation.rider(conn)? else {
            return Ok((all, Vec::new()));
        };
        riders.push(rider);
    }
    if !riders.is_empty() && !M::carries(conn, &riders)? {
        return Ok((all, Vec::new()));
    }
    let defers = hooks.post_create.needs.defers || hooks.post_save.needs.defers;
    let own = match hooks.own_create {
        Scope::ReadBack if !defers && M::gives_back(conn) => Scope::Statement,
        own => own,
    };
    Ok((own, riders))
}

/// A dependent of a row that is to be inserted, if it can go by the same statement.
pub(crate) fn rider<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    new: M::New,
    relation: RelationInfo,
) -> Result<Option<Rider<C::Backend>>> {
    let hooks = M::hooks()?;
    let is_heard = hooks.hears_pre_create(conn) || hooks.hears_create(conn);
    if is_heard || !hooks.auto_created().is_empty() || M::guarded(conn) {
        return Ok(None);
    }
    let new = Fresh::new(new, timestamp::now::<M, C>(conn));
    let Some(insert) = M::carried(conn, new) else {
        return Ok(None);
    };
    let backend = conn.backend();
    let path = M::path(&backend);
    path.and_then(|path| Rider::of(&backend, insert, relation, path))
        .map_err(Error::query(M::INFO.name, Operation::Create))
}

/// What became of a row that was to be created.
pub(super) enum Attempt<M> {
    Created(M),
    /// What must be unique in it is another row's already; nothing is left of the attempt.
    Taken(Error),
}

/// Creates a row in a transaction or savepoint of its own.
pub(super) fn create_unless_taken<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    new: M::New,
) -> Result<Attempt<M>> {
    let hooks = M::hooks()?;
    // Only what our own INSERT violates: receivers, dependents and triggers write as well.
    let mut taken = false;
    let created = atomic::<M, C, _>(conn, scope(hooks)?.max(Scope::Statements), |conn| {
        let new = announce(hooks, conn, new)?;
        let inserted = M::insert(conn, new);
        if let Err(Error::Query { source, .. }) = &inserted {
            taken = M::is_taken(conn, source);
        }
        let row = inserted?;
        depend(hooks, conn, &row)?;
        report(hooks, conn, row)
    });
    match created {
        Ok(row) => Ok(Attempt::Created(row)),
        Err(error) if taken && !error.is_transaction_lost() => Ok(Attempt::Taken(error)),
        Err(error) => Err(error),
    }
}

pub(crate) fn create_many<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    new: Vec<M::New>,
) -> Result<Vec<M>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let hooks = M::hooks()?;
    atomic::<M, C, _>(conn, scope(hooks)?.max(Scope::Statements), |conn| {
        let new = announce_many(hooks, conn, new)?;
        let rows = M::insert_many(conn, new).map_err(|refused| refused.error)?;
        depend_many(hooks, conn, &rows)?;
        report_many(hooks, conn, rows)
    })
}

/// Creates a row as part of the creation of the row it depends on, whose transaction or savepoint it
/// shares; it is read back only for those who look at it.
///
/// `vacant` sees, after the signals before the INSERT, that it is not there yet, and `explain` what it means
/// that the database refuses it.
pub(crate) fn create_dependent<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    new: M::New,
    vacant: impl FnOnce(&mut C) -> Result,
    explain: impl FnOnce(&mut C, Error) -> Error,
) -> Result<()> {
    let hooks = M::hooks()?;
    let new = announce(hooks, conn, new)?;
    vacant(conn)?;
    if !hooks.hears_create(conn) && hooks.auto_created().is_empty() {
        return M::insert_unread(conn, new).map_err(|error| explain(conn, error));
    }
    let row = M::insert(conn, new).map_err(|error| explain(conn, error))?;
    depend(hooks, conn, &row)?;
    report(hooks, conn, row).map(drop)
}

/// As [`create_dependent`], of the rows that many depend on.
pub(crate) fn create_dependents<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    new: Vec<M::New>,
    vacant: impl FnOnce(&mut C) -> Result,
    explain: impl FnOnce(&mut C, Refused) -> Error,
) -> Result<()> {
    let hooks = M::hooks()?;
    let new = announce_many(hooks, conn, new)?;
    vacant(conn)?;
    if !hooks.hears_create(conn) && hooks.auto_created().is_empty() {
        return M::insert_many_unread(conn, new).map_err(|refused| explain(conn, refused));
    }
    let rows = M::insert_many(conn, new).map_err(|refused| explain(conn, refused))?;
    depend_many(hooks, conn, &rows)?;
    report_many(hooks, conn, rows).map(drop)
}

/// What it takes to undo the creation of a row of `M` and its dependents.
pub(crate) fn create_scope<M: Persist<C>, C: RawConnection>() -> Result<Scope> {
    scope(M::hooks()?)
}

fn scope<M: Persist<C>, C: RawConnection>(hooks: &ModelHooks<M, C>) -> Result<Scope> {
    if let Some(scope) = hooks.create_scope.get() {
        return Ok(*scope);
    }
    let mut scope = hooks.own_create;
    for relation in hooks.auto_created() {
        scope = scope.max(relation.create_scope()?).max(Scope::Statements);
    }
    Ok(scope.known(&hooks.create_scope))
}

/// Stamps what is to be inserted, sends the signals before the INSERT, and hands it back.
fn announce<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    new: M::New,
) -> Result<Fresh<M>> {
    let new = Fresh::new(new, timestamp::now::<M, C>(conn));
    if !hooks.hears_pre_create(conn) {
        return Ok(new);
    }
    let mut save = pre_save(new, scoped::loads_fixtures(conn));
    hooks.pre_save.send(&mut save, conn)?;
    let mut create = pre_create(save)?;
    hooks.pre_create.send(&mut create, conn)?;
    Ok(create.into())
}

fn announce_many<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    new: Vec<M::New>,
) -> Result<Vec<Fresh<M>>> {
    let stamp = timestamp::now::<M, C>(conn);
    let new = turn_each(new, |new| Fresh::new(new, stamp));
    if !hooks.hears_pre_create(conn) {
        return Ok(new);
    }
    let raw = scoped::loads_fixtures(conn);
    let mut saves = turn_each(new, |new| pre_save(new, raw));
    hooks.pre_save.send_many(&mut saves, conn)?;
    let mut creates = try_each(saves, pre_create)?;
    hooks.pre_create.send_many(&mut creates, conn)?;
    Ok(turn_each(creates, Fresh::from))
}

/// Creates what comes into being with a row.
#[inline]
fn depend<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    row: &M,
) -> Result {
    if hooks.auto_created().is_empty() || scoped::loads_fixtures(conn) {
        return Ok(());
    }
    let key = row.pk();
    for relation in hooks.auto_created() {
        relation.create_dependent(conn, row, &key)?;
    }
    Ok(())
}

fn depend_many<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    rows: &[M],
) -> Result {
    if hooks.auto_created().is_empty() || scoped::loads_fixtures(conn) {
        return Ok(());
    }
    for relation in hooks.auto_created() {
        relation.create_dependents(conn, &rows)?;
    }
    Ok(())
}

/// Sends the signals after the INSERT, and hands back the row.
fn report<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    instance: M,
) -> Result<M> {
    if !hooks.hears_create(conn) {
        return Ok(instance);
    }
    let raw = scoped::loads_fixtures(conn);
    let mut create = PostCreate { raw, instance };
    hooks.post_create.send(&mut create, conn)?;
    let mut save = post_save(create);
    hooks.post_save.send(&mut save, conn)?;
    Ok(save.instance)
}

fn report_many<M: Persist<C>, C: RawConnection>(
    hooks: &ModelHooks<M, C>,
    conn: &mut C,
    rows: Vec<M>,
) -> Result<Vec<M>> {
    if !hooks.hears_create(conn) {
        return Ok(rows);
    }
    let raw = scoped::loads_fixtures(conn);
    let mut creates = turn_each(rows, |instance| PostCreate { raw, instance });
    hooks.post_create.send_many(&mut creates, conn)?;
    let mut saves = turn_each(creates, post_save);
    hooks.post_save.send_many(&mut saves, conn)?;
    Ok(turn_each(saves, |event| event.instance))
}

fn pre_save<M: Row>(new: Fresh<M>, raw: bool) -> PreSave<M> {
    let Fresh { new, stamp } = new;
    PreSave::Create(PreCreate { raw, stamp, new })
}

impl<M: Row> From<PreCreate<M>> for Fresh<M> {
    fn from(event: PreCreate<M>) -> Self {
        let PreCreate { new, stamp, .. } = event;
        Fresh { new, stamp }
    }
}

fn pre_create<M: Row>(event: PreSave<M>) -> Result<PreCreate<M>> {
    match event {
        PreSave::Create(event) => Ok(event),
        PreSave::Update(_) => Err(Error::SignalReplaced {
            model: M::INFO.name,
            was: Operation::Create,
        }),
    }
}

fn post_save<M: Row>(event: PostCreate<M>) -> PostSave<M> {
    PostSave {
        created: true,
        raw: event.raw,
        changes: Changes::all::<M>(),
        instance: event.instance,
    }
}
