//! Relations between models: what depends on what, and what becomes of it.
//!
//! A relation is declared on the field that refers to the other model, so the child knows the parent
//! and not the other way round. Each is registered with the identity of the parent's *table*: every
//! struct over that table honours it, in whatever crate it stands.
//!
//! How a relation is declared stands with `#[derive(Hooks)]`, and what it then does in the guide: where it
//! stands, `on_delete`, large deletes. Here are the types by which it is seen: [`OnDelete`], [`RelationInfo`] in the
//! registry, and [`PlannedRows`] in the plan of a delete.

mod accessor;
mod dependents;
mod ensure;
mod link;
mod reference;
mod referring;

use std::any::{Any, TypeId};

use diesel::QueryResult;

use crate::backend::Rider;
use crate::backend::statements::Columns;
use crate::collector::{Children, Deleted, Found, Leaves, Path, Planned, Survey, Turn};
use crate::connection::{RawConnection, Scope};
use crate::error::{RegistryError, Result};
use crate::model::{Model, ModelInfo, Row};
use crate::registry;

pub use self::accessor::On;
pub(crate) use self::dependents::Created;

#[doc(hidden)]
pub use self::link::Probe;
#[doc(hidden)]
pub use self::reference::{
    AutoCreate, CanBeNull, Chooses, Facts, Found as FoundParent, Handle, Held, Holds, KeyOf, Links,
    ParentKey, PrimaryKey, Reference, RefersTo, Replacement, Target, Unique, can_be_null, chosen,
    foreign_key, from_key, from_key_and_defaults, held, is_column_of, one_to_one,
};
pub(crate) use self::referring::Parents;
#[doc(hidden)]
pub use self::referring::{Aim, Referring};
pub use crate::collector::{Action, PlannedRows};

/// What becomes of a row when the row it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDelete {
    /// It is deleted too, with its own signals and dependents.
    Cascade,
    /// It keeps the other row from being deleted.
    Protect,
    /// It keeps the other row from being deleted, unless the same delete takes it by a relation that cascades.
    Restrict,
    /// It refers to nothing any more. No signals of an update are sent for it.
    SetNull,
    /// It refers to a default row. No signals of an update are sent for it.
    SetDefault,
    /// It refers to a row that a function of the application names. No signals of an update are sent for it.
    Set,
    /// Nothing is looked at and nothing is done; the database may object.
    DoNothing,
    /// The schema says what happens (`ON DELETE ..`), and the database does it, without signals and uncounted.
    Database,
}

impl OnDelete {
    /// Whether it matters which of the rows go by other relations.
    pub(crate) fn tells_apart(self) -> bool {
        matches!(
            self,
            OnDelete::Restrict | OnDelete::SetDefault | OnDelete::Set
        )
    }

    /// Whether the rows stay and refer to something else.
    pub(crate) const fn replaces(self) -> bool {
        matches!(
            self,
            OnDelete::SetNull | OnDelete::SetDefault | OnDelete::Set
        )
    }
}

/// How many rows may refer to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RelationKind {
    /// At most one.
    OneToOne,
    /// Any number.
    ForeignKey,
}

/// A relation as it was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RelationInfo {
    /// The model that refers.
    pub child: ModelInfo,
    /// The field by which it refers.
    pub field: &'static str,
    /// The columns of the child that hold what it refers to, by their names in SQL.
    pub columns: &'static [&'static str],
    /// The model that is referred to.
    pub parent: ModelInfo,
    /// The columns of the parent that are referred to, by their names in SQL.
    pub target: &'static [&'static str],
    /// How many children a parent may have.
    pub kind: RelationKind,
    /// What becomes of the child when the parent is deleted.
    pub on_delete: OnDelete,
    /// Whether creating a parent creates its child.
    pub auto_create: bool,
}

impl RelationInfo {
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.child.name, self.field)
    }
}

/// The relations towards one table.
pub(crate) type Relations<K, C> = Vec<Box<dyn Relation<K, C>>>;

/// A relation seen from a parent whose key is `K`, with the child's type forgotten.
pub(crate) trait Relation<K, C: RawConnection>: Send + Sync {
    fn info(&self) -> RelationInfo;
    fn on_delete(&self) -> OnDelete;
    fn child_table(&self) -> TypeId;
    /// What the child's table is called in SQL, after the name of its schema if it has one.
    fn child_path(&self, backend: &C::Backend) -> QueryResult<Vec<String>>;

    /// What it takes to undo the creation of a dependent.
    fn create_scope(&self) -> Result<Scope>;
    /// The child of a row that is to be inserted, if it can go by the same statement: it is made of nothing but
    /// the other's key, and nobody hears of it.
    fn rider(&self, conn: &mut C) -> Result<Option<Rider<C::Backend>>>;
    /// Creates the child of a row.
    fn create_dependent(&self, conn: &mut C, parent: &dyn Any, key: &K) -> Result<()>;
    /// Creates the children of many rows.
    fn create_dependents(&self, conn: &mut C, parents: &dyn Created<K>) -> Result<()>;

