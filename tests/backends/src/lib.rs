//! A database of its own for each test, on the backend that the features choose.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

#[cfg(feature = "multi")]
mod multi;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(any(feature = "multi", not(any(feature = "postgres", feature = "mysql"))))]
mod sqlite;

#[cfg(feature = "multi")]
use multi as backend;
#[cfg(all(feature = "mysql", not(feature = "multi")))]
use mysql as backend;
#[cfg(all(feature = "postgres", not(any(feature = "mysql", feature = "multi"))))]
use postgres as backend;
#[cfg(not(any(feature = "postgres", feature = "mysql")))]
use sqlite as backend;

#[cfg(feature = "multi")]
pub use multi::{AnyConnection, MultiBackend};

/// A database management system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "these are names")]
pub enum System {
    Sqlite,
    Postgres,
    Mysql,
}

/// The one that the tests run on: not all promise the same.
#[must_use]
pub fn system() -> System {
    backend::system()
}

/// The connection that the tests use.
pub type TestConnection = backend::Connected;

/// A database that is dropped with this.
pub struct Database(backend::Database);

impl Database {
    /// One with these tables. `{key}` stands for a primary key that the database makes.
    #[must_use]
    pub fn new(tables: &str) -> Self {
        let database = Database(backend::Database::new());
        database
            .connect()
            .batch_execute(&tables.replace("{key}", database.0.key()))
            .expect("the tables are right");
        database
    }

    /// Another connection to it.
    #[must_use]
    pub fn connect(&self) -> TestConnection {
        self.0.connect()
    }

    /// What other connections connect to.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// A new database, and a connection to it.
    #[must_use]
    pub fn open(tables: &str) -> (Self, TestConnection) {
        let database = Database::new(tables);
        let conn = database.connect();
        (database, conn)
    }
}

/// How many rows a table has.
///
/// # Panics
///
/// If it cannot be read.
pub fn count(conn: &mut TestConnection, table: &str) -> i64 {
    let count = format!("(SELECT count(*) FROM {table})");
    diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&count))
        .get_result(conn)
        .expect("the table is there")
}
