#![allow(missing_docs, reason = "MultiConnection documents nothing")]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{self, ConnectionManager, CustomizeConnection, Pool};
use diesel_hooks::HookConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// A connection to whatever database the installation has.
#[derive(diesel::MultiConnection, HookConnection)]
pub enum AnyConnection {
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(MysqlConnection),
    // Last, because it takes every URL for a file's name.
    Sqlite(SqliteConnection),
}

pub type AnyPool = Pool<ConnectionManager<AnyConnection>>;

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<AnyConnection, r2d2::Error> for Settings {
    fn on_acquire(&self, conn: &mut AnyConnection) -> Result<(), r2d2::Error> {
        match conn {
            AnyConnection::Sqlite(conn) => conn
                .batch_execute("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;")
                .map_err(r2d2::Error::QueryError),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => Ok(()),
        }
    }
}

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
#[cfg(feature = "mysql")]
const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// Connects to a database and brings its tables up to date.
///
/// # Errors
///
/// If there is no such database, or a migration failed.
pub fn connect(url: &str) -> Result<AnyPool, Box<dyn std::error::Error + Send + Sync>> {
    let pool = Pool::builder()
        // In memory, each connection to SQLite would have a database of its own.
        .max_size(if url == ":memory:" { 1 } else { 4 })
        .connection_customizer(Box::new(Settings))
        .build(ConnectionManager::new(url))?;
    let mut conn = pool.get()?;
    let migrations = migrations(&conn);
    conn.run_pending_migrations(migrations)?;
    Ok(pool)
}

fn migrations(conn: &AnyConnection) -> EmbeddedMigrations {
    match conn {
        AnyConnection::Sqlite(_) => SQLITE,
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => POSTGRES,
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => MYSQL,
    }
}

/// Drops the tables again.
///
/// # Errors
///
/// If a migration could not be undone.
pub fn clear(conn: &mut AnyConnection) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let migrations = migrations(conn);
    conn.revert_all_migrations(migrations).map(drop)
}
