//! Functions that hear signals, and how they are found and called.
//!
//! `#[receiver]` registers one [`Receiver`] for the whole program, whatever the crate it stands in. The
//! first operation of a model on a connection type collects the receivers of that pair into a
//! slot for each signal; from then on sending is a walk along a slice.

mod deferred;
mod handler;
mod order;
mod senders;
mod slot;

use std::any::TypeId;

use crate::error::BoxError;

#[doc(hidden)]
pub use self::deferred::{Deferred, DeferredSender, Kept, Merge, Merged, Tombstone};
#[doc(hidden)]
pub use self::handler::{Concrete, ConcreteOn};
#[doc(hidden)]
pub use self::handler::{ConnectionType, Handler, Taken};
pub(crate) use self::order::in_order;
pub(crate) use self::senders::{HeardByTraits, SentAs, sent};
#[doc(hidden)]
pub use self::senders::{Senders, Upcast};
#[doc(hidden)]
pub use self::slot::Search;
pub(crate) use self::slot::{Needs, Slot, defer, failed};

/// A receiver as `#[receiver]` registers it.
pub struct Receiver {
    /// Its identifier, unique among the receivers of a signal.
    pub uid: &'static str,
    /// Receivers with a lower number run first; those with the same run by `uid`.
    pub order: i32,
    /// The receivers of the same signal that run later, by `uid`, whatever their `order`.
    pub before: &'static [&'static str],
    /// The receivers of the same signal that run earlier, by `uid`, whatever their `order`.
    pub after: &'static [&'static str],
    /// The file in which it stands.
    pub file: &'static str,
    /// The line of that file.
    pub line: u32,
    /// The signal's full type name.
    #[doc(hidden)]
    pub signal: fn() -> &'static str,
    #[doc(hidden)]
    pub signal_id: fn() -> TypeId,
    /// When it runs.
    pub when: When,
    /// Whether it may return an error.
    #[doc(hidden)]
    pub fallible: bool,
    /// Whether it looks at what changed, for which the old row must be known.
    #[doc(hidden)]
    pub compares: bool,
    /// Whether it may ask its event for the old row.
    #[doc(hidden)]
    pub looks_back: bool,
    #[doc(hidden)]
    pub handler: &'static dyn Handler,
}

inventory::collect!(Receiver);

/// When a receiver runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// While the signal is sent, inside the operation.
    Now,
    /// When the transaction is durable.
    AfterCommit,
    /// When the transaction is durable, once for each row.
    AfterCommitMerged,
    /// When what the signal told was rolled back.
    AfterRollback,
}

/// What a receiver's function returned, whatever its return type.
#[doc(hidden)]
pub type Outcome = std::result::Result<(), BoxError>;

/// What a receiver may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a receiver or callback cannot return `{Self}`",
    label = "not `()` or a `Result<(), E>`",
    note = "return nothing, `diesel_hooks::Result`, or a `Result<(), E>` whose error converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    #[inline]
    fn into_outcome(self) -> Outcome {
        Ok(())
    }
}

impl<E: Into<BoxError>> IntoOutcome for std::result::Result<(), E> {
    #[inline]
    fn into_outcome(self) -> Outcome {
        self.map_err(Into::into)
    }
}

/// `fn(&E)`
#[doc(hidden)]
pub struct Each<E: ?Sized>(pub fn(&E) -> Outcome);
/// `fn(&E, &mut C)`
#[doc(hidden)]
pub struct EachOn<E: ?Sized, C>(pub fn(&E, &mut C) -> Outcome);
