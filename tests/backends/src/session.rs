use diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager as _,
};
use diesel::result::{Error as DieselError, QueryResult};

use crate::{TestConnection, insert, on};

/// What begins and ends transactions of the tests' connection.
pub type Transactions = <TestConnection as Connection>::TransactionManager;

/// Has this connection not enforce foreign keys.
///
/// # Panics
///
/// If the user may not do that.
pub fn ignore_foreign_keys(conn: &mut TestConnection) {
    conn.batch_execute(on(
        "PRAGMA foreign_keys = OFF",
        "SET session_replication_role = replica",
        "SET foreign_key_checks = 0",
    ))
    .expect("it is the owner's right");
}

/// Has it enforce them again.
///
/// # Panics
///
/// If the user may not do that.
pub fn enforce_foreign_keys(conn: &mut TestConnection) {
    conn.batch_execute(on(
        "PRAGMA foreign_keys = ON",
        "SET session_replication_role = origin",
        "SET foreign_key_checks = 1",
    ))
    .expect("it is the owner's right");
}

/// [`insert`]s rows that refer to each other.
pub fn insert_circle(conn: &mut TestConnection, rows: &str) {
    ignore_foreign_keys(conn);
    insert(conn, rows);
    enforce_foreign_keys(conn);
}

/// Has this connection not wait for a lock.
///
/// # Panics
///
/// If the setting is refused.
pub fn refuse_to_wait(conn: &mut TestConnection) {
    conn.batch_execute(on(
        "PRAGMA busy_timeout = 0",
        "SET lock_timeout = 1",
        "SET innodb_lock_wait_timeout = 0",
    ))
    .expect("a setting");
}

/// Runs this in a transaction that has to be the outermost, as Diesel's `immediate_transaction` on SQLite.
///
/// # Errors
///
/// Those of `work`; that there is a transaction.
pub fn outermost<T, E: From<DieselError>>(
    conn: &mut TestConnection,
    work: impl FnOnce(&mut TestConnection) -> Result<T, E>,
) -> Result<T, E> {
    begin(conn)?;
    let outcome = work(conn);
    match outcome {
        Ok(_) => Transactions::commit_transaction(conn)?,
        Err(_) => Transactions::rollback_transaction(conn)?,
    }
    outcome
}

#[cfg(not(feature = "multi"))]
fn begin(conn: &mut TestConnection) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(conn, on("BEGIN IMMEDIATE", "BEGIN", "BEGIN"))
}

#[cfg(feature = "multi")]
fn begin(conn: &mut TestConnection) -> QueryResult<()> {
    match conn {
        TestConnection::Postgres(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN")
        }
        TestConnection::Mysql(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
        TestConnection::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
    }
}
