//! The connections on which models have hooks.

mod capture;
mod chain;
mod ext;
mod merge;
mod queue;
mod retry;
mod savepoint;
pub(crate) mod scoped;
mod state;
mod transaction;

use diesel::QueryResult;
use diesel::connection::{Connection, LoadConnection};
use diesel::result::Error as DieselError;

use crate::backend::Dialect;
use crate::backend::catalog::TableFacts;

pub use self::capture::Capture;
pub(crate) use self::chain::{Chain, Frame, nested};
pub use self::ext::HookConnectionExt;
pub(crate) use self::ext::register;
pub(crate) use self::merge::{Mergeable, Tag};
pub(crate) use self::queue::Callback;
#[doc(hidden)]
pub use self::queue::ErrorEffect;
pub use self::retry::retry;
pub(crate) use self::savepoint::{before_writes, undo_writes};
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
    note = "a `SqliteConnection` or a pooled one works, if the backend's feature (and `r2d2`) is on in diesel-hooks"
)]
pub trait HookConnection {
    /// The connection inside.
    type Raw: RawConnection;

    /// The connection inside.
    fn raw_connection(&mut self) -> &mut Self::Raw;
}

/// A connection to a database.
pub trait RawConnection:
    Connection<Backend: Dialect> + LoadConnection + HookConnection<Raw = Self> + 'static
{
    /// Whether a savepoint of a name hides an earlier one, and does not replace it.
    #[doc(hidden)]
    const SAVEPOINTS_NEST: bool = true;

    /// Whether nothing is answered after a statement that failed, until something is rolled back.
    #[doc(hidden)]
    const ERRORS_ABORT: bool = false;

    /// Whether a transaction keeps others from rows that it asks for, and not from all.
    #[doc(hidden)]
    const LOCKS_ROWS: bool = true;

    /// Begins the outermost transaction of an operation that writes.
    ///
    /// On SQLite it takes the write lock at once: a transaction that reads first and writes later fails
    /// with "database is locked", whatever the busy timeout, if another connection wrote meanwhile.
    ///
    /// # Errors
    ///
    /// If the database refuses, or a transaction is open already.
    fn begin_to_write(&mut self) -> QueryResult<()>;

    /// Whether the database has a transaction open, whatever Diesel thinks.
    #[doc(hidden)]
    fn transaction_is_open(&mut self) -> bool;

    /// Begins, in place of one that is gone, a transaction whose COMMIT fails, with Diesel's savepoints up to
    /// this depth in it.
    #[doc(hidden)]
    fn begin_what_cannot_be_committed(&mut self, depth: u32) -> QueryResult<()>;

    #[doc(hidden)]
    fn backend(&self) -> Self::Backend;

    /// The database management system, by OpenTelemetry's name for it.
    #[doc(hidden)]
    fn system(&self) -> &'static str;

    /// What the catalog says of the table or view at this path, if there is one.
    #[doc(hidden)]
    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>>;

    /// Whether foreign keys hold on this connection.
    #[doc(hidden)]
    fn enforces_foreign_keys(&mut self) -> QueryResult<bool>;

    /// Whether the transaction does not see what others committed since it began, though the database does.
    #[doc(hidden)]
    fn reads_a_snapshot(&mut self) -> bool {
        false
    }

    /// What a statement that failed like this does to the transaction around it.
    #[doc(hidden)]
    fn effect_of_error(_: &DieselError) -> ErrorEffect {
        ErrorEffect::Statement
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
