//! What the macros' output calls. Nothing here is public API.

#[cfg(feature = "sqlite")]
pub use diesel::sqlite::SqliteConnection;
pub use inventory;

use std::sync::OnceLock;

use diesel::expression::{AsExpression, Expression};
use diesel::expression_methods::ExpressionMethods;
use diesel::query_builder::AsChangeset;
use diesel::sql_types::SqlType;
use diesel::{Column, dsl};

pub use crate::error::RegistryError;
use crate::signal::PostCreate;

pub use crate::connection::{HookConnection, RawConnection};
pub use crate::error::Result;

pub use crate::error::Key;
pub use crate::lifecycle::ModelHooks;
pub use crate::model::{Hooked, Model, ModelInfo, Persist, Row, Select};
pub use crate::receiver::{
    Batch, BatchOn, Change, ChangeOn, Deferred, DeferredSender, Each, EachOn, IntoOutcome, Merge,
    Merged, Outcome, Receiver, Senders, Upcast, When,
};
pub use crate::registry::ModelEntry;
pub use crate::relation::{
    AutoCreate, OnDelete, ParentKey, Probe, Reference, Referring, RefersTo, RelationEntry,
    Supported, Unsupported, child, parent,
};
pub use crate::signal::{
    Batched, Changeable, ColumnSet, CustomSignal, SentOn, Signal, TraitSignal,
};

mod compare;
mod conditional;
mod set;

pub use self::compare::{AlwaysDiffers, Compare, Differs};
pub use self::conditional::{DebugField, DefaultField, debug_field, default_field};
pub use self::set::{SetEmbedded, SetIf};

/// A column, or another expression that is all type.
pub fn column<C: Default>() -> C {
    C::default()
}

/// `column = value`, as a condition.
pub fn eq<C, V>(value: V) -> dsl::Eq<C, V>
where
    C: Column + Default + ExpressionMethods,
    <C as Expression>::SqlType: SqlType,
    V: AsExpression<<C as Expression>::SqlType>,
{
    C::default().eq(value)
}

/// An error if the changeset of an embedded struct leaves out what is `None`.
///
/// Such a changeset holds an `Option` of an assignment. Diesel keeps that type to itself, so its name is
/// all there is to look at.
pub fn writes_none<T: 'static>(field: &'static str) -> std::result::Result<(), RegistryError>
where
    &'static T: AsChangeset,
{
    let changeset = std::any::type_name::<<&'static T as AsChangeset>::Changeset>();
    match changeset.contains("Option<diesel::query_builder::update_statement::changeset::Assign<") {
        true => Err(RegistryError::EmbeddedLeavesOutNone { field }),
        false => Ok(()),
    }
}

/// Sends `PostCreate` alone: what a benchmark of the dispatch measures.
#[inline]
pub fn send_post_create<M: Hooked<C>, C: RawConnection>(
    event: &mut PostCreate<M>,
    conn: &mut C,
) -> Result {
    M::hooks()?.post_create.send(event, conn)
}

/// The event that [`send_post_create`] sends.
pub fn post_create<M: Model>(instance: M) -> PostCreate<M> {
    PostCreate {
        raw: false,
        instance,
    }
}

/// The place where a model keeps what [`ModelHooks::collect`] found.
pub type Hooks<M, C> = OnceLock<std::result::Result<ModelHooks<M, C>, RegistryError>>;

/// Fills the place on first use.
#[inline]
pub fn hooks<M: Row, C: 'static>(place: &'static Hooks<M, C>) -> Result<&'static ModelHooks<M, C>> {
    match place.get() {
        Some(Ok(hooks)) => Ok(hooks),
        _ => first_use(place),
    }
}

#[cold]
fn first_use<M: Row, C: 'static>(place: &'static Hooks<M, C>) -> Result<&'static ModelHooks<M, C>> {
    let hooks = place.get_or_init(ModelHooks::collect).as_ref();
    hooks.map_err(|error| error.clone().into())
}

/// Whether this is a signal that is sent on `C`; asked for at the receiver's first argument.
pub const fn sent_on<E: SentOn<C>, C>() {}
/// Whether this is a signal.
pub const fn signal<E: Signal>() {}
/// Whether a receiver may change this signal.
pub const fn changeable<E: Changeable>() {}
/// Whether this signal has a batch form.
pub const fn batched<E: Batched>() {}

/// Whether this signal is sent by models that extend a trait.
pub const fn trait_sender<E: TraitSignal + ?Sized>() {}
/// Whether this signal can be kept until the transaction is over.
pub const fn deferrable<E: Signal + Clone + Send>() {}
/// Whether this signal can be kept and merged with later ones about the same row.
pub const fn mergeable<E: Merge>() {}

/// Shows a visitor a trait that `Self` extends.
#[doc(hidden)]
#[macro_export]
macro_rules! __upcast {
    ($visitor:expr, $trait:path) => {
        $crate::__private::Senders::sender(
            $visitor,
            $crate::__private::Upcast::<Self, dyn $trait> {
                post_create: |it| it,
                post_update: |it| it,
                post_save: |it| it,
                post_load: |it| it,
                pre_delete: |it| it,
                post_delete: |it| it,
            },
        )
    };
}

/// Gives a model its hooks, on the named connection types or on those whose backends are on.
#[doc(hidden)]
#[macro_export]
macro_rules! __hooked {
    ($model:ident) => {
        $crate::__on_connections!(__hooked $model);
    };
    ($model:ident on $($conn:path),*) => {$(
        impl $crate::__private::Hooked<$conn> for $model {
            #[inline]
            fn hooks() -> $crate::Result<&'static $crate::__private::ModelHooks<Self, $conn>> {
                static HOOKS: $crate::__private::Hooks<$model, $conn> = $crate::__private::Hooks::new();
                $crate::__private::hooks(&HOOKS)
            }
        }
    )*};
}

/// The relation that a type stands for, on the connection type whose id is asked for.
#[doc(hidden)]
#[macro_export]
macro_rules! __relation_on {
    ($relation:ident) => {
        $crate::__on_connections!(__relation_on $relation)
    };
    ($relation:ident on $($conn:path),*) => {
        |connection| {
            #[allow(unused_imports, reason = "without a backend nothing is asked")]
            use $crate::__private::{Supported as _, Unsupported as _};
            $(if connection == ::core::any::TypeId::of::<$conn>() {
                return (&$crate::__private::Probe::<$relation, $conn>::new()).relation();
            })*
            ::core::option::Option::None
        }
    };
}

/// What a model is called and where its derive stands.
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($model:expr, $table:expr) => {
        $crate::__private::ModelInfo::new($model, $table, ::core::file!(), ::core::line!())
    };
}

pub use crate::{
    __hooked as hooked, __info as info, __relation_on as relation_on, __upcast as upcast,
};

/// Names the connection types whose backends are on to another macro: Cargo adds features up, so what is
/// on is known here and not where the derive runs.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "sqlite")]
macro_rules! __on_connections {
    ($then:ident $subject:ident) => {
        $crate::$then!($subject on $crate::__private::SqliteConnection)
    };
}

/// No backend is on.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "sqlite"))]
macro_rules! __on_connections {
    ($then:ident $subject:ident) => {
        $crate::$then!($subject on)
    };
}
