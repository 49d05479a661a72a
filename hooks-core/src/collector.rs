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

pub(crate) use self::claims::Claims;
pub use self::deleted::Deleted;
use self::plan::Plan;
pub(crate) use self::rows::Children;

pub(crate) fn delete<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Deleted> {
    let hooks = M::hooks()?;
    let silent = hooks.relations.is_empty() && !hooks.hears_delete(conn);
    if silent && !claims::on_table(conn, TypeId::of::<M::Table>()) {
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
        atomic::<M, C, _>(conn, scope, |conn| {
            let Some(root) = root(conn, row)? else {
                return Ok(Deleted::default());
            };
            let plan = Plan::of(conn, operation, root)?;
            plan.run(conn).map_err(|stop| stop.into_error(row))
        })
    })
}

/// Deletes a row that nobody listens to and nothing depends on.
fn delete_unheard<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Deleted> {
    atomic::<M, C, _>(conn, Scope::Statement, |conn| {
        let count =
            M::remove(conn, row.pk()).map_err(Error::query(M::INFO.name, Operation::Delete))?;
        execute::check_count(conn, row, count)?;
        Ok(Deleted::of(M::INFO.name, count))
    })
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
