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
//! | `plan` | collects the rows, and carries the delete out |
//! | `rows` | the rows of one model: its relations, its signals |
//! | `order` | which rows go before which |
//! | `execute` | one DELETE, and what its row count or its refusal means |
//! | `by_key` | facts about rows, whatever struct they are seen through |
//! | `claims` | deletes inside deletes |

mod by_key;
mod claims;
mod deleted;
mod execute;
mod order;
mod plan;
mod rows;

use std::any::TypeId;

use crate::connection::{RawConnection, Scope, atomic, scoped};
use crate::error::{Blocker, Error, Operation, Protected, Result};
use crate::model::Persist;
use crate::relation::OnDelete;

pub(crate) use self::claims::Claims;
pub use self::deleted::Deleted;
use self::plan::Plan;
pub(crate) use self::rows::Children;

pub(crate) fn delete<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Deleted> {
    let hooks = M::hooks()?;
    if goes_unheard::<M, C>(conn)? {
        return delete_unheard(conn, row);
    }
    let mut scope = delete_scope::<M, C>(&mut Vec::new())?;
    if hooks.hears_delete(conn) {
        scope = scope.max(Scope::ReadBack);
    }
    if scoped::has_connected(conn) {
        scope = Scope::Receivers;
    }
    claims::during(conn, scope, |conn, operation| {
        atomic::<M, C, _>(conn, scope, |conn| delete_planned(conn, operation, row))
    })
}

fn delete_planned<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    operation: claims::Operation,
    row: &M,
) -> Result<Deleted> {
    let Some(root) = root(conn, row)? else {
        return Ok(Deleted::default());
    };
    let plan = Plan::of(conn, operation, root)?;
    plan.run(conn).map_err(|stop| stop.into_error(row))
}

/// Whether nobody listens to a row of `M` that goes, nor to what goes with it, so that nothing is loaded.
fn goes_unheard<M: Persist<C>, C: RawConnection>(conn: &mut C) -> Result<bool> {
    let hooks = M::hooks()?;
    if hooks.hears_delete(conn) || claims::on_table(conn, TypeId::of::<M::Table>()) {
        return Ok(false);
    }
    for relation in &hooks.relations {
        let cascades = relation.on_delete() == OnDelete::Cascade;
        if cascades && (relation.must_load(conn)? || claims::on_table(conn, relation.child_table()))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Deletes a row and its dependents, one statement for each relation.
fn delete_unheard<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Deleted> {
    let relations = &M::hooks()?.relations;
    let scope = match relations.is_empty() {
        true => Scope::Statement,
        false => Scope::Statements,
    };
    let outcome = atomic::<M, C, _>(conn, scope, |conn| {
        let mut deleted = Deleted::default();
        let keys = [row.pk()];
        let mut blockers = Vec::new();
        for relation in relations {
            if relation.on_delete() == OnDelete::Protect {
                blockers.extend(relation.blocker(conn, &keys)?);
            }
        }
        if !blockers.is_empty() {
            return Err(Stop::Blocked(blockers).into_error(row));
        }
        for relation in relations {
            if relation.on_delete() == OnDelete::Cascade {
                let count = relation.delete_children(conn, &keys)?;
                deleted.add(relation.info().child.name, count);
            }
        }
        let count = match M::remove(conn, row.pk()) {
            // Somebody refers to it who did not a moment ago: a plan finds out who.
            Err(error) if execute::is_foreign_key(&error) && !relations.is_empty() => {
                return delete_planned(conn, claims::Operation::ALONE, row);
            }
            outcome => outcome.map_err(Error::query(M::INFO.name, Operation::Delete))?,
        };
        execute::check_count(conn, row, count)?;
        match count {
            0 => Err(Error::NotFound {
                model: M::INFO.name,
                key: row.key(),
                related_to: None,
            }),
            _ => {
                deleted.add(M::INFO.name, count);
                Ok(deleted)
            }
        }
    });
    match outcome {
        // What refers to a row that was gone already stays as it was.
        Err(Error::NotFound { .. }) => Ok(Deleted::default()),
        outcome => outcome,
    }
}

/// The row as its receivers see it, if it is still there; where there are none, as the caller has it.
fn root<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Option<M>> {
    match M::hooks()?.hears_delete(conn) {
        true => M::find(conn, row.pk()).map_err(Error::query(M::INFO.name, Operation::Load)),
        false => Ok(Some(row.clone())),
    }
}

/// What it takes to undo the deletion of rows of `M` and of everything that may go with them.
pub(crate) fn delete_scope<M: Persist<C>, C: RawConnection>(
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
    Blocked(Vec<Blocker>),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Failed(error)
    }
}

impl Stop {
    fn into_error<M: Persist<C>, C: RawConnection>(self, root: &M) -> Error {
        match self {
            Stop::Blocked(blockers) => {
                let protected = Protected::new(M::INFO.name, root.key(), blockers);
                Error::Protected(Box::new(protected))
            }
            Stop::Failed(error) => error,
        }
    }
}
