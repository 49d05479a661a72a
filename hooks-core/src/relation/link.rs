use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::ops::Deref;

use diesel::dsl;
use diesel::expression::array_comparison::AsInExpression;
use diesel::expression::{AsExpression, Expression};
use diesel::expression_methods::ExpressionMethods;
use diesel::sql_types::SqlType;

use super::dependents::{self, Created, Number};
use super::{Handle, Marker, OnDelete, ParentKey, Reference, Relation, RelationInfo, info};
use crate::collector::{Children, delete_scope};
use crate::connection::{RawConnection, Scope};
use crate::error::{Blocker, Error, Operation, Result};
use crate::lifecycle::{self, KEYS_AT_ONCE};
use crate::model::{Filter, Hooked, Model, Persist, Row};

/// A relation whose ends can be stored on `C`.
struct Link<R, C> {
    number: Number,
    ends: Marker<(R, C)>,
}

type IsKey<R> = dsl::Eq<<R as Reference>::Column, ParentKey<R>>;
type IsOneOf<R> = dsl::EqAny<<R as Reference>::Column, Vec<ParentKey<R>>>;

/// The rows of the child that refer to one key, or to one of several.
pub trait Referring<C: RawConnection>: Reference<Child: Persist<C>, Parent: Persist<C>> {
    /// Loads them.
    fn load(conn: &mut C, keys: &[ParentKey<Self>]) -> Result<Vec<Self::Child>>;
    /// Deletes them, and says how many there were.
    fn delete(conn: &mut C, keys: &[ParentKey<Self>]) -> Result<usize>;
}

impl<R, C> Referring<C> for R
where
    C: RawConnection,
    R: Reference<Child: Persist<C>, Parent: Persist<C>>,
    R::Column: ExpressionMethods,
    <R::Column as Expression>::SqlType: SqlType,
    ParentKey<R>: AsExpression<<R::Column as Expression>::SqlType>,
    Vec<ParentKey<R>>: AsInExpression<<R::Column as Expression>::SqlType>,
    IsKey<R>: Filter<C>,
    IsOneOf<R>: Filter<C>,
{
    fn load(conn: &mut C, keys: &[ParentKey<R>]) -> Result<Vec<R::Child>> {
        let error = |error| Error::query(R::Child::INFO.name, Operation::Load)(error);
        if let [key] = keys {
            return R::Child::load_where(conn, R::Column::default().eq(key.clone())).map_err(error);
        }
        let mut rows = Vec::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            rows.extend(
                R::Child::load_where(conn, R::Column::default().eq_any(keys.to_vec()))
                    .map_err(error)?,
            );
        }
        Ok(rows)
    }

    fn delete(conn: &mut C, keys: &[ParentKey<R>]) -> Result<usize> {
        let error = |error| Error::query(R::Child::INFO.name, Operation::Delete)(error);
        if let [key] = keys {
            return R::Child::remove_where(conn, R::Column::default().eq(key.clone()))
                .map_err(error);
        }
        let mut count = 0;
        for keys in keys.chunks(KEYS_AT_ONCE) {
            count += R::Child::remove_where(conn, R::Column::default().eq_any(keys.to_vec()))
                .map_err(error)?;
        }
        Ok(count)
    }
}

impl<R, C> Relation<ParentKey<R>, C> for Link<R, C>
where
    C: RawConnection,
    R: Referring<C>,
{
    fn info(&self) -> RelationInfo {
        info::<R>()
    }

    fn on_delete(&self) -> OnDelete {
        R::ON_DELETE
    }

    fn create_scope(&self) -> Result<Scope> {
        lifecycle::create_scope::<R::Child, C>()
    }

    fn delete_scope(&self, visited: &mut Vec<TypeId>) -> Result<Scope> {
        match R::ON_DELETE {
            OnDelete::Protect => Ok(Scope::Statements),
            _ => delete_scope::<R::Child, C>(visited),
        }
    }

    fn must_load(&self, conn: &mut C) -> Result<bool> {
        let hooks = R::Child::hooks()?;
        Ok(hooks.hears_delete(conn) || !hooks.relations.is_empty())
    }

    fn create_dependent(&self, conn: &mut C, parent: &dyn Any, key: &ParentKey<R>) -> Result<()> {
        dependents::create_one::<R, C>(conn, &self.number, parent, key)
    }

    fn create_dependents(&self, conn: &mut C, parents: &dyn Created<ParentKey<R>>) -> Result<()> {
        dependents::create::<R, C>(conn, Some(&self.number), parents)
    }

    fn child_table(&self) -> TypeId {
        TypeId::of::<<R::Child as Row>::Table>()
    }

    fn load_children(
        &self,
        conn: &mut C,
        keys: &[ParentKey<R>],
    ) -> Result<Children<ParentKey<R>, C>> {
        let rows = R::load(conn, keys)?;
        Ok(Children {
            parents: rows.iter().map(R::parent_key).collect(),
            rows: Box::new(rows),
        })
    }

    fn delete_children(&self, conn: &mut C, keys: &[ParentKey<R>]) -> Result<usize> {
        let count = R::delete(conn, keys)?;
        if !R::Child::guarded(conn) {
            return Ok(count);
        }
        match R::load(conn, keys)?.len() {
            0 => Ok(count),
            kept => Err(Error::RowCount {
                model: R::Child::INFO.name,
                operation: Operation::Delete,
                expected: count + kept,
                actual: count,
            }),
        }
    }

    fn blocker(&self, conn: &mut C, keys: &[ParentKey<R>]) -> Result<Option<Blocker>> {
        let rows = R::load(conn, keys)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let keys = rows.iter().map(Row::key).collect();
        Ok(Some(Blocker::new(
            self.info().name(),
            R::Child::INFO.name,
            keys,
        )))
    }
}

/// Asks the compiler whether both ends of a relation can be stored on a connection type: its own method is
/// found first, if the bounds hold.
pub struct Probe<R, C>(Marker<(R, C)>);

impl<R, C> Probe<R, C> {
    #[expect(
        clippy::new_without_default,
        reason = "only the derive's output makes one"
    )]
    /// The question.
    pub fn new() -> Self {
        Probe(PhantomData)
    }
}

impl<R: Referring<C>, C: RawConnection> Probe<R, C> {
    /// The relation, if it is asked for on this connection type.
    pub fn link(&self, on: TypeId) -> Handle {
        if on != TypeId::of::<C>() {
            return None;
        }
        let link = Link::<R, C> {
            number: Number::new(),
            ends: PhantomData,
        };
        let link: Box<dyn Relation<ParentKey<R>, C>> = Box::new(link);
        Some(Box::new(link))
    }
}

/// The answer no.
pub struct Unsupported;

impl Unsupported {
    /// Nothing.
    pub fn link(&self, _on: TypeId) -> Handle {
        None
    }
}

impl<R, C> Deref for Probe<R, C> {
    type Target = Unsupported;

    fn deref(&self) -> &Unsupported {
        &Unsupported
    }
}
