//! What the macros' output calls. Nothing here is public API.

#[cfg(feature = "mysql")]
pub use diesel::mysql::MysqlConnection as Mysql;
#[cfg(feature = "postgres")]
pub use diesel::pg::PgConnection as Postgres;
#[cfg(feature = "sqlite")]
pub use diesel::sqlite::SqliteConnection as Sqlite;
pub use inventory;

pub use diesel::QueryResult;
pub use diesel::backend::Backend;
use diesel::query_builder::AsChangeset;
pub use diesel::query_builder::QueryFragment;

pub use crate::error::RegistryError;
use crate::signal::PostCreate;

pub use crate::backend::{
    ByLastId, ByReturning, ByRowid, BySystem, Dialect, Inserting, Session, Settings, Shape, System,
};
pub use crate::connection::{HookConnection, RawConnection};
pub use crate::error::Result;

pub use crate::backend::statements::{Is, Lists};
pub use crate::error::Key;
pub use crate::lifecycle::ModelHooks;
pub use crate::model::{Hooked, Keyed, Model, ModelInfo, Persist, Row, info};
pub use crate::receiver::{
    Concrete, ConcreteOn, Deferred, DeferredSender, Each, EachOn, IntoOutcome, Kept, Merge, Merged,
    Outcome, Receiver, Senders, Upcast, When,
};
pub use crate::registry::{ModelEntry, Names, StoredAs};
pub use crate::relation::OnDelete::{
    Cascade, Database, DoNothing, Protect, Restrict, Set, SetDefault, SetNull,
};
pub use crate::relation::{
    AutoCreate, Entries, Facts, FoundParent as Found, Handle, Held, KeyOf, Links, On, ParentKey,
    PrimaryKey, Probe, Reference, Referring, RefersTo, Replacement, Unique, can_be_null, chosen,
    foreign_key, from_key, from_key_and_defaults, held, is_column_of, one_to_one, relation,
};
pub use crate::signal::{
    Batched, Changeable, ColumnSet, CustomSignal, SentOn, Signal, TraitSignal,
};
pub use crate::timestamp::{OnlyStamped, Stamp, Stamped, stamp, timestamp};
pub use std::time::SystemTime;

mod backends;
mod collect;
mod compare;
mod conditional;
#[cfg(feature = "serde")]
mod json;
mod owned;
mod place;
mod set;
mod tuple;

pub use self::backends::first;
pub use self::collect::collect_values;
pub use self::compare::Compare;
pub use self::conditional::{DebugField, DefaultField, debug_field, default_field};
pub use self::owned::Takes;
pub use self::place::{BuiltIn, OnMysql, OnPg, OnSqlite, OneOf, Place, Places};
pub use self::set::{SetEmbedded, SetIf};
pub use self::tuple::{AsSelectable, Changes, Embedded, Fields};

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
/// A receiver of a signal that can be kept until the transaction is over.
pub const fn deferred<E: Kept>(receive: fn(&E) -> Outcome) -> Concrete<E> {
    Concrete::Deferred(Deferred::new(receive))
}
/// A receiver of a signal that can be kept and merged with later ones about the same row.
pub const fn merged<E: Merge>(receive: fn(&E) -> Outcome) -> Concrete<E> {
    Concrete::Merged(Merged::new(receive))
}

#[cfg(feature = "serde")]
pub use self::json::Json;
#[cfg(feature = "serde")]
pub use serde_json;

/// How a row becomes JSON, with the feature for it.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "serde")]
macro_rules! __json {
    ($hooks:ident) => {
        fn to_json(&self) -> $hooks::serde_json::Result<$hooks::serde_json::Value> {
            $hooks::Json(self).value()
        }
    };
}

/// Nothing, without it.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "serde"))]
macro_rules! __json {
    ($hooks:ident) => {};
}

/// Shows a visitor a trait that a model extends.
#[doc(hidden)]
#[macro_export]
macro_rules! __upcast {
    ($visitor:expr, $model:ty, $trait:path, $sender:ty) => {{
        // With a bound, so that a model that does not implement the trait is one error.
        fn __upcast<__M: $trait + 'static, __V: $crate::__private::Senders<__M>>(
            __visitor: &mut __V,
        ) {
            $crate::__private::Senders::sender(
                __visitor,
                $crate::__private::Upcast::<__M, $sender> {
                    post_create: |it| it,
                    post_update: |it| it,
                    post_save: |it| it,
                    post_load: |it| it,
                    pre_delete: |it| it,
                    post_delete: |it| it,
                },
            )
        }
        __upcast::<$model, _>($visitor)
    }};
}

pub use crate::{
    __answer as answer, __json as json, __link as link_on, __names as names,
    __on_mysql as on_mysql, __on_postgres as on_postgres, __on_sqlite as on_sqlite,
    __upcast as upcast,
};
