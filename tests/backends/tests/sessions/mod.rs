//! Connections that meet each other.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use backends::{Database, TestConnection};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

pub const POSTGRES: bool = cfg!(feature = "postgres");
pub const MYSQL: bool = cfg!(feature = "mysql") && !POSTGRES;
pub const SQLITE: bool = !POSTGRES && !MYSQL;

/// The isolation levels that differ on this backend.
pub const LEVELS: &[&str] = match SQLITE {
    true => &["SERIALIZABLE"],
    false => &["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"],
};

/// Runs SQL, of which SQLite, PostgreSQL and MariaDB have each their own.
pub fn run(conn: &mut TestConnection, sqlite: &str, postgres: &str, mysql: &str) {
    let sql = match (SQLITE, POSTGRES) {
        (true, _) => sqlite,
        (_, true) => postgres,
        _ => mysql,
    };
    if !sql.is_empty() {
        conn.batch_execute(sql).expect("the SQL is right");
    }
}

/// A connection whose transactions have this level, and which does not wait for a lock on SQLite.
pub fn connect(database: &Database, level: &str) -> TestConnection {
    let mut conn = database.connect();
    run(
        &mut conn,
        "PRAGMA busy_timeout = 0",
        &format!("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}"),
        &format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"),
    );
    conn
}

/// A connection on which whoever writes to a row that changed since it was read is refused.
pub fn careful(database: &Database) -> TestConnection {
    let mut conn = connect(database, "REPEATABLE READ");
    run(&mut conn, "", "", "SET innodb_snapshot_isolation = ON");
    conn
}

/// How many transactions and savepoints Diesel has open, unless its transaction manager is broken.
pub fn depth(conn: &mut TestConnection) -> Option<u32> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    let depth = status.transaction_depth().ok()?;
    Some(depth.map_or(0, Into::into))
}

/// By what the server knows this connection.
pub fn server_id(conn: &mut TestConnection) -> i64 {
    let id = if POSTGRES {
        "pg_backend_pid()::bigint"
    } else {
        "CONNECTION_ID()"
    };
    diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(id))
        .get_result(conn)
        .expect("the server tells")
}

/// Whether a connection to this database waits for a lock.
fn one_waits(watcher: &mut TestConnection) -> bool {
    let waiting = if POSTGRES {
        "(SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock')"
    } else {
        "(SELECT count(*) FROM information_schema.innodb_trx
            JOIN information_schema.processlist ON trx_mysql_thread_id = id
           WHERE trx_state = 'LOCK WAIT' AND db = DATABASE())"
    };
    let waiting = diesel::dsl::sql::<diesel::sql_types::BigInt>(waiting);
    let waiting: i64 = diesel::select(waiting)
        .get_result(watcher)
        .expect("the server tells");
    waiting > 0
}

/// Returns when a connection to this database waits for a lock.
pub fn until_one_waits(watcher: &mut TestConnection) {
    while !one_waits(watcher) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
