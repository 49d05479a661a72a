//! What a receiver's function takes.

use std::any::{Any, TypeId, type_name};

use super::deferred::Tombstone;
use super::{Batch, BatchOn, Change, ChangeOn, Deferred, DeferredSender, Each, EachOn};

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

macro_rules! handlers {
    ($($handler:ident<E $(: ?$sized:ident)? $(, $conn:ident)?> $taken:ident;)*) => {$(
        impl<E: 'static $(+ ?$sized)? $(, $conn: 'static)?> Handler for $handler<E $(, $conn)?> {
            fn taken(&self) -> Taken {
                Taken::$taken
            }

            $(fn connection(&self) -> Option<ConnectionType> {
                Some(ConnectionType::of::<$conn>())
            })?
        }
    )*};
}

handlers! {
    Each<E: ?Sized> ByRef;
    EachOn<E: ?Sized, C> ByRef;
    Change<E> ByMut;
    ChangeOn<E, C> ByMut;
    Batch<E> Batch;
    BatchOn<E, C> Batch;
    Deferred<E> ByRef;
    DeferredSender<E: ?Sized> ByRef;
}
