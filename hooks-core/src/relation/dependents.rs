//! What comes into being with a row.

use std::any::Any;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::reference::NewOf;
use super::{Aim, AutoCreate, ParentKey, Parents, Referring, Target as _, info};
use crate::backend::Rider;
use crate::connection::{RawConnection, State};
use crate::each::{each, turn_each};
use crate::error::{Error, Operation, Result};
use crate::lifecycle;
use crate::model::{Model, Persist, Refused, Row};

/// Rows that were just created, with their model forgotten.
pub(crate) trait Created<K> {
    fn keys(&self) -> Vec<K>;
    fn rows(&self) -> Vec<&dyn Any>;
}

impl<M: Model> Created<M::Pk> for &[M] {
    fn keys(&self) -> Vec<M::Pk> {
        each(self, Model::pk)
    }

    fn rows(&self) -> Vec<&dyn Any> {
        each(self, |row| row as &dyn Any)
    }
}

/// What tells a relation from others in a connection's memory.
pub(super) struct Number(usize);

impl Number {
    pub(super) fn new() -> Self {
        static NUMBERED: AtomicUsize = AtomicUsize::new(0);
        Number(NUMBERED.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the schema refuses a second dependent, asked once on each connection.
    #[inline]
    pub(super) fn is_unique<R, C>(&self, conn: &mut C) -> bool
    where
        R: Referring<C>,
        C: RawConnection,
    {
        let known = State::installed(conn).and_then(|state| state.is_unique(self.0));
        if let Some(known) = known {
            return known;
        }
        let unique = is_unique::<R, C>(conn);
        if let Ok(state) = State::of(conn) {
            state.remember_unique(self.0, unique);
        }
        unique
    }
}

/// Whether the schema refuses a second dependent.
pub(super) fn is_unique<R, C>(conn: &mut C) -> bool
where
    R: Referring<C>,
    C: RawConnection,
{
    R::Child::is_unique(conn, info::<R>().columns)
}

/// The dependent of a row that is to be inserted, if it can go by the same statement; `unique` tells whether the
/// schema refuses a second one.
pub(super) fn rider<R, C>(
    conn: &mut C,
    unique: impl FnOnce(&mut C) -> bool,
) -> Result<Option<Rider<C::Backend>>>
where
    R: Referring<C>,
    C: RawConnection,
{
    match R::AUTO_CREATE {
        AutoCreate::FromKey(from_key) if !R::Target::NULLABLE && unique(conn) => {
            lifecycle::rider::<R::Child, C>(conn, from_key.make_any(), info::<R>())
        }
        _ => Ok(None),
    }
}

/// Creates the dependent of one row; `unique` tells whether the schema refuses a second one.
pub(super) fn create_one<R, C>(
    conn: &mut C,
    unique: impl FnOnce(&mut C) -> bool,
    parent: &dyn Any,
    key: &ParentKey<R>,
) -> Result
where
    R: Referring<C>,
    C: RawConnection,
{
    let new = match R::AUTO_CREATE {
        AutoCreate::No => return Ok(()),
        AutoCreate::FromKey(from_key) => match R::Target::target(conn, key)? {
            Some(target) => from_key.make(target),
            // Until it has what a dependent would refer to.
            None => return Ok(()),
        },
        AutoCreate::FromParent(make) => match parent.downcast_ref() {
            Some(parent) => make(parent),
            // Created through another struct over the same table.
            None => make(&lifecycle::find(conn, key)?),
        },
    };
    lifecycle::create_dependent::<R::Child, C>(
        conn,
        new,
        |conn| vacant::<R, C>(conn, unique, || vec![key.clone()]),
        |conn, error| explain::<R, C>(conn, || vec![key.clone()], error),
    )
}

/// Creates the dependents of many rows.
pub(super) fn create<R, C>(
    conn: &mut C,
    unique: impl FnOnce(&mut C) -> bool,
    parents: &dyn Created<ParentKey<R>>,
) -> Result
where
    R: Referring<C>,
    C: RawConnection,
{
    let (keys, new) = match R::AUTO_CREATE {
        AutoCreate::No => return Ok(()),
        AutoCreate::FromKey(from_key) => {
            let (keys, targets) = R::Target::targets(conn, parents.keys())?;
            (keys, turn_each(targets, |key| from_key.make(key)))
        }
        AutoCreate::FromParent(make) => {
            let new = from_parents::<R, C>(conn, parents, make)?;
            (parents.keys(), new)
        }
    };
    lifecycle::create_dependents::<R::Child, C>(
        conn,
        new,
        |conn| vacant::<R, C>(conn, unique, || keys.clone()),
        |conn, Refused { inserted, error }| {
            explain::<R, C>(conn, || keys[inserted..].to_vec(), error)
        },
    )
}

fn from_parents<R, C>(
    conn: &mut C,
    parents: &dyn Created<ParentKey<R>>,
    make: fn(&R::Parent) -> NewOf<R>,
) -> Result<Vec<NewOf<R>>>
where
    R: Referring<C>,
    C: RawConnection,
{
    let rows = parents.rows();
    if rows.iter().all(|row| row.is::<R::Parent>()) {
        let mut new = Vec::with_capacity(rows.len());
        for row in rows {
            new.extend(row.downcast_ref().map(make));
        }
        return Ok(new);
    }
    // Created through another struct over the same table.
    let rows = lifecycle::find_many::<R::Parent, C>(conn, parents.keys())?;
    Ok(each(&rows, make))
}

/// An error if one of these rows has its dependent already, where the schema would not refuse a second one.
fn vacant<R, C>(
    conn: &mut C,
    unique: impl FnOnce(&mut C) -> bool,
    keys: impl FnOnce() -> Vec<ParentKey<R>>,
) -> Result
where
    R: Referring<C>,
    C: RawConnection,
{
    if unique(conn) {
        return Ok(());
    }
    match occupied::<R, C>(conn, &keys())? {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// What it means that these dependents could not be inserted.
#[cold]
fn explain<R, C>(conn: &mut C, keys: impl FnOnce() -> Vec<ParentKey<R>>, error: Error) -> Error
where
    R: Referring<C>,
    C: RawConnection,
{
    if !is_unique_violation(&error) {
        return error;
    }
    match occupied::<R, C>(conn, &keys()) {
        Ok(Some(exists)) => exists,
        // Another constraint refused it.
        _ => error,
    }
}

fn is_unique_violation(error: &Error) -> bool {
    matches!(
        error,
        Error::Query {
            source: DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _),
            ..
        }
    )
}

/// Whether this says that there was a dependent already, or something else that must be unique.
pub(super) fn is_taken(error: &Error) -> bool {
    is_unique_violation(error) || matches!(error, Error::DependentExists { .. })
}

/// The error for the first of these rows that has a dependent.
fn occupied<R, C>(conn: &mut C, keys: &[ParentKey<R>]) -> Result<Option<Error>>
where
    R: Referring<C>,
    C: RawConnection,
{
    let loading = |model| Error::query(model, Operation::Load);
    let children = R::rows(conn, Parents::Keys(keys)).map_err(loading(R::Child::INFO.name))?;
    if children.is_empty() {
        return Ok(None);
    }
    let index = R::Target::index(conn, keys).map_err(loading(R::Parent::INFO.name))?;
    let mut taken = HashSet::with_capacity(children.len());
    for child in &children {
        let key = R::KEY.read(child);
        taken.extend(key.and_then(|key| R::Target::parent(&index, key)));
    }
    // What the database calls the same key, Rust may not.
    let first = keys.iter().find(|key| taken.contains(*key));
    Ok(first.or(keys.first()).map(|key| Error::DependentExists {
        model: R::Child::INFO.name,
        relation: info::<R>().name(),
        parent: R::Parent::INFO.name,
        key: R::Parent::key_of(key),
    }))
}
