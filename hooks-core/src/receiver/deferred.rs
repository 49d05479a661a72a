//! Receivers that run when the transaction is over, with the event as it was.

use std::any::{Any, TypeId};

use super::Outcome;
use crate::connection::{Callback, Mergeable, Tag};
use crate::signal::Signal;

/// `fn(&E)`, after the transaction.
#[doc(hidden)]
pub struct Deferred<E> {
    receive: fn(&E) -> Outcome,
    keep: KeepEach<E>,
}

type KeepEach<E> = fn(&E, fn(&E) -> Outcome) -> Callback;

/// A signal that can be kept until the transaction is over.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept until the transaction is over",
    label = "no `after_commit` or `after_rollback` here",
    note = "a signal that is kept is `Clone` and `Send`: derive `Clone` for your own; `PreSave` and `PreCreate` are not"
)]
pub trait Kept: Signal + Clone + Send {}

#[diagnostic::do_not_recommend]
impl<E: Signal + Clone + Send> Kept for E {}

impl<E: Kept> Deferred<E> {
    /// A receiver of a signal that can be kept.
    pub const fn new(receive: fn(&E) -> Outcome) -> Self {
        Deferred {
            receive,
            keep: |event, receive| {
                let event = event.clone();
                Callback::Call(Box::new(move || receive(&event)))
            },
        }
    }
}

impl<E> Deferred<E> {
    pub(crate) fn keep(&self, event: &E) -> Callback {
        (self.keep)(event, self.receive)
    }
}

/// `fn(&E)` of a trait sender, after the transaction.
#[doc(hidden)]
pub struct DeferredSender<E: ?Sized>(pub fn(&E) -> Outcome);

/// `fn(&E)`, once for each row and transaction.
#[doc(hidden)]
pub struct Merged<E> {
    receive: fn(&E) -> Outcome,
    keep: Keep<E>,
    bury: Bury<E>,
    table: fn() -> TypeId,
}

type Keep<E> = fn(&E, fn(&E) -> Outcome, &'static str) -> Callback;
type Bury<E> = fn(&dyn Any, fn(&E) -> Outcome, &'static str) -> Option<Callback>;

impl<E: Merge> Merged<E> {
    /// A receiver of a signal that tells of a row.
    pub const fn new(receive: fn(&E) -> Outcome) -> Self {
        Merged {
            receive,
            keep: keep::<E>,
            bury: bury::<E>,
            table: TypeId::of::<E::Table>,
        }
    }
}

impl<E> Merged<E> {
    pub(super) fn keep(&self, event: &E, uid: &'static str) -> Callback {
        (self.keep)(event, self.receive, uid)
    }

    pub(super) fn is_of(&self, table: TypeId) -> bool {
        (self.table)() == table
    }

    pub(super) fn bury(&self, key: &dyn Any, uid: &'static str) -> Option<Tombstone> {
        (self.bury)(key, self.receive, uid).map(Tombstone)
    }
}

/// What makes a receiver hear nothing of a row that is gone.
#[doc(hidden)]
pub struct Tombstone(pub(crate) Callback);

/// A signal about a row whose later events go into the first.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged by row",
    label = "no `after_commit(merged)` here",
    note = "`PostSave`, `PostCreate` and `PostUpdate` of a model can; of any other signal, say `after_commit`"
)]
pub trait Merge: Signal + Clone + Send {
    /// The key of the row.
    type Key: Clone + Eq + std::hash::Hash + Send + 'static;
    /// The Diesel table of the row.
    type Table: 'static;

    fn row_key(&self) -> Self::Key;
    /// Takes in what happened to the row later.
    fn absorb(&mut self, later: Self);
}

/// What a receiver is going to hear of one row, if anything.
struct Merging<E> {
    event: Option<E>,
    receive: fn(&E) -> Outcome,
}

fn keep<E: Merge>(event: &E, receive: fn(&E) -> Outcome, uid: &'static str) -> Callback {
    let tag = Tag::new::<E, _>(uid, event.row_key());
    let event = Some(event.clone());
    Callback::Merged(tag, Box::new(Merging { event, receive }))
}

fn bury<E: Merge>(
    key: &dyn Any,
    receive: fn(&E) -> Outcome,
    uid: &'static str,
) -> Option<Callback> {
    let key = key.downcast_ref::<E::Key>()?.clone();
    let tag = Tag::new::<E, _>(uid, key);
    let event = None::<E>;
    Some(Callback::Merged(tag, Box::new(Merging { event, receive })))
}

impl<E: Merge> Mergeable for Merging<E> {
    fn absorb(&mut self, later: Box<dyn Any>) {
        let Ok(later) = later.downcast::<Self>() else {
            return;
        };
        match (&mut self.event, later.event) {
            (Some(event), Some(later)) => event.absorb(later),
            (event, later) => *event = later,
        }
    }

    fn run(self: Box<Self>) -> Option<Outcome> {
        self.event.as_ref().map(self.receive)
    }
}