    /// What it takes to undo the deletion of the children and theirs, and of what they visit first.
    fn delete_scope(&self, visited: &mut Vec<TypeId>) -> Result<Scope>;
    /// Looks at the children's model and at what depends on it.
    fn survey(&self, survey: &mut Survey) -> Result<()>;
    /// Loads the children: their rows, if somebody hears of them, else their keys.
    fn children(&self, conn: &mut C, keys: &[K]) -> Result<Children<K, C>>;
    /// Loads the children to which nothing else leads and on which nothing depends, if one statement can be
    /// trusted to delete them.
    fn leaves(&self, conn: &mut C, keys: &[K]) -> Result<Option<Box<dyn Leaves<C>>>>;
    /// Loads their keys, of all or of no more than this many.
    fn child_keys(&self, conn: &mut C, keys: &[K], limit: Option<usize>) -> Result<Children<K, C>>;
    fn count(&self, conn: &mut C, parents: Parents<'_, K, C::Backend>) -> Result<usize>;
    /// Finds what blocks the children that go without being loaded, and theirs.
    fn find_blockers(
        &self,
        conn: &mut C,
        parents: Parents<'_, K, C::Backend>,
        path: &Path,
        found: &mut Found,
    ) -> Result<()>;
    /// Makes the children refer to what they shall when the parents are gone.
    fn replace(
        &self,
        conn: &mut C,
        parents: Parents<'_, K, C::Backend>,
        chosen: &mut Chosen,
    ) -> Result<usize>;
    /// Whether something was chosen for rows that refer by this to refer to.
    fn has_chosen(&self, chosen: &Chosen) -> bool;
    /// The same as `replace` for children that may go themselves: those refer to nothing, if they can.
    fn replace_unless_they_go(
        &self,
        conn: &mut C,
        keys: &[K],
        planned: &Planned,
        chosen: &mut Chosen,
    ) -> Result<()>;
    /// Ends the children, and what depends on them, without loading them.
    fn end_unloaded(
        &self,
        conn: &mut C,
        parents: Parents<'_, K, C::Backend>,
        turn: Turn,
        chosen: &mut Chosen,
        deleted: &mut Deleted,
    ) -> Result<()>;
}

/// What functions of the application chose for children to refer to, by the relation: each is called once in
/// a delete.
pub(crate) type Chosen = std::collections::HashMap<TypeId, Box<dyn Any>>;

/// A relation as the derive registers it.
#[doc(hidden)]
pub struct RelationEntry {
    pub(crate) info: fn() -> RelationInfo,
    parent_table: fn() -> TypeId,
    child_table: fn() -> TypeId,
    on: fn(TypeId) -> Handle,
}

impl RelationEntry {
    pub(crate) fn parent_table(&self) -> TypeId {
        (self.parent_table)()
    }

    /// Whether both ends can be stored on the connection type with this id.
    pub(crate) fn is_on(&self, connection: TypeId) -> bool {
        (self.on)(connection).is_some()
    }
}

/// The relations that a model declares.
#[doc(hidden)]
pub type Entries = &'static [RelationEntry];

/// What the derive registers of the relation that this type stands for.
#[doc(hidden)]
pub const fn relation<R: Reference>() -> RelationEntry {
    RelationEntry {
        info: info::<R>,
        parent_table: TypeId::of::<<R::Parent as Row>::Table>,
        child_table: TypeId::of::<<R::Child as Row>::Table>,
        on: R::ON,
    }
}

fn info<R: Reference>() -> RelationInfo {
    RelationInfo {
        child: R::Child::INFO,
        field: R::FACTS.field,
        columns: R::Columns::NAMES,
        parent: R::Parent::INFO,
        target: R::Target::NAMES,
        kind: R::FACTS.kind,
        on_delete: R::FACTS.on_delete,
        auto_create: !matches!(R::AUTO_CREATE, AutoCreate::No),
    }
}

/// What was declared towards a table, in the order of their names after those that create the child.
fn declared_towards(table: TypeId) -> Vec<&'static RelationEntry> {
    let mut entries: Vec<_> = registry::relations()
        .filter(|entry| (entry.parent_table)() == table)
        .collect();
    entries.sort_by_key(|entry| {
        let info = (entry.info)();
        let child = info.child;
        (
            !info.auto_create,
            child.name,
            info.field,
            child.file,
            child.line,
        )
    });
    entries
}

/// The relations towards the table of `M`. Those whose child comes into being with a row of this model stand
/// first.
pub(crate) fn towards<M: Row, C: RawConnection>() -> Result<Relations<M::Pk, C>, RegistryError> {
    let mut relations = Vec::new();
    for entry in declared_towards(TypeId::of::<M::Table>()) {
        let Some(handle) = (entry.on)(TypeId::of::<C>()) else {
            continue;
        };
        let relation = handle
            .downcast::<Box<dyn Relation<M::Pk, C>>>()
            .map_err(|_| RegistryError::KeyType {
                relation: (entry.info)().name(),
                parent: M::INFO.name,
            })?;
        relations.push(*relation);
    }
    Ok(relations)
}

/// An error if rows of the table of `M` create one another without end.
pub(crate) fn auto_create_ends<M: Row>() -> Result<(), RegistryError> {
    let mut path = vec![(TypeId::of::<M::Table>(), M::INFO.name)];
    follow(&mut path)
}

fn follow(path: &mut Vec<(TypeId, &'static str)>) -> Result<(), RegistryError> {
    let (table, _) = path[path.len() - 1];
    let created = registry::relations()
        .filter(|entry| (entry.parent_table)() == table && (entry.info)().auto_create);
    for entry in created {
        let next = ((entry.child_table)(), (entry.info)().child.name);
        let seen = path.iter().position(|(table, _)| *table == next.0);
        path.push(next);
        if let Some(start) = seen {
            return Err(endless(&path[start + 1..]));
        }
        follow(path)?;
        path.pop();
    }
    Ok(())
}

/// The error is the same whichever model on the cycle was used first.
fn endless(cycle: &[(TypeId, &'static str)]) -> RegistryError {
    let mut names: Vec<_> = cycle.iter().map(|(_, name)| *name).collect();
    let first = (0..names.len()).min_by_key(|at| names[*at]).unwrap_or(0);
    names.rotate_left(first);
    names.extend(names.first().copied());
    RegistryError::AutoCreateCycle {
        path: names.join(" -> "),
    }
}
