//! What is asked of a database itself, and not of its rows.

use diesel::QueryResult;
use diesel::result::Error as DieselError;

use super::Shape;
use super::catalog::TableFacts;

/// A connection to one database, also one that the application has in an enum of several.
#[doc(hidden)]
pub trait Session {
    fn begin_to_write(&mut self) -> QueryResult<()>;

    /// The same, with the savepoint `diesel_hooks` in it, by one request to a server.
    fn begin_with_savepoint(&mut self) -> QueryResult<()>;

    /// Releases that savepoint and commits, by one request to a server. If it fails, it does not roll back.
    fn release_and_commit(&mut self) -> Result<(), NotCommitted>;

    /// Whether the database has a transaction open, whatever Diesel thinks.
    fn transaction_is_open(&mut self) -> bool;

    /// Begins, in place of one that is gone, a transaction whose COMMIT fails, with Diesel's savepoints up to
    /// this depth in it.
    fn begin_what_cannot_be_committed(&mut self, depth: u32) -> QueryResult<()>;

    /// What the catalog says of the table or view at this path, if there is one.
    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>>;

    /// Which statements are right on the table at this path with this key, if there is one.
    fn shape(&mut self, path: &[String], key: &[&str]) -> QueryResult<Option<Shape>>;

    /// Whether foreign keys hold on this connection.
    fn enforces_foreign_keys(&mut self) -> QueryResult<bool>;

    /// How the server is set up, asked once on each connection.
    fn settings(&mut self) -> Settings {
        Settings::default()
    }

    /// Whether this error says that a row has what must be unique in the table at this path. A trigger may have
    /// written to another.
    fn is_taken(&mut self, path: &[String], error: &DieselError) -> bool;
}

/// Why [`Session::release_and_commit`] failed.
#[doc(hidden)]
#[derive(Debug)]
pub struct NotCommitted {
    pub(crate) error: DieselError,
    /// Whether the savepoint was not there, or could not be asked for, so that no COMMIT was tried.
    pub(crate) is_lost: bool,
}

impl NotCommitted {
    pub(crate) fn refused(error: DieselError) -> Self {
        let is_lost = false;
        NotCommitted { error, is_lost }
    }
}

/// How a server is set up.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Whether a lock that is waited for in vain ends the transaction, and not the statement alone.
    pub(crate) lock_timeout_ends_transaction: bool,
    /// How many bytes a statement may have, with its values, if that is little.
    pub(crate) max_packet: Option<usize>,
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) const BEGIN_WITH_SAVEPOINT: &str = "BEGIN; SAVEPOINT diesel_hooks";

/// If the first is refused, the second is not looked at.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) const RELEASE_AND_COMMIT: &str = "RELEASE SAVEPOINT diesel_hooks; COMMIT";

/// These statements, and those that set Diesel's own savepoints, up to this depth.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(super) fn with_savepoints(begin: &str, depth: u32) -> String {
    let savepoints = (1..depth).map(|level| format!("SAVEPOINT diesel_savepoint_{level};"));
    std::iter::once(begin.to_owned())
        .chain(savepoints)
        .collect()
}
