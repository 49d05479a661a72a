//! What a receiver's function takes.

use std::any::{Any, TypeId, type_name};

use super::deferred::Tombstone;
use super::{Deferred, DeferredSender, Each, EachOn, Merged, Outcome};
use crate::connection::Callback;

/// The function of a receiver, with its types forgotten.
#[doc(hidden)]
pub trait Handler: Any + Send + Sync {
    /// How it takes the signal.
    fn taken(&self) -> Taken;
    /// On which connections it runs, if not on all.
    fn connection(&self) -> Option<ConnectionType> {
        None
    }
    /// Whether it runs once for each row of this table when the transaction is over.
    fn merges(&self, _table: TypeId) -> bool {
        false
    }
    /// What makes it hear nothing of the row with this key, if it waits for the end of the transaction.
    fn bury(&self, _key: &dyn Any, _uid: &'static str) -> Option<Tombstone> {
        None
    }
}

/// How a receiver takes the signal.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    ByRef,
    ByMut,
    Batch,
}

/// The type of a connection.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionType {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

impl ConnectionType {
    fn of<C: 'static>() -> Self {
        ConnectionType {
            id: TypeId::of::<C>(),
            name: type_name::<C>(),
        }
    }
}

impl dyn Handler {
    pub(crate) fn downcast_ref<T: Any>(&self) -> Option<&T> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }

    pub(crate) fn is<T: Any>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }
}

impl<E: ?Sized + 'static> Handler for Each<E> {
    fn taken(&self) -> Taken {
        Taken::ByRef
    }
}

impl<E: ?Sized + 'static, C: 'static> Handler for EachOn<E, C> {
    fn taken(&self) -> Taken {
        Taken::ByRef
    }

    fn connection(&self) -> Option<ConnectionType> {
        Some(ConnectionType::of::<C>())
    }
}

impl<E: ?Sized + 'static> Handler for DeferredSender<E> {
    fn taken(&self) -> Taken {
        Taken::ByRef
    }
}

/// What only a receiver of a concrete sender can be. One type for all, because a signal of a model asks each
/// of its receivers for each type of handler.
#[doc(hidden)]
pub enum Concrete<E> {
    /// `fn(&mut E)`
    Change(fn(&mut E) -> Outcome),
    /// `fn(&[E])`
    Batch(fn(&[E]) -> Outcome),
    /// `fn(&E)`, after the transaction.
    Deferred(Deferred<E>),
    /// `fn(&E)`, once for each row and transaction.
    Merged(Merged<E>),
}

impl<E> Concrete<E> {
    /// What a receiver does that waits for the end of the transaction.
    pub(crate) fn keep(&self, event: &E, uid: &'static str) -> Option<Callback> {
        match self {
            Concrete::Change(_) | Concrete::Batch(_) => None,
            Concrete::Deferred(deferred) => Some(deferred.keep(event)),
            Concrete::Merged(merged) => Some(merged.keep(event, uid)),
        }
    }
}

impl<E: 'static> Handler for Concrete<E> {
    fn taken(&self) -> Taken {
        match self {
            Concrete::Change(_) => Taken::ByMut,
            Concrete::Batch(_) => Taken::Batch,
            Concrete::Deferred(_) | Concrete::Merged(_) => Taken::ByRef,
        }
    }

    fn merges(&self, table: TypeId) -> bool {
        matches!(self, Concrete::Merged(merged) if merged.is_of(table))
    }

    fn bury(&self, key: &dyn Any, uid: &'static str) -> Option<Tombstone> {
        match self {
            Concrete::Merged(merged) => merged.bury(key, uid),
            _ => None,
        }
    }
}

/// The same, with the connection.
#[doc(hidden)]
pub enum ConcreteOn<E, C> {
    /// `fn(&mut E, &mut C)`
    Change(fn(&mut E, &mut C) -> Outcome),
    /// `fn(&[E], &mut C)`
    Batch(fn(&[E], &mut C) -> Outcome),
}

impl<E: 'static, C: 'static> Handler for ConcreteOn<E, C> {
    fn taken(&self) -> Taken {
        match self {
            ConcreteOn::Change(_) => Taken::ByMut,
            ConcreteOn::Batch(_) => Taken::Batch,
        }
    }

    fn connection(&self) -> Option<ConnectionType> {
        Some(ConnectionType::of::<C>())
    }
}
