//! What the tests on SQLite share: a database for each.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    reason = "each test file uses a part of it"
)]

pub(crate) use backends::{Log, depth, statements};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;

/// A database in memory with this schema; foreign keys are enforced.
pub(crate) fn memory(schema: &str) -> SqliteConnection {
    prepare(
        SqliteConnection::establish(":memory:").expect("SQLite is embedded"),
        schema,
    )
}

/// A database on disk, which other connections can look at.
pub(crate) struct OnDisk {
    folder: tempfile::TempDir,
}

impl OnDisk {
    pub(crate) fn new(schema: &str) -> Self {
        let disk = OnDisk {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        prepare(disk.connect(), schema);
        disk
    }

    pub(crate) fn url(&self) -> String {
        self.folder.path().join("test.db").display().to_string()
    }

    pub(crate) fn connect(&self) -> SqliteConnection {
        let mut conn = SqliteConnection::establish(&self.url()).expect("the file can be opened");
        conn.batch_execute(
            "PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000;
             PRAGMA synchronous = OFF;",
        )
        .expect("pragmas are accepted");
        conn
    }
}

fn prepare(mut conn: SqliteConnection, schema: &str) -> SqliteConnection {
    conn.batch_execute("PRAGMA foreign_keys = ON;")
        .expect("pragmas are accepted");
    conn.batch_execute(schema).expect("the schema is right");
    conn
}
