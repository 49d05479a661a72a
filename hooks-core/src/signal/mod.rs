//! What a model sends while its rows are created, changed and deleted.
//!
//! A signal is a type; a receiver is a function whose first argument is a reference to it. In one
//! operation they are sent in this order:
//!
//! | operation | signals |
//! | --- | --- |
//! | `create`, `create_many` | [`PreSave::Create`], [`PreCreate`], *INSERT*, dependents, [`PostCreate`], [`PostSave`] |
//! | `save`, `update` | [`PreSave::Update`], [`PreUpdate`], *UPDATE*, [`PostUpdate`], [`PostSave`] |
//! | `update_set` | *UPDATE, SELECT*, [`PreSave::Update`], [`PreUpdate`], *UPDATE if a receiver changed something*, [`PostUpdate`], [`PostSave`] |
//! | `get_or_create` | *SELECT*; if there is no row, as `create` |
//! | `update_or_create`, `upsert` | *SELECT*; then as `update` or `save`, or as `create` |
//! | `update_hooked` | *SELECT*, as `update` for each row that changes |
//! | `delete` | [`PreDelete`] of every row that goes, *DELETE*, [`PostDelete`] of every row that went |
//! | `get`, `refresh`, `load_hooked` | *SELECT*, [`PostLoad`] |
//!
//! A receiver may call operations itself, inside the one that it hears. One that saves what it hears about
//! is called again by that save: let it change the row in a signal before the write, or look at
//! `event.created`; one that never ends is [`Error::Recursion`](crate::Error::Recursion).
//!
//! Nothing is sent by plain Diesel statements, by raw SQL, by the database's own cascades, by an
//! `update` that changes nothing, or for the rows that an error kept from being touched. The names and
//! the order are those of [Django's signals](https://docs.djangoproject.com/en/stable/ref/signals/).

mod any_model;
mod changes;
mod columns;
mod custom;
mod delete;
mod load;
mod merge;
mod save;

use crate::connection::RawConnection;
use crate::error::Key;
use crate::model::{Hooked, Row};
use crate::receiver::{HeardByTraits, Search};

pub use self::any_model::AnyModel;
pub(crate) use self::changes::Changes;
pub use self::columns::ColumnSet;
pub use self::custom::{CustomSignal, Sent};
pub use self::delete::{Origin, PostDelete, PreDelete};
pub use self::load::PostLoad;
pub use self::save::{PostCreate, PostSave, PostUpdate, PreCreate, PreSave, PreUpdate};

/// The path under which the compiler knows this module.
pub(crate) const MODULE: &str = module_path!();

/// What receivers hear: of a model, or a struct of the application's own with `#[derive(Signal)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signal",
    label = "not a signal",
    note = "a receiver's first argument is a reference to a signal, such as `&PostSave<Employee>`, of a struct with `#[derive(Hooks)]`",
    note = "a struct of your own is a signal with `#[derive(Signal)]`"
)]
pub trait Signal: Sized + 'static {
    /// The signal's name without its sender.
    const NAME: &'static str;
    /// The model that sends it.
    #[doc(hidden)]
    fn sender() -> Option<&'static str> {
        None
    }
    /// The key of the row that it tells of.
    #[doc(hidden)]
    fn key(&self) -> Option<Key> {
        None
    }
    /// Looks for a receiver among those of the traits that its sender extends.
    #[doc(hidden)]
    fn as_traits<C: 'static>(_search: &mut Search<Self, C>) {}
}

/// A signal of a model.
pub trait ModelSignal: Signal {
    /// The sender.
    type Model: Row;
}

/// A signal of any model that extends a trait, such as `PostSave<dyn Activity>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is never sent",
    label = "no signal of a trait",
    note = "`PostSave`, `PostCreate`, `PostUpdate`, `PostLoad`, `PreDelete` and `PostDelete` are heard of a `dyn Trait`"
)]
pub trait TraitSignal {}

/// A signal that its receivers may change, because nothing is written yet.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be changed by a receiver",
    label = "sent after the write, or about a row that goes",
    note = "take it by `&`; only `PreSave`, `PreCreate` and `PreUpdate` are taken by `&mut`"
)]
pub trait Changeable: Signal {}

/// A signal that a receiver may take for a whole batch at once, as a slice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no batch form",
    label = "take one at a time",
    note = "`PostSave`, `PostCreate`, `PostUpdate`, `PostLoad`, `PreDelete` and `PostDelete` of a model have one"
)]
pub trait Batched: Signal {}

/// A signal that is sent on connections of type `C`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is never sent on a `{C}`",
    label = "this receiver would never run",
    note = "a receiver's first argument is a reference to a signal, such as `&PostSave<Employee>`, of a struct with `#[derive(Hooks)]`",
    note = "its second is the connection itself, such as `&mut SqliteConnection`, of a backend on which the struct has hooks"
)]
pub trait SentOn<C>: Signal {}

macro_rules! sent_on {
    ($($signal:ident),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<M: Hooked<C>, C: RawConnection> SentOn<C> for $signal<M> {}

        impl<M: Row> ModelSignal for $signal<M> {
            type Model = M;
        }
    )*};
}

sent_on!(
    PreSave, PreCreate, PreUpdate, PreDelete, PostSave, PostCreate, PostUpdate, PostDelete,
    PostLoad
);

macro_rules! heard_by_traits {
    ($($signal:ident),*) => {$(
        impl<M: Row> Signal for $signal<M> {
            const NAME: &'static str = stringify!($signal);

            fn sender() -> Option<&'static str> {
                Some(M::INFO.name)
            }

            fn key(&self) -> Option<Key> {
                Some(self.instance.key())
            }

            fn as_traits<C: 'static>(search: &mut Search<Self, C>) {
                Self::search(search);
            }
        }

        impl<M: Row> Batched for $signal<M> {}

        impl<T: ?Sized + 'static> TraitSignal for $signal<T> {}
    )*};
}

heard_by_traits!(
    PostSave, PostCreate, PostUpdate, PostLoad, PreDelete, PostDelete
);
