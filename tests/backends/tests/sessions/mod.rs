//! Connections that meet each other.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use backends::{Database, System, TestConnection, system};
use diesel::connection::{Connection, SimpleConnection, TransactionManager};
use diesel::prelude::*;

pub(crate) fn on_postgres() -> bool {
    system() == System::Postgres
}

pub(crate) fn on_mysql() -> bool {
    system() == System::Mysql
}

pub(crate) fn on_sqlite() -> bool {
    system() == System::Sqlite
}

/// The isolation levels that differ on this backend.
pub(crate) fn levels() -> &'static [&'static str] {
    match on_sqlite() {
        true => &["SERIALIZABLE"],
        false => &["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"],
    }
}

/// Runs SQL, of which SQLite, PostgreSQL and MariaDB have each their own.
pub(crate) fn run(conn: &mut TestConnection, sqlite: &str, postgres: &str, mysql: &str) {
    let sql = match (on_sqlite(), on_postgres()) {
        (true, _) => sqlite,
        (_, true) => postgres,
        _ => mysql,
    };
    if !sql.is_empty() {
        conn.batch_execute(sql).expect("the SQL is right");
    }
}

/// A connection whose transactions have this level, and which does not wait for a lock on SQLite.
pub(crate) fn connect(database: &Database, level: &str) -> TestConnection {
    let mut conn = database.connect();
    run(
        &mut conn,
        // Whoever comes first to a file in WAL mode locks all others out for a moment.
        "SELECT count(*) FROM sqlite_master; PRAGMA busy_timeout = 0",
        &format!("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}"),
        &format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"),
    );
    conn
}

/// A connection on which whoever writes to a row that changed since it was read is refused.
pub(crate) fn careful(database: &Database) -> TestConnection {
    let mut conn = connect(database, "REPEATABLE READ");
    run(&mut conn, "", "", "SET innodb_snapshot_isolation = ON");
    conn
}

/// What begins and ends the transactions of the tests' connection.
pub(crate) type Manager = <TestConnection as Connection>::TransactionManager;

/// How many transactions and savepoints Diesel has open, unless its transaction manager is broken.
pub(crate) fn depth(conn: &mut TestConnection) -> Option<u32> {
    let status = Manager::transaction_manager_status_mut(conn);
    let depth = status.transaction_depth().ok()?;
    Some(depth.map_or(0, Into::into))
}

/// By what the server knows this connection.
pub(crate) fn server_id(conn: &mut TestConnection) -> i64 {
    let id = if on_postgres() {
        "pg_backend_pid()::bigint"
    } else {
        "CONNECTION_ID()"
    };
    number(conn, id)
}

/// Whether a connection to this database waits for a lock.
pub(crate) fn one_waits(watcher: &mut TestConnection) -> bool {
    let waiting = if on_postgres() {
        "(SELECT count(*) FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock')"
    } else {
        // Of the whole server, but at once; the table of InnoDB's transactions lags behind.
        "(SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status
           WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS')"
    };
    number(watcher, waiting) > 0
}

/// Returns when a connection to this database waits for a lock.
pub(crate) fn until_one_waits(watcher: &mut TestConnection) {
    while !one_waits(watcher) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Makes the server drop that connection, and returns when it is gone.
pub(crate) fn kill(killer: &mut TestConnection, id: i64) {
    let (kill, left) = match on_postgres() {
        true => (
            format!("SELECT pg_terminate_backend({id})"),
            format!("(SELECT count(*) FROM pg_stat_activity WHERE pid = {id})"),
        ),
        false => (
            format!("KILL {id}"),
            format!("(SELECT count(*) FROM information_schema.processlist WHERE id = {id})"),
        ),
    };
    killer.batch_execute(&kill).expect("it is there");
    while number(killer, &left) > 0 {
        std::thread::yield_now();
    }
}

pub(crate) fn number(conn: &mut TestConnection, expression: &str) -> i64 {
    let expression = diesel::dsl::sql::<diesel::sql_types::BigInt>(expression);
    diesel::select(expression)
        .get_result(conn)
        .expect("the server tells")
}
