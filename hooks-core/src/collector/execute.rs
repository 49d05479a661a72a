//! One DELETE, and what its row count or its refusal means.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::Stop;
use super::plan::Planned;
use crate::connection::RawConnection;
use crate::error::{Error, Operation, Result};
use crate::model::Persist;
use crate::relation::OnDelete;

/// Deletes a planned row, and says whether it went: by this statement, or by a delete inside this one.
pub(super) fn remove<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    row: &M,
) -> Result<bool, Stop> {
    let count = match M::remove(conn, row.pk()) {
        Ok(count) => count,
        Err(error) => return Err(explain::<M, C>(conn, planned, row.pk(), error)),
    };
    check_count(conn, row, count)?;
    Ok(count == 1 || planned.operation.was_taken::<M, C>(conn, &row.pk()))
}

/// An error unless one row went, or none because it was gone.
pub(super) fn check_count<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    row: &M,
    count: usize,
) -> Result<()> {
    match count {
        1 => Ok(()),
        0 if !is_there(conn, row)? => Ok(()),
        actual => Err(Error::RowCount {
            model: M::INFO.name,
            operation: Operation::Delete,
            expected: 1,
            actual,
        }),
    }
}

/// Whether a row that a DELETE did not touch is there all the same: a trigger kept it.
fn is_there<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<bool> {
    let found = M::find(conn, row.pk()).map_err(Error::query(M::INFO.name, Operation::Delete))?;
    Ok(found.is_some())
}

/// What a refused DELETE means: a foreign key says that a row refers to this one, and the relations say
/// which.
fn explain<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    key: M::Pk,
    error: DieselError,
) -> Stop {
    if is_foreign_key(&error) {
        // Where the database answers no more, its first word is the better explanation.
        if let Ok(Some(stop)) = referring::<M, C>(conn, planned, &[key]) {
            return stop;
        }
    }
    Error::query(M::INFO.name, Operation::Delete)(error).into()
}

pub(super) fn is_foreign_key(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => true,
        // SQLite reports an ON DELETE RESTRICT as if a trigger had raised it.
        DieselError::DatabaseError(_, info) => info.message() == "FOREIGN KEY constraint failed",
        _ => false,
    }
}

fn referring<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
) -> Result<Option<Stop>> {
    let mut blockers = Vec::new();
    let mut appeared = None;
    for relation in &M::hooks()?.relations {
        match relation.on_delete() {
            OnDelete::Protect => blockers.extend(relation.blocker(conn, keys)?),
            _ => {
                let children = relation.load_children(conn, keys)?;
                if children.rows.has_unplanned(planned) {
                    appeared.get_or_insert(relation.info());
                }
            }
        }
    }
    if !blockers.is_empty() {
        return Ok(Some(Stop::Blocked(blockers)));
    }
    Ok(appeared.map(|relation| {
        Stop::Failed(Error::ChildAppeared {
            model: relation.child.name,
            relation: relation.name(),
        })
    }))
}
