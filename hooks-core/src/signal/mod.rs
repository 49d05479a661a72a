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
//! | `delete` | [`PreDelete`] of every row that goes, *DELETE*, [`PostDelete`] of every row that went |
//!
//! A receiver may call operations itself, inside the one that it hears. One that saves what it hears about
//! is called again by that save: let it change the row in a signal before the write, or look at
//! `event.created`, or it never ends.
//!
//! Nothing is sent by plain Diesel statements, by raw SQL, by the database's own cascades, by an
//! `update` that changes nothing, or for the rows that an error kept from being touched. The names and
//! the order are those of [Django's signals](https://docs.djangoproject.com/en/stable/ref/signals/).

mod columns;
mod delete;
mod save;

use crate::error::Key;
use crate::model::{Hooked, Row};

pub use self::columns::ColumnSet;
pub use self::delete::{PostDelete, PreDelete};
pub use self::save::{PostCreate, PostSave, PostUpdate, PreCreate, PreSave, PreUpdate};

/// A signal of a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signal",
    label = "not a signal of a model",
    note = "a receiver's first argument is a reference to a signal, such as `&PostSave<Employee>`, of a struct with `#[derive(Hooks)]`"
)]
pub trait Signal: 'static {
    /// The sender.
    type Model: Row;
    /// The signal's name without its sender.
    const NAME: &'static str;
    #[doc(hidden)]
    fn key(&self) -> Option<Key>;
}

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
    note = "`PostSave`, `PostCreate`, `PostUpdate`, `PreDelete` and `PostDelete` have one"
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

#[diagnostic::do_not_recommend]
impl<E, C> SentOn<C> for E
where
    E: Signal,
    E::Model: Hooked<C>,
{
}
