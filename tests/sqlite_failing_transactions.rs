//! What waits for a COMMIT does not run if the transaction ends in any other way that SQLite has: a trigger's `RAISE(ROLLBACK)`,
//! a savepoint that is gone, a full disk.
#![allow(missing_docs)]

mod common;
#[path = "backends/tests/desk/mod.rs"]
mod desk;

use common::depth;
use desk::{Desk, done, orders};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;

#[test]
fn a_commit_that_fails_runs_nothing_but_what_waits_for_a_rollback() {
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| {
        desk.order(conn, "unpaid")?;
        conn.batch_execute("INSERT INTO debts VALUES (99)")?;
        done()
    });
    assert!(outcome.is_err(), "the deferred foreign key fails at COMMIT");
    assert_eq!(depth(&mut conn), 0);
    assert_eq!(desk.log(), ["undo unpaid, 0 left"]);
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(desk.log(), ["next sees 1"]);
}

#[test]
fn a_release_that_fails_leaves_the_callbacks_to_the_rollback_that_follows() {
    let (desk, mut conn) = Desk::new();
    AnsiTransactionManager::begin_transaction(&mut conn).expect("a transaction");
    desk.order(&mut conn, "outer").expect("an order");
    AnsiTransactionManager::begin_transaction(&mut conn).expect("a savepoint");
    desk.order(&mut conn, "inner").expect("an order");
    conn.batch_execute("ROLLBACK TO diesel_savepoint_1; RELEASE diesel_savepoint_1")
        .expect("the savepoint is there");
    AnsiTransactionManager::commit_transaction(&mut conn).expect_err("the savepoint is gone");
    AnsiTransactionManager::rollback_transaction(&mut conn).expect_err("for this too");
    assert_eq!(desk.log(), ["undo inner, 0 left"]);
    AnsiTransactionManager::commit_transaction(&mut conn).expect("it commits");
    assert_eq!(desk.log(), ["outer sees 1"]);
}

#[test]
fn a_begin_that_fails_opens_nothing() {
    let (desk, mut conn) = Desk::new();
    conn.batch_execute("BEGIN")
        .expect("a transaction that Diesel knows nothing of");
    AnsiTransactionManager::begin_transaction(&mut conn).expect_err("one is open already");
    conn.batch_execute("ROLLBACK").expect("it is open");
    desk.after_commit(&mut conn, "at once")
        .expect("no transaction is open");
    assert_eq!(desk.log(), ["at once sees 0"]);
}

#[test]
fn a_transaction_that_the_database_ended_runs_nothing_that_waits_for_its_commit() {
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| {
        desk.order(conn, "lost")?;
        diesel::insert_into(orders::table)
            .values(orders::item.eq("fatal"))
            .execute(conn)
            .expect_err("the trigger ends the transaction");
        done()
    });
    assert!(outcome.is_err(), "there is nothing to commit");
    assert_eq!(depth(&mut conn), 0);
    assert_eq!(desk.log(), ["undo lost, 0 left"]);
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(desk.log(), ["next sees 1"]);
}

#[test]
fn a_database_that_ends_the_transaction_inside_a_savepoint_ends_all_of_it() {
    let (desk, mut conn) = Desk::new();
    let outcome = conn.transaction(|conn| {
        desk.order(conn, "outer")?;
        let inner = conn.transaction(|conn| {
            desk.order(conn, "inner")?;
            desk.order(conn, "fatal")
        });
        assert!(inner.is_err());
        done()
    });
    assert!(outcome.is_err(), "there is nothing to commit");
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(
        desk.log(),
        ["undo inner, 0 left", "undo outer, 0 left", "next sees 1"],
        "at the latest when the next transaction begins"
    );
}

#[test]
fn a_full_disk_runs_nothing_that_waits_for_the_commit() {
    let (desk, mut conn) = Desk::new();
    conn.batch_execute("PRAGMA max_page_count = 8")
        .expect("a small disk");
    let outcome = conn.transaction(|conn| {
        desk.order(conn, "small")?;
        desk.order(conn, &"large ".repeat(10_000))
    });
    assert!(outcome.is_err(), "there is no room");
    assert_eq!(desk.log(), ["undo small, 0 left"]);
    assert_eq!(desk.visible(), 0);
}

#[test]
fn a_transaction_ended_by_sql_of_the_application_runs_nothing_that_waits_for_its_commit() {
    for sql in ["ROLLBACK", "COMMIT"] {
        let (desk, mut conn) = Desk::new();
        let outcome = conn.transaction(|conn| {
            desk.after_commit(conn, sql)?;
            conn.batch_execute(sql)?;
            done()
        });
        assert!(outcome.is_err(), "there is nothing to commit after {sql}");
        conn.transaction(|conn| desk.order(conn, "next"))
            .expect("it commits");
        assert_eq!(desk.log(), ["next sees 1"]);
    }
}
