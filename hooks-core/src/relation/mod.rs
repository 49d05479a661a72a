//! Relations between models: what depends on what, and what becomes of it.
//!
//! A relation is declared on the field that refers to the other model, so the child knows the parent
//! and not the other way round. Each is registered with the identity of the parent's *table*: every
//! struct over that table honours it, in whatever crate it stands.

mod accessor;
mod dependents;
mod ensure;
mod link;

use std::any::{Any, TypeId};
use std::marker::PhantomData;

use diesel::query_source::Column;

use crate::collector::Children;
use crate::connection::Scope;
use crate::error::{Blocker, RegistryError, Result};
use crate::model::{Model, ModelInfo, Row};
use crate::registry;

pub(crate) use self::dependents::Created;

#[doc(hidden)]
pub use self::accessor::{child, parent};
#[doc(hidden)]
pub use self::ensure::{Lacking, ensure};
#[doc(hidden)]
pub use self::link::{Probe, Referring};

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
    /// It refers to a row that the application names. No signals of an update are sent for it.
    Set,
    /// Nothing is looked at and nothing is done; the database may object.
    DoNothing,
    /// The schema says what happens, and the database does it without signals.
    Database,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A relation as the derive describes it, on a type that stands for it.
#[doc(hidden)]
pub trait Reference: 'static {
    type Parent: Row;
    type Child: Row;
    /// The child's column.
    type Column: Column + Default;
    const FIELD: &'static str;
    const ON_DELETE: OnDelete;
    const AUTO_CREATE: AutoCreated<Self> = AutoCreate::No;

    /// The key of the row that this child refers to.
    fn parent_key(child: &Self::Child) -> Referred<Self>;
    /// The relation on the connection type with this id, where both ends can be stored there.
    fn on(_connection: TypeId) -> Handle {
        None
    }
}

/// The key that a relation refers to.
#[doc(hidden)]
pub type ParentKey<R> = <<R as Reference>::Parent as Model>::Pk;

/// The key that a child refers to, if it does.
#[doc(hidden)]
pub type Referred<R> = Option<ParentKey<R>>;

/// How the child of a relation comes into being with its parent.
#[doc(hidden)]
pub type AutoCreated<R> = AutoCreate<<R as Reference>::Parent, <R as Reference>::Child>;

/// How a dependent comes into being with its parent.
#[doc(hidden)]
pub enum AutoCreate<P: Model, M: Model> {
    No,
    /// A default one that refers to this key.
    FromKey(fn(P::Pk) -> M::New),
    /// What the application makes of the parent.
    FromParent(fn(&P) -> M::New),
}

/// A child that is made of the parent's key alone.
#[doc(hidden)]
pub const fn from_key<P: Model, M: Model>(make: fn(P::Pk) -> M::New) -> AutoCreate<P, M> {
    AutoCreate::FromKey(make)
}

/// A field that may refer to a key of type `K`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a relation cannot hold the key `{K}` in a `{Self}`",
    label = "another type than the parent's key",
    note = "the field of a relation has the type of the parent's primary key, or `Option` of it"
)]
pub trait RefersTo<K> {
    fn referred(&self) -> Option<K>;
}

impl<K: Clone> RefersTo<K> for K {
    fn referred(&self) -> Option<K> {
        Some(self.clone())
    }
}

impl<K: Clone> RefersTo<K> for Option<K> {
    fn referred(&self) -> Option<K> {
        self.clone()
    }
}

/// The key that this field holds.
#[doc(hidden)]
pub fn referred<R: Reference, F: RefersTo<ParentKey<R>>>(field: &F) -> Referred<R> {
    field.referred()
}

/// The relations towards one table.
pub(crate) type Relations<K, C> = Vec<Box<dyn Relation<K, C>>>;

/// A relation seen from a parent whose key is `K`, with the child's type forgotten.
pub(crate) trait Relation<K, C>: Send + Sync {
    fn info(&self) -> RelationInfo;
    fn on_delete(&self) -> OnDelete;
    /// What it takes to undo the creation of a dependent.
    fn create_scope(&self) -> Result<Scope>;
    /// What it takes to undo the deletion of the children and theirs, and of what they visit first.
    fn delete_scope(&self, visited: &mut Vec<TypeId>) -> Result<Scope>;
    /// Whether the children's rows must be loaded before they are deleted.
    fn must_load(&self, conn: &mut C) -> Result<bool>;
    /// Creates the child of a row.
    fn create_dependent(&self, conn: &mut C, parent: &dyn Any, key: &K) -> Result<()>;
    /// Creates the children of many rows.
    fn create_dependents(&self, conn: &mut C, parents: &dyn Created<K>) -> Result<()>;
    fn child_table(&self) -> TypeId;
    fn load_children(&self, conn: &mut C, keys: &[K]) -> Result<Children<K, C>>;
    fn delete_children(&self, conn: &mut C, keys: &[K]) -> Result<usize>;
    fn blocker(&self, conn: &mut C, keys: &[K]) -> Result<Option<Blocker>>;
}

/// A relation as the derive registers it.
#[doc(hidden)]
pub struct RelationEntry {
    pub(crate) info: fn() -> RelationInfo,
    parent_table: fn() -> TypeId,
    child_table: fn() -> TypeId,
    on: fn(TypeId) -> Handle,
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
        on: R::on,
    }
}

/// A relation on some connection type, with all types forgotten.
#[doc(hidden)]
pub type Handle = Option<Box<dyn Any>>;

/// The one of these that there is.
#[doc(hidden)]
pub fn link<const N: usize>(handles: [Handle; N]) -> Handle {
    handles.into_iter().flatten().next()
}

fn info<R: Reference>() -> RelationInfo {
    RelationInfo {
        child: R::Child::INFO,
        field: R::FIELD,
        columns: const { &[<R::Column as Column>::NAME] },
        parent: R::Parent::INFO,
        target: R::Parent::KEY,
        kind: RelationKind::OneToOne,
        on_delete: R::ON_DELETE,
        auto_create: !matches!(R::AUTO_CREATE, AutoCreate::No),
    }
}

/// The relations that were declared towards the table of `M`, in the order of their names.
pub(crate) fn towards<M: Row, C: 'static>() -> Result<Relations<M::Pk, C>, RegistryError> {
    let mut relations = Vec::new();
    for entry in registry::relations() {
        if (entry.parent_table)() != TypeId::of::<M::Table>() {
            continue;
        }
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
    relations.sort_by_key(|relation| {
        let info = relation.info();
        (
            info.child.name,
            info.field,
            info.child.file,
            info.child.line,
        )
    });
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

/// `PhantomData` of a relation, which crosses threads whatever its models do.
type Marker<R> = PhantomData<fn() -> R>;
