//! A relation as the derive describes it.

use std::any::{Any, TypeId};
use std::hash::Hash;
use std::marker::PhantomData;

use diesel::sql_types::IntoNullable;
use diesel::sql_types::is_nullable::{IsNullable, NotNull};

use super::{OnDelete, RelationKind};
use crate::__private::{DefaultField, default_field};
use crate::backend::statements::{Columns, Nullability};
use crate::error::BoxError;
use crate::model::{Model, Row};

/// A relation, on a type that stands for it.
#[doc(hidden)]
pub trait Reference: Sized + 'static {
    type Parent: Row;
    type Child: Row;
    /// The child's columns, a tuple of them.
    type Columns: Columns;
    /// What they refer to: [`PrimaryKey`] or [`Unique`].
    type Target: Target<Self>;
    /// The value that the columns hold: a tuple, if there are several.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    const FACTS: Facts;
    const AUTO_CREATE: AutoCreate<Self> = AutoCreate::No;

    const KEY: KeyOf<Self>;
    /// The relation on the connection type with some id, where both ends can be stored there.
    const ON: Links = |_| None;

    /// What it refers to when the parent is gone.
    fn replacement() -> Replacement<Self> {
        Replacement::Null
    }
}

/// What a relation is but for its models and columns.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    pub(crate) field: &'static str,
    pub(crate) kind: RelationKind,
    pub(crate) on_delete: OnDelete,
}

/// Those of a relation of at most one child.
#[doc(hidden)]
pub const fn one_to_one(field: &'static str, on_delete: OnDelete) -> Facts {
    Facts {
        field,
        kind: RelationKind::OneToOne,
        on_delete,
    }
}

/// Those of a relation of any number of children.
#[doc(hidden)]
pub const fn foreign_key(field: &'static str, on_delete: OnDelete) -> Facts {
    Facts {
        field,
        kind: RelationKind::ForeignKey,
        on_delete,
    }
}

/// A relation on some connection type, with all types forgotten.
#[doc(hidden)]
pub type Handle = Option<Box<dyn Any>>;

/// The primary key of a relation's parent.
#[doc(hidden)]
pub type ParentKey<R> = <<R as Reference>::Parent as Model>::Pk;

/// What reading the parent of a relation in the columns `Cs` gives: a `P`, or maybe one, where they may be
/// NULL.
#[doc(hidden)]
pub type Found<Cs, P> = <<Cs as Columns>::Nullability as Nullability>::Of<P>;

/// The columns of the parent that a relation refers to.
#[doc(hidden)]
pub trait Target<R> {
    const NAMES: &'static [&'static str];
    /// Whether a parent may have none, so that no child can refer to it.
    const NULLABLE: bool = false;
}

/// A relation refers to the primary key.
#[doc(hidden)]
pub struct PrimaryKey;

/// A relation refers to other columns that no two rows share.
#[doc(hidden)]
pub struct Unique<Cs>(PhantomData<Cs>);

impl<R: Reference> Target<R> for PrimaryKey {
    const NAMES: &'static [&'static str] = <R::Parent as Row>::KEY;
}

impl<R, Cs: Columns> Target<R> for Unique<Cs> {
    const NAMES: &'static [&'static str] = Cs::NAMES;
    const NULLABLE: bool = Cs::NULLABLE;
}

/// What a child refers to, if anything.
// No alias, because the compiler would look into it when it compares the constant with the trait's, and say a
// second time that a parent is no model.
#[doc(hidden)]
pub struct KeyOf<R: Reference>(pub fn(&R::Child) -> Option<R::Key>);

impl<R: Reference> KeyOf<R> {
    pub(super) fn read(&self, child: &R::Child) -> Option<R::Key> {
        (self.0)(child)
    }
}

/// How the handle for a connection type is asked for.
#[doc(hidden)]
pub type Links = fn(TypeId) -> Handle;

/// How a dependent comes into being with its parent.
#[doc(hidden)]
pub enum AutoCreate<R: Reference> {
    No,
    /// A default one that is made to refer to a key.
    FromKey(FromKey<R>),
    /// What the application makes of the parent.
    FromParent(fn(&R::Parent) -> NewOf<R>),
}

/// What a relation's child is created from.
pub(super) type NewOf<R> = <<R as Reference>::Child as Model>::New;

/// How to make a default one, and how to make it refer to a key.
#[doc(hidden)]
pub struct FromKey<R: Reference> {
    make: fn() -> NewOf<R>,
    refer: fn(&mut NewOf<R>, R::Key),
}

impl<R: Reference> FromKey<R> {
    /// One that refers to nothing in particular yet.
    pub(crate) fn make_any(&self) -> NewOf<R> {
        (self.make)()
    }

    pub(crate) fn make(&self, key: R::Key) -> NewOf<R> {
        let mut new = self.make_any();
        (self.refer)(&mut new, key);
        new
    }
}

