//! Deleting a row and what depends on it.
//!
//! Two steps. The first only reads: from the root it follows the relations level by level, keeps each row
//! once, whatever struct and way led to it, and notes what a protecting relation blocks. The second carries
//! the plan out: every `PreDelete`, one more look at what their receivers changed, then the rows, dependents
//! first, with the `PostDelete` of each after it went. This is [Django's collector](https://docs.djangoproject.com/en/stable/ref/models/fields/#django.db.models.ForeignKey.on_delete),
//! with everything looked at inside the transaction.
//!
//! | file | idea |
//! | --- | --- |
//! | `survey` | what a delete can reach, and what of it need not be loaded |
//! | `plan` | collects the rows, and carries the delete out |
//! | `rows` | the rows of one model: its relations, its signals |
//! | `leaves` | rows of which it is enough to know their parents |
//! | `order` | which rows go before which |
//! | `circles` | rows that refer to each other |
//! | `execute` | the DELETEs, and what their row counts or refusals mean |
//! | `told` | which relation a refusal is about |
//! | `blocked` | what keeps rows from being deleted |
//! | `by_key` | facts about rows, whatever struct they are seen through |
//! | `claims` | deletes inside deletes |
//! | `outline` | a plan for people to read |

mod blocked;
mod by_key;
mod circles;
mod claims;
mod deleted;
mod execute;
mod leaves;
mod order;
mod outline;
mod plan;
mod rows;
mod survey;
mod told;
mod waiting;

use std::any::TypeId;
use std::slice;
use std::sync::Arc;

use crate::connection::{RawConnection, Scope, atomic, scoped, undo_writes};
use crate::error::{Blocked, Blocker, Error, Key, Operation, Result};
use crate::model::{Model, Persist, Row};
use crate::relation::{Chosen, OnDelete, Parents, Relation};
use crate::signal::Origin;

pub(crate) use self::blocked::{Blocking, Found, Path};
pub(crate) use self::claims::Claims;
pub use self::deleted::Deleted;
pub(crate) use self::execute::{is_foreign_key, names_what_goes};
pub(crate) use self::leaves::{ChildrenOf, Leaves};
pub use self::outline::{Action, DeletePlan, PlannedRows};
use self::plan::{Load, Plan};
pub(crate) use self::plan::{Opener, Planned};
pub(crate) use self::rows::{Children, Keys};
pub(crate) use self::survey::{Reach, Survey};

/// The rows with which a delete begins.
enum Roots<M: Row> {
    /// One that was named.
    One(M::Pk),
    /// Those of a query.
    Found(Vec<M::Pk>),
}

impl<M: Row> Roots<M> {
    fn keys(&self) -> &[M::Pk] {
        match self {
            Roots::One(key) => slice::from_ref(key),
            Roots::Found(keys) => keys,
        }
    }

    /// What is told of them: the key, if it is one row.
    fn key(&self) -> Option<Key> {
        match self {
            Roots::One(key) => Some(M::key_of(key)),
            Roots::Found(_) => None,
        }
    }

    fn origin(&self) -> Arc<Origin> {
        Origin::new(M::INFO.name, self.key())
    }
}

/// Deletes a row, and at most so many in all.
pub(crate) fn delete<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    row: &M,
    max_rows: Option<usize>,
) -> Result<Deleted> {
    if max_rows.is_none() && goes_unheard::<M, C>(conn)? {
        return delete_unheard(conn, row);
    }
    delete_roots::<M, C>(conn, max_rows, |_| Ok(Roots::One(row.pk())))
}

/// Deletes the rows that `roots` finds, by a plan.
fn delete_roots<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    max_rows: Option<usize>,
    roots: impl FnOnce(&mut C) -> Result<Roots<M>>,
) -> Result<Deleted> {
    let scope = match scoped::has_connected(conn) {
        true => Scope::Receivers,
        false => explained(delete_scope::<M, C>()?.max(Scope::ReadBack)),
    };
    claims::during(conn, scope, |conn, operation| {
        atomic::<M, C, _>(conn, scope, |conn| {
            let roots = roots(conn)?;
            let load = match max_rows.is_some() || operation.is_nested() {
                true => Load::All,
                false => load::<M, C>(conn)?,
            };
            delete_planned(conn, operation, load, max_rows, roots)
        })
    })
}

