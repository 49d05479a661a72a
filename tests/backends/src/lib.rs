//! A database of its own for each test, on the backend that the features choose.

use std::cell::RefCell;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

mod log;
#[cfg(feature = "multi")]
mod multi;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
pub mod script;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
mod session;
mod spelt;
#[cfg(any(feature = "multi", not(any(feature = "postgres", feature = "mysql"))))]
mod sqlite;
mod statements;

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

pub use log::Log;
pub use rows::{insert, many, restart_keys, rows};
pub use script::panic_of;
pub use session::{
    Transactions, enforce_foreign_keys, ignore_foreign_keys, insert_circle, outermost,
    refuse_to_wait,
};
pub use spelt::{on, spelt};
pub use statements::{LOCK, LOCK_FOUND, READ_BACK, depth, of_rows, sequence, statements, verbs};

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

/// Whether a list of keys is one value: Diesel has no array for an enum of connections.
#[must_use]
pub fn has_arrays() -> bool {
    system() == System::Postgres && cfg!(not(feature = "multi"))
}

/// How many keys a statement names at most.
#[must_use]
pub fn keys_at_once() -> usize {
    on(250, 8_000, 1_000)
}

/// The connection that the tests use.
pub type TestConnection = backend::Connected;

/// A database that is dropped with this.
pub struct Database(backend::Database);

impl Database {
    /// One with these tables, spelt as [`spelt`] says.
    #[must_use]
    pub fn new(tables: &str) -> Self {
        let database = Database(backend::Database::new());
        insert(&mut database.connect(), tables);
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

/// A connection to a new database with these tables, which is dropped when the test's thread ends.
#[must_use]
pub fn fresh(tables: &str) -> TestConnection {
    let (database, conn) = Database::open(tables);
    keep(database);
    conn
}

/// Two connections to one such database, of which one reads in its transaction what the other commits meanwhile.
/// On SQLite they share a cache for that.
#[must_use]
pub fn fresh_pair(tables: &str) -> [TestConnection; 2] {
    let database = Database::new("");
    let url = match system() {
        System::Sqlite => format!("file:{}?cache=shared", database.url()),
        System::Postgres | System::Mysql => database.url(),
    };
    let mut both =
        [(); 2].map(|()| TestConnection::establish(&url).expect("the database is there"));
    insert(&mut both[0], tables);
    if system() == System::Sqlite {
        for conn in &mut both {
            conn.batch_execute("PRAGMA read_uncommitted = ON")
                .expect("a pragma");
        }
    }
    keep(database);
    both
}

/// Until the thread ends.
fn keep(database: Database) {
    thread_local! {
        static KEPT: RefCell<Vec<Database>> = const { RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| kept.push(database));
}

/// Makes a schema beside the usual one, with these tables; on MySQL, whose schemas are databases, the last test to
/// do so has it.
///
/// # Panics
///
/// If that is refused.
pub fn open_schema(conn: &mut TestConnection, name: &str, tables: &str) {
    let schema = match system() {
        System::Sqlite => format!("ATTACH DATABASE ':memory:' AS {name};"),
        System::Postgres => format!("CREATE SCHEMA {name};"),
        System::Mysql => format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name};"),
    };
    conn.batch_execute(&schema)
        .and_then(|()| conn.batch_execute(&spelt(tables)))
        .expect("the schema and its tables");
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
