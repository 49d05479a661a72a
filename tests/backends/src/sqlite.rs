use diesel::connection::SimpleConnection;
use diesel::prelude::*;

#[cfg(not(feature = "multi"))]
use crate::System;

#[cfg(not(feature = "multi"))]
pub(crate) fn system() -> System {
    System::Sqlite
}

/// What the tests connect with.
pub(crate) type Connected = SqliteConnection;

pub(crate) struct Database(tempfile::TempDir);

impl Database {
    pub(crate) fn new() -> Self {
        let database = Database(tempfile::tempdir().expect("a temporary folder"));
        database
            .connect()
            .batch_execute("PRAGMA journal_mode = WAL;")
            .expect("a database on disk");
        database
    }

    pub(crate) fn connect(&self) -> Connected {
        let mut conn = SqliteConnection::establish(&self.url()).expect("SQLite opens a file");
        conn.batch_execute(SETTINGS)
            .expect("the settings are right");
        conn
    }

    pub(crate) fn url(&self) -> String {
        let path = self.0.path().join("test.sqlite");
        path.to_str().expect("a plain path").to_owned()
    }
}

/// What each connection needs.
pub(crate) const SETTINGS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;";
