//! A callback that fails or panics stops nobody, undoes nothing, and is reported.
//!
//! The failure handler and the log are the process's, so that everything here is one test.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backends::{Database, Log, TestConnection, Transactions};
use diesel::connection::{InstrumentationEvent, TransactionManager};
use diesel::prelude::*;
use diesel_hooks::failure::FailureReason;
use diesel_hooks::prelude::*;
use diesel_hooks::{Failure, set_failure_handler};

/// What this thread's callbacks were reported for, and which of them ran.
static REPORTED: Log = Log::new();
static RAN: Log = Log::new();

fn run(name: &str) {
    RAN.push(name);
}

fn keep(failure: &Failure) {
    REPORTED.push(failure.to_string());
    assert_eq!(
        failure.source().is_some(),
        matches!(failure.reason, FailureReason::Error(_)),
        "the application's error is kept"
    );
}

fn explode() {
    run("explode");
    panic!("no {}", "paper");
}

fn explode_plainly() {
    panic!("no ink");
}

fn fail() -> Result<(), std::fmt::Error> {
    run("fail");
    Err(std::fmt::Error)
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

fn register_all(conn: &mut TestConnection) -> diesel_hooks::Result<&'static str> {
    conn.after_commit(|| run("first"))?;
    conn.after_commit(fail)?;
    conn.after_commit(explode)?;
    conn.after_commit(explode_plainly)?;
    conn.after_commit(|| run("last"))?;
    Ok("committed")
}

const FAILURES: [&str; 3] = [
    "an after-commit callback failed: an error occurred when formatting an argument",
    "an after-commit callback panicked: no paper",
    "an after-commit callback panicked: no ink",
];

#[test]
fn every_other_callback_runs_and_each_failure_is_reported() {
    let database = Database::new("");
    without_a_handler_failures_go_to_the_log(&database);
    set_failure_handler(keep);
    the_committed_value_is_returned(&database);
    outside_a_transaction_it_is_the_same(&database);
    what_waits_for_a_rollback_may_fail_too(&database);
    a_panic_while_a_callback_is_forgotten_is_contained(&database);
    a_handler_that_panics_stops_nobody(&database);
    set_failure_handler(keep);
    callbacks_left_behind_are_reported(&database);
    a_logger_that_panics_after_the_commit_costs_no_callback(&database);
    a_logger_that_panics_before_the_commit_runs_no_callback(&database);
}

fn the_committed_value_is_returned(database: &Database) {
    let mut conn = database.connect();
    let value = conn.transaction(register_all);
    assert_eq!(value.expect("it committed"), "committed");
    assert_eq!(RAN.take(), ["first", "fail", "explode", "last"]);
    assert_eq!(REPORTED.take(), FAILURES);
    let again = conn.transaction(|conn| conn.after_commit(|| run("again")));
    again.expect("the connection is in order");
    assert_eq!(RAN.take(), ["again"]);
}

fn outside_a_transaction_it_is_the_same(database: &Database) {
    register_all(&mut database.connect()).expect("all of them ran at once");
    assert_eq!(RAN.take(), ["first", "fail", "explode", "last"]);
    assert_eq!(REPORTED.take(), FAILURES);
}