fn delete_planned<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    operation: claims::Operation,
    load: Load,
    max_rows: Option<usize>,
    roots: Roots<M>,
) -> Result<Deleted> {
    let surprised = M::hooks()?.reach()?.surprises(conn);
    let mut plan = Plan::new(operation, roots.origin(), load, surprised, max_rows);
    let key = roots.key();
    if !add_roots(conn, &mut plan, roots, max_rows.is_some())? {
        return Ok(Deleted::default());
    }
    plan.run(conn).map_err(|stop| stop.into_error::<M>(key))
}

/// Everything that deleting this row would do.
pub(crate) fn outline<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    row: &M,
) -> Result<DeletePlan> {
    // Without SQLite's write lock: it writes nothing.
    conn.transaction(|conn| {
        let roots = Roots::<M>::One(row.pk());
        let alone = claims::Operation::alone(Scope::Statement);
        let mut plan = Plan::new(alone, roots.origin(), Load::All, false, None);
        if !add_roots(conn, &mut plan, roots, true)? {
            return Err(Error::NotFound {
                model: M::INFO.name,
                key: row.key(),
                related_to: None,
            });
        }
        DeletePlan::of(conn, plan)
    })
}

/// Adds the rows that are there, whole if somebody hears of them. Where it is asked to `look`, it knows that no
/// other is added.
fn add_roots<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    plan: &mut Plan<C>,
    roots: Roots<M>,
    look: bool,
) -> Result<bool> {
    let error = || Error::query(M::INFO.name, Operation::Load);
    let heard = M::hooks()?.signals_delete(conn);
    let locks = conn.system().locks_rows();
    let mut found = false;
    for keys in roots.keys().chunks(conn.system().keys_at_once()) {
        if heard {
            let rows = match keys {
                keys if locks => M::lock_many(conn, keys),
                [key] => M::find(conn, key.clone()).map(|row| row.into_iter().collect()),
                keys => M::load_many(conn, keys),
            };
            let rows: Vec<M> = rows.map_err(error())?;
            found |= !rows.is_empty();
            plan.add(conn, rows.iter().map(M::pk).collect(), Some(rows))?;
        } else {
            let keys = match locks {
                true => M::lock(conn, keys),
                false if look => M::present(conn, keys),
                // Whether they are there the DELETE will tell.
                false => Ok(keys.to_vec()),
            };
            let keys = keys.map_err(error())?;
            found |= !keys.is_empty();
            plan.add::<M>(conn, keys, None)?;
        }
    }
    Ok(found)
}

/// Which rows a delete of rows of `M` loads.
fn load<M: Persist<C>, C: RawConnection>(conn: &mut C) -> Result<Load> {
    match scoped::has_connected(conn) {
        true => Ok(Load::All),
        false => Ok(Load::Some(M::hooks()?.reach()?)),
    }
}

/// Whether nobody listens to a row of `M` that goes, nor to what goes with it, so that nothing is loaded.
fn goes_unheard<M: Persist<C>, C: RawConnection>(conn: &mut C) -> Result<bool> {
    let hears_nobody = !scoped::has_connected(conn) && !claims::any(conn);
    Ok(hears_nobody && !M::hooks()?.reach()?.loads(TypeId::of::<M::Table>()))
}

/// Whether rows of `M` go and nobody listens, and nothing depends on them.
pub(crate) fn goes_alone<M: Persist<C>, C: RawConnection>(conn: &mut C) -> Result<bool> {
    let alone = M::hooks()?.relations.is_empty();
    Ok(alone && goes_unheard::<M, C>(conn)? && !M::guarded(conn))
}

/// Deletes rows that go alone.
pub(crate) fn delete_alone<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    delete: impl FnOnce(&mut C) -> diesel::QueryResult<usize>,
) -> Result<Deleted> {
    atomic::<M, C, _>(conn, Scope::Statement, |conn| {
        let mut deleted = Deleted::default();
        let count = delete(conn).map_err(Error::query(M::INFO.name, Operation::Delete))?;
        deleted.add(M::INFO.name, count);
        Ok(deleted)
    })
}

