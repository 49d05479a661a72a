//! The DELETE of planned rows, and what its row count or its refusal means.

use std::any::TypeId;
use std::collections::HashSet;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::Stop;
use super::blocked::{Blocking, Found, Path};
use super::plan::Planned;
use super::rows::Gone;
use super::told::Told;
use crate::connection::{RawConnection, undo_writes};
use crate::each::each;
use crate::error::{Error, Operation, Result};
use crate::model::Persist;
use crate::relation::{OnDelete, RelationInfo};

/// Deletes planned rows, and says which went: by this, or by a delete inside this one.
pub(super) fn remove<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
    together: bool,
) -> Result<Gone<M::Pk>, Stop> {
    if keys.len() == 1 || ((M::guarded(conn) || takes_its_own::<M, C>()?) && !together) {
        return remove_each::<M, C>(conn, planned, keys);
    }
    // Receivers that had the connection may have deleted some, or the database.
    let lent = planned.operation.may_meet_others() || planned.surprised;
    let mut gone = HashSet::new();
    let at_once = match together {
        true => keys.len(),
        false => conn.system().keys_at_once(),
    };
    for keys in keys.chunks(at_once) {
        let present = match lent {
            false => Vec::new(),
            true => M::present(conn, keys).map_err(loading::<M, C>())?,
        };
        let there = if lent { &present } else { keys };
        let count = M::remove_many(conn, there);
        let count = count.map_err(|error| explain::<M, C>(conn, planned, keys, error))?;
        same_count::<M, C>(there.len(), count)?;
        if !lent {
            continue;
        }
        for key in keys {
            if planned.operation.was_taken::<M, C>(conn, key) {
                gone.insert(key.clone());
            }
        }
        for key in present {
            gone.insert(key);
        }
    }
    Ok(match lent {
        true => Gone::These(gone),
        false => Gone::All,
    })
}

/// Whether the database may take rows of this table with others of it, so that the count of a DELETE does not
/// say how many are gone.
pub(super) fn takes_its_own<M: Persist<C>, C: RawConnection>() -> Result<bool> {
    let own = TypeId::of::<M::Table>();
    let relations = M::hooks()?.relations.iter();
    let mut by_database = relations.filter(|it| it.on_delete() == OnDelete::Database);
    Ok(by_database.any(|it| it.child_table() == own))
}

fn remove_each<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
) -> Result<Gone<M::Pk>, Stop> {
    let mut gone = HashSet::new();
    for key in keys {
        let count = match M::remove(conn, key.clone()) {
            Ok(count) => count,
            Err(error) => {
                return Err(explain::<M, C>(
                    conn,
                    planned,
                    std::slice::from_ref(key),
                    error,
                ));
            }
        };
        check_count::<M, C>(conn, key, count)?;
        if count == 1 || planned.operation.was_taken::<M, C>(conn, key) {
            gone.insert(key.clone());
        }
    }
    Ok(Gone::These(gone))
}

fn loading<M: Persist<C>, C: RawConnection>() -> impl FnOnce(DieselError) -> Error {
    Error::query(M::INFO.name, Operation::Load)
}

fn same_count<M: Persist<C>, C: RawConnection>(expected: usize, actual: usize) -> Result<()> {
    match actual == expected {
        true => Ok(()),
        false => Err(Error::RowCount {
            model: M::INFO.name,
            operation: Operation::Delete,
            expected,
            actual,
        }),
    }
}

/// An error unless one row went, or none because it was gone.
pub(super) fn check_count<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    key: &M::Pk,
    count: usize,
) -> Result<()> {
    match count {
        1 => Ok(()),
        0 if !is_there::<M, C>(conn, key)? => Ok(()),
        actual => same_count::<M, C>(1, actual),
    }
}

/// Whether a row is there: a trigger may have kept one that a DELETE did not touch.
pub(super) fn is_there<M: Persist<C>, C: RawConnection>(conn: &mut C, key: &M::Pk) -> Result<bool> {
    let found = M::present(conn, std::slice::from_ref(key));
    let found = found.map_err(Error::query(M::INFO.name, Operation::Delete))?;
    Ok(!found.is_empty())
}

