//! Deleting a row and what depends on it.
//!
//! Two steps. The first only reads: from the root it follows the relations level by level, keeps the
//! rows of each model once, and notes what a protecting relation blocks. The second carries the plan
//! out: every `PreDelete`, then the rows, dependents first, with the `PostDelete` of each model after
//! its rows went. This is [Django's collector](https://docs.djangoproject.com/en/stable/ref/models/fields/#django.db.models.ForeignKey.on_delete),
//! with everything looked at inside the transaction.

mod deleted;
mod plan;
mod rows;

use std::any::TypeId;

use crate::connection::{RawConnection, Scope, atomic};
use crate::error::{Error, Operation, Protected, Result};
use crate::model::Persist;

pub use self::deleted::Deleted;
use self::plan::Plan;
pub(crate) use self::rows::{Collected, Rows};

pub(crate) fn delete<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<Deleted> {
    let hooks = M::hooks()?;
    if hooks.relations.is_empty() && !hooks.hears_delete() {
        return atomic::<M, C, _>(conn, Scope::Statement, |conn| {
            let count =
                M::remove(conn, row.pk()).map_err(Error::query(M::INFO.name, Operation::Delete))?;
            Ok(Deleted::of(M::INFO.name, count))
        });
    }
    let scope = delete_scope::<M, C>(&mut Vec::new())?;
    atomic::<M, C, _>(conn, scope, |conn| {
        let plan = Plan::collect(conn, Rows::new(vec![row.clone()]))?;
        if plan.is_blocked() {
            let protected = Protected::new(M::INFO.name, row.key(), plan.into_blockers());
            return Err(Error::Protected(Box::new(protected)));
        }
        plan.execute(conn)
    })
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
