//! A callback that fails or panics stops nobody, undoes nothing, and is reported.
//!
//! The failure handler is the process's, so that everything here is one test.
#![allow(missing_docs)]

mod common;

use std::error::Error as _;
use std::sync::Mutex;

use common::memory;
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel_hooks::failure::FailureReason;
use diesel_hooks::prelude::*;
use diesel_hooks::{Failure, set_failure_handler};

static REPORTED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn reported() -> Vec<String> {
    std::mem::take(&mut REPORTED.lock().expect("no test panics inside"))
}

fn ran() -> Vec<&'static str> {
    std::mem::take(&mut RAN.lock().expect("no test panics inside"))
}

fn run(name: &'static str) {
    RAN.lock().expect("no test panics inside").push(name);
}

fn keep(failure: &Failure) {
    let mut reported = REPORTED.lock().expect("no test panics inside");
    reported.push(failure.to_string());
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

fn register_all(conn: &mut SqliteConnection) -> diesel_hooks::Result<&'static str> {
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
    without_a_handler_failures_go_to_the_log();
    set_failure_handler(keep);
    the_committed_value_is_returned();
    outside_a_transaction_it_is_the_same();
    what_waits_for_a_rollback_may_fail_too();
    a_panic_while_a_callback_is_forgotten_is_contained();
    a_handler_that_panics_stops_nobody();
    set_failure_handler(keep);
    callbacks_left_behind_are_reported();
    a_logger_that_panics_after_the_commit_costs_no_callback();
    a_logger_that_panics_before_the_commit_runs_no_callback();
}

fn the_committed_value_is_returned() {
    let mut conn = memory("");
    let value = conn.transaction(register_all);
    assert_eq!(value.expect("it committed"), "committed");
    assert_eq!(ran(), ["first", "fail", "explode", "last"]);
    assert_eq!(reported(), FAILURES);
    let again = conn.transaction(|conn| conn.after_commit(|| run("again")));
    again.expect("the connection is in order");
    assert_eq!(ran(), ["again"]);
}

fn outside_a_transaction_it_is_the_same() {
    register_all(&mut memory("")).expect("all of them ran at once");
    assert_eq!(ran(), ["first", "fail", "explode", "last"]);
    assert_eq!(reported(), FAILURES);
}

fn what_waits_for_a_rollback_may_fail_too() {
    let outcome: QueryResult<()> = memory("").transaction(|conn| {
        conn.after_rollback(fail)?;
        conn.after_rollback(|| run("last"))?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert_eq!(
        outcome,
        Err(diesel::result::Error::RollbackTransaction),
        "the error is the application's"
    );
    assert_eq!(ran(), ["fail", "last"]);
    let [failure] = &reported()[..] else {
        panic!("one failed")
    };
    assert!(
        failure.starts_with("an after-rollback callback failed"),
        "{failure}"
    );
}

fn a_panic_while_a_callback_is_forgotten_is_contained() {
    let grenade = Grenade;
    let outcome: QueryResult<()> = memory("").transaction(|conn| {
        conn.after_commit(move || drop(grenade))?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(outcome.is_err());
    assert_eq!(reported(), ["an after-commit callback panicked: dropped"]);
}

fn a_handler_that_panics_stops_nobody() {
    set_failure_handler(|_| panic!("in the handler"));
    memory("").transaction(register_all).expect("it committed");
    assert_eq!(ran(), ["first", "fail", "explode", "last"]);
}

fn callbacks_left_behind_are_reported() {
    let mut conn = memory("");
    conn.batch_execute("CREATE TABLE t (id INTEGER)")
        .expect("SQL");
    let begin = |conn: &mut SqliteConnection| {
        use diesel::connection::{AnsiTransactionManager, TransactionManager};
        AnsiTransactionManager::begin_transaction(conn).expect("a transaction");
        conn.after_commit(|| run("never")).expect("a transaction");
        conn.after_commit(|| run("never")).expect("a transaction");
        conn.after_rollback(|| run("never")).expect("a transaction");
    };
    begin(&mut conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    assert_eq!(reported().len(), 2, "its instrumentation was replaced");

    let mut conn = memory("");
    begin(&mut conn);
    drop(conn);
    let [commit, rollback] = &reported()[..] else {
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

    let mut conn = memory("");
    conn.begin_test_transaction().expect("a transaction");
    conn.after_commit(|| run("never")).expect("a transaction");
    drop(conn);
    assert!(reported().is_empty(), "a test transaction never commits");
    assert!(ran().is_empty());
}

fn logger(
    panics_at: fn(&InstrumentationEvent<'_>) -> bool,
) -> impl FnMut(InstrumentationEvent<'_>) {
    move |event| assert!(!panics_at(&event), "in the logger")
}

fn a_logger_that_panics_after_the_commit_costs_no_callback() {
    let finished: fn(&InstrumentationEvent<'_>) -> bool = |event| matches!(event, InstrumentationEvent::FinishQuery { query, .. } if query.to_string() == "COMMIT");
    let mut conn = memory("");
    diesel_hooks::set_instrumentation(&mut conn, logger(finished));
    let committing =
        std::panic::AssertUnwindSafe(|| conn.transaction(|conn| conn.after_commit(|| run("it"))));
    std::panic::catch_unwind(committing).expect_err("the logger's panic goes on");
    assert_eq!(ran(), ["it"]);
}

fn a_logger_that_panics_before_the_commit_runs_no_callback() {
    let before: [fn(&InstrumentationEvent<'_>) -> bool; 2] = [
        |event| matches!(event, InstrumentationEvent::CommitTransaction { .. }),
        |event| matches!(event, InstrumentationEvent::StartQuery { query, .. } if query.to_string() == "COMMIT"),
    ];
    for panics_at in before {
        let mut conn = memory("");
        diesel_hooks::set_instrumentation(&mut conn, logger(panics_at));
        let committing = std::panic::AssertUnwindSafe(|| {
            conn.transaction(|conn| conn.after_commit(|| run("it")))
        });
        std::panic::catch_unwind(committing).expect_err("the logger's panic goes on");
        diesel::sql_query("SELECT 1")
            .execute(&mut conn)
            .expect("the transaction is open");
        assert!(ran().is_empty(), "a statement is not the COMMIT");
    }
    reported();
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
            let mut reported = REPORTED.lock().expect("no test panics inside");
            reported.push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn without_a_handler_failures_go_to_the_log() {
    log::set_logger(&Logger).expect("no other logger is set");
    log::set_max_level(log::LevelFilter::Error);
    memory("").transaction(register_all).expect("it committed");
    assert_eq!(reported(), FAILURES);
    assert_eq!(ran(), ["first", "fail", "explode", "last"]);
    log::set_max_level(log::LevelFilter::Off);
}