/// What a refused DELETE means: a foreign key says that a row refers to one of these, and the relations say
/// which.
fn explain<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
    error: DieselError,
) -> Stop {
    // Where the database answers no more, its first word is the better explanation.
    if is_foreign_key(&error)
        && let Ok(Some(stop)) = why_refused::<M, C>(conn, planned, keys, &error)
    {
        return stop;
    }
    Error::query(M::INFO.name, Operation::Delete)(error).into()
}

fn why_refused<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
    error: &DieselError,
) -> Result<Option<Stop>> {
    let undone = undo_writes(conn, planned.operation.scope).map_err(loading::<M, C>())?;
    let told = match undone {
        true => Told::of::<M, C>(conn, error)?,
        false => Told::Nothing,
    };
    let stop = referring::<M, C>(conn, planned, keys, &told)?;
    Ok(match (stop, told) {
        (None, told @ Told::ForeignKey { .. }) => unseen::<M, C>(conn, planned, &told)?,
        (stop, _) => stop,
    })
}

/// What a row was made to refer to goes as well.
pub(crate) fn names_what_goes(relation: &RelationInfo) -> Error {
    Error::Set {
        relation: relation.name(),
        source: "it names a row that is deleted as well".into(),
    }
}

pub(crate) fn is_foreign_key(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => true,
        // SQLite reports an ON DELETE RESTRICT as if a trigger had raised it.
        DieselError::DatabaseError(_, info) => info.message() == "FOREIGN KEY constraint failed",
        _ => false,
    }
}

/// What the rows mean that refer to these; new ones refer as it was told.
fn referring<M: Persist<C>, C: RawConnection>(
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
    told: &Told,
) -> Result<Option<Stop>> {
    let mut found = Found::default();
    let mut appeared = None;
    for relation in &M::hooks()?.relations {
        let info = relation.info();
        if matches!(info.on_delete, OnDelete::DoNothing | OnDelete::Database) {
            continue;
        }
        let children = relation.child_keys(conn, keys, None)?;
        let unplanned = children.unplanned(planned);
        match Blocking::of(info.on_delete) {
            Some(blocking) => {
                let number = planned.number::<M, C>(&keys[0]);
                let path = number.map_or_else(Path::default, |it| planned.path(it).clone());
                let count = unplanned.len();
                let keys = each(&unplanned, |at| children.rows.key(*at));
                found.add(blocking, &path.and(info), keys, count);
            }
            None if unplanned.is_empty() || !told.is(conn, &**relation) => {}
            // It was given another parent, which goes too.
            None if matches!(info.on_delete, OnDelete::SetDefault | OnDelete::Set) => {
                return Ok(Some(Stop::Failed(names_what_goes(&info))));
            }
            None => drop(appeared.get_or_insert(info)),
        }
    }
    if let Err(stop) = super::blocked(&mut found) {
        return Ok(Some(stop));
    }
    Ok(appeared.map(|relation| Stop::Failed(self::appeared(&relation))))
}

/// What it means that a row refers by a foreign key and this transaction does not see it: it reads what was there
/// when it began, or that was undone with the writes.
fn unseen<M: Persist<C>, C: RawConnection>(
    conn: &C,
    planned: &Planned,
    told: &Told,
) -> Result<Option<Stop>> {
    let mut relations = M::hooks()?.relations.iter();
    let left_alone = [OnDelete::DoNothing, OnDelete::Database];
    let relation =
        relations.find(|it| !left_alone.contains(&it.on_delete()) && told.is(conn, &***it));
    Ok(relation.map(|relation| {
        let info = relation.info();
        Stop::Failed(match relation.has_chosen(&planned.chosen) {
            true => names_what_goes(&info),
            false => appeared(&info),
        })
    }))
}

fn appeared(relation: &RelationInfo) -> Error {
    Error::ChildAppeared {
        model: relation.child.name,
        relation: relation.name(),
    }
}
