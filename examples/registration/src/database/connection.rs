#![allow(missing_docs, reason = "MultiConnection documents nothing")]

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{self, CustomizeConnection};
use diesel_hooks::HookConnection;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

/// A connection to whatever database the installation has.
#[derive(diesel::MultiConnection, HookConnection)]
pub enum AnyConnection {
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    // Last, because it takes every URL for a file's name.
    Sqlite(SqliteConnection),
}

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

pub(super) fn migrations(conn: &AnyConnection) -> EmbeddedMigrations {
    match conn {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => POSTGRES,
        AnyConnection::Sqlite(_) => SQLITE,
    }
}

/// By the type that the URL is for: what `MultiConnection` answers does not say what is wrong.
pub(super) fn connect(url: &str) -> ConnectionResult<AnyConnection> {
    #[cfg(feature = "postgres")]
    if is_postgres(url) {
        return PgConnection::establish(url).map(AnyConnection::Postgres);
    }
    SqliteConnection::establish(url).map(AnyConnection::Sqlite)
}

pub(super) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// What each connection of the pool is told first.
#[derive(Debug)]
pub(super) struct Settings {
    /// How long a writer waits for the one before it.
    pub(super) patience: Duration,
}

impl Settings {
    pub(super) fn apply(&self, conn: &mut AnyConnection) -> QueryResult<()> {
        match conn {
            AnyConnection::Sqlite(conn) => {
                let patience = self.patience.as_millis();
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {patience}; PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL;"
                ))
            }
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(_) => Ok(()),
        }
    }
}

impl CustomizeConnection<AnyConnection, r2d2::Error> for Settings {
    fn on_acquire(&self, conn: &mut AnyConnection) -> Result<(), r2d2::Error> {
        self.apply(conn).map_err(r2d2::Error::QueryError)
    }
}