/// Deletes the rows with the keys that are found, and what depends on them.
pub(crate) fn delete_keys<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    max_rows: Option<usize>,
    find: impl FnOnce(&mut C) -> diesel::QueryResult<Vec<M::Pk>>,
) -> Result<Deleted> {
    let find = |conn: &mut C| {
        let keys = find(conn).map_err(Error::query(M::INFO.name, Operation::Load));
        keys.map(Roots::Found)
    };
    if max_rows.is_none() && goes_unheard::<M, C>(conn)? && !M::guarded(conn) {
        return unheard(conn, Scope::Explained, find);
    }
    delete_roots::<M, C>(conn, max_rows, find)
}

/// Deletes a row and its dependents, one statement for each relation.
fn delete_unheard<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Deleted> {
    let scope = match M::hooks()?.relations.is_empty() {
        true => Scope::Statement,
        false => Scope::Statements,
    };
    // All of the attempt is undone then.
    let by_plan = |conn: &mut C| {
        let scope = delete_scope::<M, C>()?.max(Scope::Explained);
        atomic::<M, C, _>(conn, scope, |conn| {
            who_refers::<M, C>(conn, scope, Roots::One(row.pk()), Deleted::default())
        })
    };
    let outcome = unheard::<M, C>(conn, scope, |_| Ok(Roots::One(row.pk())));
    match outcome {
        // Without relations nobody can refer to it who is known.
        Err(error)
            if scope != Scope::Statement && conn.system().errors_abort() && is_refused(&error) =>
        {
            by_plan(conn)
        }
        // It is there again: the database took it with one of its children.
        Err(Error::NotFound { .. })
            if scope != Scope::Statement && execute::is_there::<M, C>(conn, &row.pk())? =>
        {
            by_plan(conn)
        }
        // What refers to a row that was gone already stays as it was, and blocks nothing.
        Err(Error::NotFound { .. }) => Ok(Deleted::default()),
        Err(Error::Protected(_) | Error::Restricted(_))
            if !execute::is_there::<M, C>(conn, &row.pk())? =>
        {
            Ok(Deleted::default())
        }
        outcome => outcome,
    }
}

/// Deletes rows and their dependents, of which nobody hears.
fn unheard<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    scope: Scope,
    roots: impl FnOnce(&mut C) -> Result<Roots<M>>,
) -> Result<Deleted> {
    let hooks = M::hooks()?;
    let scope = match scope {
        Scope::Statement => scope,
        _ => scope.max(delete_scope::<M, C>()?),
    };
    atomic::<M, C, _>(conn, scope, |conn| {
        let roots = roots(conn)?;
        let mut deleted = Deleted::default();
        let parents = Parents::Keys(roots.keys());
        if hooks.reach()?.may_block(TypeId::of::<M::Table>()) {
            let mut found = Found::default();
            for relation in &hooks.relations {
                relation.find_blockers(conn, parents, &Path::default(), &mut found)?;
            }
            blocked(&mut found).map_err(|stop| stop.into_error::<M>(roots.key()))?;
        }
        if hooks.relations.is_empty() {
            deleted.add(M::INFO.name, remove_unheard::<M, C>(conn, &roots)?);
            return Ok(deleted);
        }
        let aborts = conn.system().errors_abort();
        // A delete of one row can begin again; a query cannot.
        let begins_again = aborts && matches!(roots, Roots::One(_));
        match remove_with_dependents(conn, &roots, &mut deleted) {
            Ok(()) => Ok(deleted),
            Err(error) if is_refused(&error) && !begins_again => {
                if undo_writes(conn, scope)? {
                    deleted = Deleted::default();
                }
                who_refers(conn, scope, roots, deleted)
            }
            Err(error) => Err(error),
        }
    })
}

/// Deletes the rest, where somebody refers to a row who did not a moment ago: a plan finds out who.
fn who_refers<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    scope: Scope,
    roots: Roots<M>,
    mut deleted: Deleted,
) -> Result<Deleted> {
    let alone = claims::Operation::alone(scope);
    let rest = delete_planned(conn, alone, Load::All, None, roots)?;
    for (model, count) in rest.by_model {
        deleted.add(model, count);
    }
    Ok(deleted)
}