fn what_waits_for_a_rollback_may_fail_too(database: &Database) {
    let outcome: QueryResult<()> = database.connect().transaction(|conn| {
        conn.after_rollback(fail)?;
        conn.after_rollback(|| run("last"))?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert_eq!(
        outcome,
        Err(diesel::result::Error::RollbackTransaction),
        "the error is the application's"
    );
    assert_eq!(RAN.take(), ["fail", "last"]);
    let [failure] = &REPORTED.take()[..] else {
        panic!("one failed")
    };
    assert!(
        failure.starts_with("an after-rollback callback failed"),
        "{failure}"
    );
}

fn a_panic_while_a_callback_is_forgotten_is_contained(database: &Database) {
    let grenade = Grenade;
    let outcome: QueryResult<()> = database.connect().transaction(|conn| {
        conn.after_commit(move || drop(grenade))?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(outcome.is_err());
    assert_eq!(
        REPORTED.take(),
        ["an after-commit callback panicked: dropped"]
    );
}

fn a_handler_that_panics_stops_nobody(database: &Database) {
    set_failure_handler(|_| panic!("in the handler"));
    database
        .connect()
        .transaction(register_all)
        .expect("it committed");
    assert_eq!(RAN.take(), ["first", "fail", "explode", "last"]);
}

fn callbacks_left_behind_are_reported(database: &Database) {
    let mut conn = database.connect();
    let begin = |conn: &mut TestConnection| {
        Transactions::begin_transaction(conn).expect("a transaction");
        conn.after_commit(|| run("never")).expect("a transaction");
        conn.after_commit(|| run("never")).expect("a transaction");
        conn.after_rollback(|| run("never")).expect("a transaction");
    };
    begin(&mut conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    assert_eq!(REPORTED.take().len(), 2, "its instrumentation was replaced");

    let mut conn = database.connect();
    begin(&mut conn);
    drop(conn);
    let [commit, rollback] = &REPORTED.take()[..] else {
        panic!("one for each kind")
    };
    assert!(
        commit.starts_with("2 after-commit callbacks never ran"),
        "{commit}"
    );
    assert!(
        rollback.starts_with("1 after-rollback callbacks never ran"),
        "{rollback}"
    );

    let mut conn = database.connect();
    conn.begin_test_transaction().expect("a transaction");
    conn.after_commit(|| run("never")).expect("a transaction");
    drop(conn);
    assert!(
        REPORTED.take().is_empty(),
        "a test transaction never commits"
    );
    assert!(RAN.take().is_empty());
}

fn logger(
    panics_at: fn(&InstrumentationEvent<'_>) -> bool,
) -> impl FnMut(InstrumentationEvent<'_>) {
    move |event| assert!(!panics_at(&event), "in the logger")
}

fn a_logger_that_panics_after_the_commit_costs_no_callback(database: &Database) {
    let finished: fn(&InstrumentationEvent<'_>) -> bool = |event| matches!(event, InstrumentationEvent::FinishQuery { query, .. } if query.to_string() == "COMMIT");
    let mut conn = database.connect();
    diesel_hooks::set_instrumentation(&mut conn, logger(finished));
    let committing = AssertUnwindSafe(|| conn.transaction(|conn| conn.after_commit(|| run("it"))));
    catch_unwind(committing).expect_err("the logger's panic goes on");
    assert_eq!(RAN.take(), ["it"]);
}

fn a_logger_that_panics_before_the_commit_runs_no_callback(database: &Database) {
    let before: [fn(&InstrumentationEvent<'_>) -> bool; 2] = [
        |event| matches!(event, InstrumentationEvent::CommitTransaction { .. }),
        |event| matches!(event, InstrumentationEvent::StartQuery { query, .. } if query.to_string() == "COMMIT"),
    ];
    for panics_at in before {
        let mut conn = database.connect();
        diesel_hooks::set_instrumentation(&mut conn, logger(panics_at));
        let committing =
            AssertUnwindSafe(|| conn.transaction(|conn| conn.after_commit(|| run("it"))));
        catch_unwind(committing).expect_err("the logger's panic goes on");
        diesel::sql_query("SELECT 1")
            .execute(&mut conn)
            .expect("the transaction is open");
        assert!(RAN.take().is_empty(), "a statement is not the COMMIT");
    }
    REPORTED.take();
}

/// Keeps what the `log` crate is told.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target().starts_with("diesel_hooks") {
            assert_eq!(record.level(), log::Level::Error);
            REPORTED.push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn without_a_handler_failures_go_to_the_log(database: &Database) {
    log::set_logger(&Logger).expect("no other logger is set");
    log::set_max_level(log::LevelFilter::Error);
    database
        .connect()
        .transaction(register_all)
        .expect("it committed");
    assert_eq!(REPORTED.take(), FAILURES);
    assert_eq!(RAN.take(), ["first", "fail", "explode", "last"]);
    log::set_max_level(log::LevelFilter::Off);
}
