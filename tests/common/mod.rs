//! What the tests share: a database for each, and a log of what receivers heard.
#![allow(dead_code, missing_docs, reason = "each test file uses a part of it")]

pub(crate) mod script;

use std::sync::Mutex;

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

/// What receivers heard, in order. Each test thread has its own, so that tests run in parallel.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<(std::thread::ThreadId, String)>>);

impl Log {
    pub(crate) const fn new() -> Self {
        Log(Mutex::new(Vec::new()))
    }

    pub(crate) fn push(&self, entry: impl Into<String>) {
        self.entries()
            .push((std::thread::current().id(), entry.into()));
    }

    pub(crate) fn take(&self) -> Vec<String> {
        let me = std::thread::current().id();
        let mut entries = self.entries();
        let (mine, others) = std::mem::take(&mut *entries)
            .into_iter()
            .partition(|(id, _)| *id == me);
        *entries = others;
        let mine: Vec<(_, String)> = mine;
        mine.into_iter().map(|(_, entry)| entry).collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<(std::thread::ThreadId, String)>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The statements that a connection runs, without those of transactions if they are not asked for.
pub(crate) fn statements<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> T,
) -> (T, Vec<String>) {
    use diesel::connection::InstrumentationEvent;
    use std::sync::Arc;

    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    diesel_hooks::set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let sql = text
                .split(" -- binds")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            sink.lock().expect("no test panics inside").push(sql);
        }
    });
    let value = work(conn);
    diesel_hooks::set_instrumentation(conn, |_: InstrumentationEvent<'_>| {});
    let seen = std::mem::take(&mut *seen.lock().expect("no test panics inside"));
    (value, seen)
}

/// The first word of each statement.
pub(crate) fn verbs(statements: &[String]) -> Vec<&str> {
    let first = |sql: &'_ String| sql.split_whitespace().next().unwrap_or_default().len();
    statements.iter().map(|sql| &sql[..first(sql)]).collect()
}

/// Those of the statements that are about rows, and not about transactions nor about the schema, which is
/// asked for once on each connection.
pub(crate) fn of_rows(statements: &[String]) -> Vec<&str> {
    let of_schema = |sql: &&String| sql.contains("sqlite_master") || sql.contains("pragma_");
    let others: Vec<_> = statements.iter().filter(|sql| !of_schema(sql)).collect();
    let first = |sql: &&'_ String| sql.split_whitespace().next().unwrap_or_default().len();
    let mut verbs: Vec<_> = others.iter().map(|sql| &sql[..first(sql)]).collect();
    verbs.retain(|verb| ["INSERT", "UPDATE", "DELETE", "SELECT"].contains(verb));
    verbs
}

/// The rows of a table in the order of its first column: their values as text, a NULL as `-`.
pub(crate) fn rows(conn: &mut SqliteConnection, table: &str) -> Vec<String> {
    use diesel::RunQueryDsl as _;

    #[derive(diesel::QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let columns = format!(
        "SELECT group_concat('ifnull(' || name || ', ''-'')', ' || '' '' || ') AS line FROM pragma_table_info('{table}')"
    );
    let columns: Line = diesel::sql_query(columns)
        .get_result(conn)
        .expect("there is such a table");
    let rows = format!("SELECT {} AS line FROM {table} ORDER BY 1", columns.line);
    let rows: Vec<Line> = diesel::sql_query(rows)
        .load(conn)
        .expect("rows can be read");
    rows.into_iter().map(|row| row.line).collect()
}

/// What a panic said.
pub(crate) fn panic_of<T>(work: impl FnOnce() -> T) -> String {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let panic = outcome.err().expect("it panics");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
    }
}

/// How many transactions Diesel has open.
pub(crate) fn depth(conn: &mut SqliteConnection) -> u32 {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};

    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    let depth = status
        .transaction_depth()
        .expect("the transaction manager is in order");
    depth.map_or(0, u32::from)
}