fn remove_with_dependents<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    roots: &Roots<M>,
    deleted: &mut Deleted,
) -> Result<()> {
    let mut chosen = Chosen::default();
    let hooks = M::hooks()?;
    for turn in hooks.reach()?.turns() {
        for relation in &hooks.relations {
            let parents = Parents::Keys(roots.keys());
            end(&**relation, conn, parents, *turn, &mut chosen, deleted)?;
        }
    }
    deleted.add(M::INFO.name, remove_unheard(conn, roots)?);
    Ok(())
}

fn remove_unheard<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    roots: &Roots<M>,
) -> Result<usize> {
    let error = || Error::query(M::INFO.name, Operation::Delete);
    if let Roots::One(key) = roots {
        let count = M::remove(conn, key.clone()).map_err(error())?;
        execute::check_count::<M, C>(conn, key, count)?;
        return match count {
            0 => Err(Error::NotFound {
                model: M::INFO.name,
                key: M::key_of(key),
                related_to: None,
            }),
            count => Ok(count),
        };
    }
    let mut count = 0;
    for keys in roots.keys().chunks(conn.system().keys_at_once()) {
        count += M::remove_many(conn, keys).map_err(error())?;
    }
    Ok(count)
}

fn is_refused(error: &Error) -> bool {
    matches!(error, Error::Query { source, .. } if is_foreign_key(source))
}

/// What of a delete is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// What rows that stay refer to.
    Updates,
    Deletes,
}

/// Does to the children of these parents what their relation says, without loading them.
pub(crate) fn end<K, C: RawConnection>(
    relation: &dyn Relation<K, C>,
    conn: &mut C,
    parents: Parents<'_, K, C::Backend>,
    turn: Turn,
    chosen: &mut Chosen,
    deleted: &mut Deleted,
) -> Result<()> {
    match relation.on_delete() {
        OnDelete::Cascade => relation.end_unloaded(conn, parents, turn, chosen, deleted),
        it if it.replaces() && turn == Turn::Updates => {
            relation.replace(conn, parents, chosen).map(drop)
        }
        _ => Ok(()),
    }
}

/// What it takes to undo a delete, if it is to say who refers to a row where that keeps it from going.
fn explained(scope: Scope) -> Scope {
    match scope {
        Scope::Statement | Scope::ReadBack => scope,
        scope => scope.max(Scope::Explained),
    }
}

/// What it takes to undo the deletion of rows of `M` and of everything that may go with them.
fn delete_scope<M: Persist<C>, C: RawConnection>() -> Result<Scope> {
    let known = &M::hooks()?.delete_scope;
    match known.get() {
        Some(scope) => Ok(*scope),
        None => {
            let scope = delete_scope_past::<M, C>(&mut Vec::new())?;
            Ok(scope.known(known))
        }
    }
}

/// The same, less what these models need, which were looked at.
pub(crate) fn delete_scope_past<M: Persist<C>, C: RawConnection>(
    visited: &mut Vec<TypeId>,
) -> Result<Scope> {
    if visited.contains(&TypeId::of::<M>()) {
        return Ok(Scope::Statements);
    }
    visited.push(TypeId::of::<M>());
    let hooks = M::hooks()?;
    let mut scope = hooks.own_delete;
    for relation in &hooks.relations {
        scope = scope
            .max(relation.delete_scope(visited)?)
            .max(Scope::Statements);
    }
    Ok(scope)
}

/// Why a delete goes no further.
pub(crate) enum Stop {
    Blocked(Blocking, Vec<Blocker>),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

/// Fails if something blocks: what protects comes before what restricts.
fn blocked(found: &mut Found) -> Result<(), Stop> {
    for blocking in [Blocking::Protect, Blocking::Restrict] {
        let blockers = found.take(blocking);
        if !blockers.is_empty() {
            return Err(Stop::Blocked(blocking, blockers));
        }
    }
    Ok(())
}

impl Stop {
    fn into_error<M: Model>(self, key: Option<Key>) -> Error {
        let model = M::INFO.name;
        match self {
            Stop::Blocked(Blocking::Protect, blockers) => {
                Error::Protected(Blocked::protected(model, key, blockers))
            }
            Stop::Blocked(Blocking::Restrict, blockers) => {
                Error::Restricted(Blocked::restricted(model, key, blockers))
            }
            Stop::Failed(error) => error,
        }
    }
}
