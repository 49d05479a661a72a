//! A lock that is waited for in vain ends the statement or the transaction, as the server is set up; callbacks wait for
//! what was really committed.

use std::sync::atomic::{AtomicU32, Ordering};

use backends::{Database, TestConnection, count};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, retry};

use crate::sessions::{depth, on_postgres, on_sqlite, run};

const TABLES: &str = "
    CREATE TABLE tills (id {key}, coins INTEGER NOT NULL);
    CREATE TABLE receipts (id {key}, coins INTEGER NOT NULL);
    INSERT INTO tills (coins) VALUES (5);
";

diesel::table! { tills (id) { id -> Integer, coins -> Integer } }
diesel::table! { receipts (id) { id -> Integer, coins -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Till {
    id: i32,
    coins: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Receipt {
    id: i32,
    coins: i32,
}

static PRINTED: AtomicU32 = AtomicU32::new(0);

fn impatient(database: &Database) -> TestConnection {
    let mut conn = database.connect();
    run(
        &mut conn,
        "PRAGMA busy_timeout = 0",
        "SET lock_timeout = '1s'",
        "SET innodb_lock_wait_timeout = 1",
    );
    conn
}

/// Takes a coin while another holds the till.
fn take(conn: &mut TestConnection) -> QueryResult<()> {
    diesel::update(tills::table)
        .set(tills::coins.eq(tills::coins - 1))
        .execute(conn)
        .map(drop)
}

#[test]
fn a_callback_runs_if_and_only_if_what_was_written_before_is_there() {
    let database = Database::new(TABLES);
    let (mut conn, mut other) = (impatient(&database), database.connect());
    let (refused, ended) = other
        .transaction(|other| {
            take(other)?;
            let mut refused = Ok(());
            let ended = conn.transaction(|conn| {
                let written = Receipt::create(conn, NewReceipt { coins: 1 });
                conn.after_commit(|| {
                    PRINTED.fetch_add(1, Ordering::Relaxed);
                })?;
                refused = take(conn);
                written.map(drop)
            });
            Ok::<_, Error>((refused, ended))
        })
        .expect("nobody is in its way");
    assert!(refused.is_err());
    let written = count(&mut conn, "receipts");
    assert_eq!(
        i64::from(PRINTED.load(Ordering::Relaxed)),
        written,
        "{ended:?}"
    );
    assert_eq!(depth(&mut conn), Some(0));
}

#[test]
fn it_may_be_tried_again_until_the_lock_is_free() {
    let database = Database::new(TABLES);
    let (mut conn, mut other) = (impatient(&database), database.connect());
    let till = Till::get(&mut other, 1).expect("there");
    other.batch_execute("BEGIN").expect("begun");
    // SQLite waits before anything is run.
    let mut held = !on_sqlite() && take(&mut other).is_ok();
    let outcome: Result<(), Error> = retry(&mut conn, 5, |conn| {
        let receipt = Receipt::create(conn, NewReceipt { coins: 1 })?;
        let taken = take(conn);
        if std::mem::take(&mut held) {
            other.batch_execute("ROLLBACK")?;
        }
        taken?;
        Receipt::get(conn, receipt.id).map(drop)
    });
    // PostgreSQL's timeout is the application's own wish.
    let expected = if outcome.is_ok() {
        (1, till.coins - 1)
    } else {
        (0, till.coins)
    };
    let coins = Till::get(&mut conn, 1).expect("there").coins;
    assert_eq!(
        (count(&mut conn, "receipts"), coins),
        expected,
        "{outcome:?}"
    );
    assert_eq!(outcome.is_err(), on_postgres(), "{outcome:?}");
}
