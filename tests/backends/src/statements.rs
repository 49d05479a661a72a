use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;

use crate::{System, TestConnection, on, system};

/// The statements that a connection runs, also those that go by one request, spelt as on SQLite: names in backticks, `?`
/// for a value.
///
/// # Panics
///
/// If an operation of the connection panicked while it was noted down.
pub fn statements<T>(
    conn: &mut TestConnection,
    work: impl FnOnce(&mut TestConnection) -> T,
) -> (T, Vec<String>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    diesel_hooks::set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let request = without_binds(&query.to_string());
            let sent = request.split(';').map(str::trim);
            let sent = sent.filter(|sql| !sql.is_empty()).map(str::to_owned);
            sink.lock().expect("no test panics inside").extend(sent);
        }
    });
    let value = work(conn);
    diesel_hooks::set_instrumentation(conn, |_: InstrumentationEvent<'_>| {});
    let seen = std::mem::take(&mut *seen.lock().expect("no test panics inside"));
    (value, seen)
}

fn without_binds(statement: &str) -> String {
    let sql = statement.split(" -- binds").next().unwrap_or_default();
    match system() {
        System::Sqlite | System::Mysql => sql.trim().to_owned(),
        System::Postgres => as_on_sqlite(sql.trim()),
    }
}

/// With `` `name` `` for `"name"`, and `?` for `$1`.
fn as_on_sqlite(sql: &str) -> String {
    let mut parts = sql.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    let spelt = parts.fold(first, |sql, part| {
        sql + "?" + part.trim_start_matches(|it: char| it.is_ascii_digit())
    });
    spelt.replace('"', "`")
}

/// The first word of each statement.
#[must_use]
pub fn verbs(statements: &[String]) -> Vec<&str> {
    statements.iter().map(|sql| verb(sql)).collect()
}

fn verb(sql: &str) -> &str {
    sql.split_whitespace().next().unwrap_or_default()
}

/// The first words of those that are about rows, and not about transactions nor about the schema, which is asked
/// for once on each connection.
#[must_use]
pub fn of_rows(statements: &[String]) -> Vec<&str> {
    let rows = statements.iter().filter(|sql| !is_of_schema(sql));
    rows.map(|sql| verb(sql))
        .filter(|verb| ["INSERT", "UPDATE", "DELETE", "SELECT"].contains(verb))
        .collect()
}

fn is_of_schema(sql: &str) -> bool {
    const CATALOGS: [&str; 5] = [
        "sqlite_master",
        "pragma_",
        "information_schema",
        "pg_",
        "@@",
    ];
    CATALOGS.iter().any(|catalog| sql.contains(catalog))
}

/// A SELECT that reads a row that was inserted: PostgreSQL gives it back with the INSERT.
pub const READ_BACK: &str = "a row is read back";

/// A SELECT that locks rows: on SQLite the whole database is locked by BEGIN.
pub const LOCK: &str = "rows are locked";

/// A SELECT that locks a row which was found: PostgreSQL locks it when it is looked for, because it locks nothing that
/// is not there.
pub const LOCK_FOUND: &str = "a row that was found is locked";

/// The first words of statements on the tests' database.
#[must_use]
pub fn sequence(verbs: &[&'static str]) -> Vec<&'static str> {
    let omitted: &[&str] = on(&[LOCK, LOCK_FOUND], &[READ_BACK, LOCK_FOUND], &[]);
    let sent = verbs.iter().filter(|verb| !omitted.contains(*verb));
    sent.map(|verb| match *verb {
        READ_BACK | LOCK | LOCK_FOUND => "SELECT",
        verb => verb,
    })
    .collect()
}

/// How many transactions Diesel has open.
///
/// # Panics
///
/// If Diesel has lost count.
pub fn depth(conn: &mut TestConnection) -> u32 {
    use diesel::connection::{Connection, TransactionManager};

    let status =
        <TestConnection as Connection>::TransactionManager::transaction_manager_status_mut(conn);
    let depth = status
        .transaction_depth()
        .expect("the transaction manager is in order");
    depth.map_or(0, u32::from)
}
