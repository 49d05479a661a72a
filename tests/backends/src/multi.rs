#![allow(missing_docs, reason = "MultiConnection documents nothing")]

use diesel::prelude::*;
use diesel_hooks::HookConnection;

use crate::{System, mysql, postgres, sqlite};

/// A connection to any of the databases.
#[derive(diesel::MultiConnection, HookConnection)]
pub enum AnyConnection {
    /// To PostgreSQL.
    Postgres(PgConnection),
    /// To MySQL or MariaDB.
    Mysql(MysqlConnection),
    /// To SQLite.
    Sqlite(SqliteConnection),
}

/// What the tests connect with.
pub(crate) type Connected = AnyConnection;

/// The one that `BEHIND_MULTI` names.
pub(crate) fn system() -> System {
    match std::env::var("BEHIND_MULTI").as_deref() {
        Ok("postgres") => System::Postgres,
        Ok("mysql") => System::Mysql,
        Ok("sqlite") | Err(_) => System::Sqlite,
        Ok(other) => panic!("BEHIND_MULTI is sqlite, postgres or mysql, not {other}"),
    }
}

pub(crate) enum Database {
    Postgres(postgres::Database),
    Mysql(mysql::Database),
    Sqlite(sqlite::Database),
}

impl Database {
    pub(crate) fn new() -> Self {
        match system() {
            System::Postgres => Database::Postgres(postgres::Database::new()),
            System::Mysql => Database::Mysql(mysql::Database::new()),
            System::Sqlite => Database::Sqlite(sqlite::Database::new()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Database::Postgres(it) => it.url(),
            Database::Mysql(it) => it.url(),
            Database::Sqlite(it) => it.url(),
        }
    }

    pub(crate) fn connect(&self) -> Connected {
        match self {
            Database::Postgres(it) => AnyConnection::Postgres(it.connect()),
            Database::Mysql(it) => AnyConnection::Mysql(it.connect()),
            Database::Sqlite(it) => AnyConnection::Sqlite(it.connect()),
        }
    }
}
