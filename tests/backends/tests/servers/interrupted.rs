//! A statement of a receiver that waits for a lock too long, or whose connection is dropped while it waits or runs: the error
//! says so, nothing of the operation is there, not even what the receiver wrote before, and a pool of one goes on.
//!
//! On SQLite there is one lock, for which the operation itself waits before it writes anything.

use std::thread;
use std::time::Duration;

use backends::{Database, TestConnection};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection};
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, Guard};

use crate::sessions::{depth, kill, number, on_mysql, on_postgres, on_sqlite, run, server_id};
use crate::teams::{
    self, NewTeam, Note, OPERATIONS, Operation, Setting, TOLD, Team, fill, snapshot,
};

diesel::table! { counters (id) { id -> Integer, hits -> Integer } }

type Connections = Pool<ConnectionManager<TestConnection>>;
type Pooled = PooledConnection<ConnectionManager<TestConnection>>;

/// The tables of the teams, and a row that somebody holds.
fn database() -> Database {
    let counters = "
        CREATE TABLE counters (id {key}, hits INTEGER NOT NULL);
        INSERT INTO counters (hits) VALUES (0);";
    Database::new(&format!("{}{counters}", teams::TABLES))
}

fn pool(database: &Database) -> Connections {
    Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_secs(20))
        .build(ConnectionManager::new(database.url()))
        .expect("a pool")
}

/// What receivers do: they write, and then wait for the row or for nothing at all.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stuck {
    Waiting,
    Running,
}

fn write_and_be_stuck(conn: &mut TestConnection, stuck: Stuck) -> QueryResult<()> {
    diesel::insert_into(teams::changes::table)
        .values(teams::changes::text.eq("before it was stuck"))
        .execute(conn)?;
    match stuck {
        Stuck::Waiting => diesel::update(counters::table)
            .set(counters::hits.eq(counters::hits + 1))
            .execute(conn)
            .map(drop),
        Stuck::Running => conn.batch_execute(match on_postgres() {
            true => "SELECT pg_sleep(600)",
            false => "SELECT sleep(600)",
        }),
    }
}

/// Has each operation with receivers be stuck in one of them.
fn connect_all(conn: &mut Pooled, stuck: Stuck) -> Vec<Guard> {
    macro_rules! connect {
        ($($event:ty),*) => {
            vec![$(
                conn.connect(move |_: &$event, conn: &mut TestConnection| write_and_be_stuck(conn, stuck))
                    .expect("connected")
            ),*]
        };
    }
    connect!(
        PostSave<Team>,
        PostSave<Setting>,
        PostSave<Note>,
        PostDelete<Team>,
        PostDelete<Note>
    )
}

/// Operations that call receivers.
fn heard() -> impl Iterator<Item = Operation> {
    OPERATIONS
        .into_iter()
        .filter(|it| it.name != "delete without hooks")
}

/// Runs an operation while somebody holds the row, and says what it came to; afterwards nothing of it is there and the
/// pool goes on.
fn be_stuck(
    database: &Database,
    operation: Operation,
    inside: bool,
    stuck: Stuck,
    prepare: impl FnOnce(&mut Pooled),
    interrupt: impl FnOnce(i64) + Send,
) -> Error {
    let place = format!("{} (in a transaction: {inside}), {stuck:?}", operation.name);
    let pool = pool(database);
    let mut holder = database.connect();
    let mut conn = pool.get().expect("the pool has one");
    let mut team = fill(&mut conn);
    let (before, as_it_was) = (snapshot(&mut conn), team.clone());
    TOLD.take();
    prepare(&mut conn);
    holder.batch_execute("BEGIN").expect("nothing is open");
    diesel::update(counters::table)
        .set(counters::hits.eq(7))
        .execute(&mut holder)
        .expect("nobody else holds it");
    let id = if on_sqlite() { 0 } else { server_id(&mut conn) };
    let guards = connect_all(&mut conn, stuck);
    let outcome = thread::scope(|scope| {
        scope.spawn(|| interrupt(id));
        match inside {
            false => (operation.run)(&mut conn, &mut team),
            true => conn.transaction(|conn| (operation.run)(conn, &mut team)),
        }
    });
    let error = outcome.expect_err(&place);
    drop(guards);
    holder.batch_execute("ROLLBACK").expect("it let go");
    assert_eq!(team, as_it_was, "{place}");
    assert_eq!(TOLD.take(), [""; 0], "{place}");
    assert!(matches!(depth(&mut conn), None | Some(0)), "{place}");
    assert_eq!(snapshot(&mut holder), before, "{place}: {error:?}");
    drop(conn);
    let mut conn = pool.get().expect("the pool goes on");
    let name = "next".into();
    Team::create(&mut conn, NewTeam { name }).expect("the pool goes on");
    assert_eq!(TOLD.take(), ["saved"], "{place}");
    error
}

