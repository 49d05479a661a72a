//! The connections on which models have hooks.

mod capture;
mod chain;
mod ext;
mod in_place;
mod merge;
mod opened;
mod queue;
mod retry;
mod savepoint;
pub(crate) mod scoped;
mod state;
mod transaction;
mod watch;

use diesel::QueryResult;
use diesel::connection::{Connection, LoadConnection};

use crate::backend::{Dialect, Session, System};

pub use self::capture::Capture;
pub(crate) use self::chain::{Chain, Frame, nested};
pub use self::ext::HookConnectionExt;
pub(crate) use self::ext::register;
pub(crate) use self::in_place::read_back;
pub(crate) use self::merge::{Mergeable, Tag};
pub(crate) use self::queue::Callback;
#[doc(hidden)]
pub use self::queue::ErrorEffect;
pub use self::retry::retry;
pub(crate) use self::savepoint::undo_writes;
pub use self::scoped::Guard;
pub(crate) use self::state::State;
pub use self::state::set_instrumentation;
pub(crate) use self::transaction::{Scope, atomic, doom, together};
pub(crate) use crate::failure::CallbackKind;

/// A connection, or something that holds one.
///
/// Operations take any `&mut impl HookConnection`: a raw connection, one from an r2d2 pool, or a mutable
/// reference to either. Receivers always get the raw one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection with hooks",
    label = "no hooks here",
    note = "Diesel's own connections work, and pooled ones, if the backend's feature (and `r2d2`) is on in diesel-hooks; an enum of several derives `HookConnection`"
)]
pub trait HookConnection {
    /// The connection inside.
    type Raw: RawConnection;

    /// The connection inside.
    fn raw_connection(&mut self) -> &mut Self::Raw;
}

/// A connection to a database.
///
/// There is nothing to implement: `#[derive(HookConnection)]` makes one of an enum of several.
pub trait RawConnection:
    Connection<Backend: Dialect> + LoadConnection + HookConnection<Raw = Self> + 'static
{
    /// How rows are inserted and read back.
    #[doc(hidden)]
    type Inserting;

    #[doc(hidden)]
    fn backend(&self) -> Self::Backend;

    #[doc(hidden)]
    fn session(&mut self) -> &mut dyn Session;

    #[doc(hidden)]
    #[inline]
    fn system(&self) -> System {
        self.backend().system()
    }

    /// Begins the outermost transaction of an operation that writes.
    ///
    /// On SQLite it takes the write lock at once: a transaction that reads first and writes later fails
    /// with "database is locked", whatever the busy timeout, if another connection wrote meanwhile.
    ///
    /// # Errors
    ///
    /// If the database refuses, or a transaction is open already.
    fn begin_to_write(&mut self) -> QueryResult<()> {
        self.session().begin_to_write()
    }
}

impl<C: HookConnection> HookConnection for &mut C {
    type Raw = C::Raw;

    fn raw_connection(&mut self) -> &mut C::Raw {
        (**self).raw_connection()
    }
}

#[cfg(feature = "r2d2")]
impl<M> HookConnection for diesel::r2d2::PooledConnection<M>
where
    M: diesel::r2d2::ManageConnection,
    M::Connection: HookConnection,
{
    type Raw = <M::Connection as HookConnection>::Raw;

    fn raw_connection(&mut self) -> &mut Self::Raw {
        (**self).raw_connection()
    }
}