/// A dependent of defaults, of a type that the user wrote.
#[doc(hidden)]
pub const fn from_key<'a, R>(refer: fn(&mut NewOf<R>, R::Key)) -> AutoCreate<R>
where
    R: Reference<Child: Model<New: DefaultField<'a>>>,
{
    let make = default_field::<NewOf<R>>;
    AutoCreate::FromKey(FromKey { make, refer })
}

/// A dependent of defaults, of a type that the derive made: it has one where all its fields have.
#[doc(hidden)]
pub const fn from_key_and_defaults<R>(refer: fn(&mut NewOf<R>, R::Key)) -> AutoCreate<R>
where
    R: Reference<Child: Model<New: Default>>,
{
    let make = NewOf::<R>::default;
    AutoCreate::FromKey(FromKey { make, refer })
}

/// A field that may refer to a key of type `K`.
#[diagnostic::on_unimplemented(
    message = "a relation cannot hold the key `{K}` in a `{Self}`",
    label = "another type than the parent's key",
    note = "the field of a relation has the type of the parent's primary key, or `Option` of it"
)]
#[doc(hidden)]
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

/// The key that this field holds, or its part of one.
#[doc(hidden)]
pub fn held<K, F: RefersTo<K>>(field: &F) -> Option<K> {
    field.referred()
}

/// A field of a column that may be NULL or not: `N` says which.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a relation to a unique column",
    label = "an `Option` where the column cannot be NULL, or none where it can",
    note = "the field is an `Option` exactly where its column is `Nullable`"
)]
#[doc(hidden)]
pub trait Holds<N> {
    type Key;
}

impl<K> Holds<NotNull> for K {
    type Key = K;
}

impl<K> Holds<IsNullable> for Option<K> {
    type Key = K;
}

/// What a field of type `F` in the columns `Cs` refers to.
#[doc(hidden)]
pub type Held<F, Cs> = <F as Holds<<Cs as Columns>::Nullability>>::Key;

/// Columns that can be set to NULL.
#[diagnostic::on_unimplemented(
    message = "`on_delete = SetNull` needs a column that may be NULL",
    label = "this column cannot be NULL",
    note = "make the field an `Option` and its column `Nullable`, or choose another `on_delete`"
)]
#[doc(hidden)]
pub trait CanBeNull {}

impl CanBeNull for IsNullable {}

/// Asked for at the user's field.
#[doc(hidden)]
pub const fn can_be_null<C>()
where
    C: diesel::Expression<SqlType: diesel::sql_types::SqlType<IsNull: CanBeNull>>,
{
}

/// Asked for where the user names the column `T` of the parent, which the child's column `F` holds.
#[doc(hidden)]
pub const fn is_column_of<P, T, F>()
where
    P: Row,
    T: diesel::Column<Table = P::Table, SqlType: IntoNullable>,
    F: diesel::Expression<SqlType: IntoNullable<Nullable = <T::SqlType as IntoNullable>::Nullable>>,
{
}

/// What children refer to when their parent is gone; none of it is NULL.
#[doc(hidden)]
pub enum Replacement<R: Reference> {
    Null,
    /// What a function of the application says.
    Value(Box<dyn Fn() -> Option<R::Key>>),
    /// What a function says that takes a connection: a [`Setter`] of some connection type.
    Setter(Box<dyn Any>),
}

/// A function of the application that takes a connection of type `C`.
pub(crate) struct Setter<R: Reference, C>(pub(crate) Choose<R, C>);

type Choose<R, C> = Box<dyn Fn(&mut C) -> Result<Option<<R as Reference>::Key>, BoxError>>;

/// A function that says what children refer to when their parent is gone.
#[diagnostic::on_unimplemented(
    message = "this function cannot choose what a relation refers to",
    label = "wrong parameters or result",
    note = "expected `fn() -> Key` or `fn(&mut Connection) -> Result<Key, E>`, where `Key` is the type of the relation's field or of the parent's key"
)]
#[doc(hidden)]
pub trait Chooses<R: Reference, Form> {
    fn replacement(self) -> Replacement<R>;
}

impl<R, F, K> Chooses<R, (K,)> for F
where
    R: Reference,
    F: Fn() -> K + 'static,
    K: RefersTo<R::Key>,
{
    fn replacement(self) -> Replacement<R> {
        Replacement::Value(Box::new(move || self().referred()))
    }
}

impl<R, F, C, K, E> Chooses<R, (C, K, E)> for F
where
    R: Reference,
    F: Fn(&mut C) -> Result<K, E> + 'static,
    C: 'static,
    K: RefersTo<R::Key>,
    E: Into<BoxError>,
{
    fn replacement(self) -> Replacement<R> {
        let choose = move |conn: &mut C| self(conn).map(|it| it.referred()).map_err(Into::into);
        Replacement::Setter(Box::new(Setter::<R, C>(Box::new(choose))))
    }
}

/// What this function of the application says.
#[doc(hidden)]
pub fn chosen<R: Reference, Form>(choose: impl Chooses<R, Form>) -> Replacement<R> {
    choose.replacement()
}