/// A limit of how long a statement, or the wait for a lock, may take, and what the server says then.
struct Limit {
    set: &'static str,
    says: &'static str,
}

fn limits() -> [Limit; 2] {
    let limit = |set, says| Limit { set, says };
    if on_postgres() {
        return [
            limit("SET statement_timeout = 50", "due to statement timeout"),
            limit("SET lock_timeout = 50", "due to lock timeout"),
        ];
    }
    if on_mysql() {
        return [
            limit(
                "SET max_statement_time = 0.05",
                "max_statement_time exceeded",
            ),
            limit(
                "SET innodb_lock_wait_timeout = 0",
                "Lock wait timeout exceeded",
            ),
        ];
    }
    ["PRAGMA busy_timeout = 0", "PRAGMA busy_timeout = 20"]
        .map(|set| limit(set, "database is locked"))
}

#[test]
fn a_receiver_that_wrote_and_then_waited_too_long_leaves_nothing() {
    let database = database();
    let mut cases = 0;
    for operation in heard() {
        for inside in [false, true] {
            for Limit { set, says } in limits() {
                let prepare = |conn: &mut Pooled| conn.batch_execute(set).expect("a setting");
                let error = be_stuck(
                    &database,
                    operation,
                    inside,
                    Stuck::Waiting,
                    prepare,
                    |_| (),
                );
                let text = error.to_string();
                assert!(text.contains(says), "{}, {set}: {text}", operation.name);
                // Who sets another limit wants to hear of it.
                let conflict = says.starts_with("Lock wait") || on_sqlite();
                assert_eq!(
                    error.is_retryable(),
                    conflict,
                    "{}: {error:?}",
                    operation.name
                );
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 36);
}

/// Returns when that session's statement is stuck.
fn until_stuck(watcher: &mut TestConnection, id: i64, stuck: Stuck) {
    let is_stuck = match (on_postgres(), stuck) {
        (true, Stuck::Waiting) => format!(
            "(SELECT count(*) FROM pg_stat_activity WHERE pid = {id} AND wait_event_type = 'Lock')"
        ),
        (true, Stuck::Running) => format!(
            "(SELECT count(*) FROM pg_stat_activity WHERE pid = {id} AND wait_event = 'PgSleep')"
        ),
        // The table of InnoDB's transactions is not renewed for who looks often.
        (false, Stuck::Waiting) => format!(
            "(SELECT count(*) FROM information_schema.processlist, information_schema.global_status
                WHERE id = {id} AND info LIKE 'UPDATE%counters%'
                AND variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS' AND CAST(variable_value AS SIGNED) > 0)"
        ),
        (false, Stuck::Running) => format!(
            "(SELECT count(*) FROM information_schema.processlist WHERE id = {id} AND state = 'User sleep')"
        ),
    };
    while number(watcher, &is_stuck) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_connection_that_is_dropped_while_a_statement_waits_or_runs_leaves_nothing() {
    let database = database();
    let mut killer = database.connect();
    let cases = match on_sqlite() {
        // There is no server that could drop a connection: who waits is refused.
        true => vec![Stuck::Waiting],
        false => vec![Stuck::Waiting, Stuck::Running],
    };
    for stuck in cases {
        for operation in heard() {
            for inside in [false, true] {
                let prepare = |conn: &mut Pooled| run(conn, "PRAGMA busy_timeout = 20", "", "");
                let interrupt = |id| {
                    if !on_sqlite() {
                        until_stuck(&mut killer, id, stuck);
                        kill(&mut killer, id);
                    }
                };
                let error = be_stuck(&database, operation, inside, stuck, prepare, interrupt);
                let text = error.to_string().to_lowercase();
                let reasons = match on_sqlite() {
                    true => ["database is locked"; 3],
                    false => ["connection", "gone away", "transaction manager is broken"],
                };
                let is_clear = reasons.iter().any(|it| text.contains(it));
                assert!(is_clear, "{}, {stuck:?}: {text}", operation.name);
                assert_eq!(error.is_retryable(), on_sqlite(), "{error:?}");
            }
        }
    }
}
