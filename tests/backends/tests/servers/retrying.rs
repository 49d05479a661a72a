//! A transaction runs again where others were in its way, and what waits for its commit runs once.

use std::cell::{Cell, RefCell};
use std::error::Error as StdError;
use std::fmt;
use std::process::{Child, Command, Stdio};

use backends::{Database, TestConnection};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, retry};

use crate::sessions;
use crate::sessions::{careful, connect, depth, levels, on_mysql, on_postgres, on_sqlite};

const TABLES: &str = "
    CREATE TABLE accounts (id {key}, balance INTEGER NOT NULL);
    CREATE TABLE transfers (id {key}, amount INTEGER NOT NULL);
";

diesel::table! { accounts (id) { id -> Integer, balance -> Integer } }
diesel::table! { transfers (id) { id -> Integer, amount -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Account {
    id: i32,
    balance: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Transfer {
    id: i32,
    amount: i32,
}

thread_local! {
    static SENT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn send(what: String) {
    SENT.with_borrow_mut(|sent| sent.push(what));
}

#[receiver(after_commit)]
fn tell(event: &PostCreate<Transfer>) {
    send(format!("{} went", event.instance.amount));
}

#[receiver(after_rollback)]
fn take_back(event: &PostCreate<Transfer>) {
    send(format!("{} did not go", event.instance.amount));
}

/// An application's own.
#[derive(Debug)]
enum TransferError {
    TooMuch,
    Hooks(Error),
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no transfer")
    }
}

impl StdError for TransferError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            TransferError::TooMuch => None,
            TransferError::Hooks(error) => Some(error),
        }
    }
}

impl From<Error> for TransferError {
    fn from(error: Error) -> Self {
        TransferError::Hooks(error)
    }
}

/// Two accounts, and connections to them.
fn accounts() -> (Database, TestConnection, TestConnection) {
    let (database, mut conn) = Database::open(TABLES);
    for _ in 0..2 {
        Account::create(&mut conn, NewAccount { balance: 100 }).expect("created");
    }
    let (conn, other) = (careful(&database), careful(&database));
    (database, conn, other)
}

fn add(conn: &mut TestConnection, id: i32, amount: i32) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set(accounts::balance.eq(accounts::balance + amount))
        .execute(conn)
        .map(drop)
}

fn balances(conn: &mut TestConnection) -> Vec<i32> {
    let balances = accounts::table
        .order(accounts::id)
        .select(accounts::balance);
    balances.load(conn).expect("accounts can be read")
}

/// On SQLite, where a transaction that writes is alone, it is another that is refused.
fn meet(conn: &mut TestConnection, other: &mut TestConnection) -> QueryResult<()> {
    balances(conn);
    add(other, 1, 1)?;
    add(conn, 1, 1)
}

#[test]
fn it_runs_again_until_it_is_committed_and_callbacks_run_once() {
    let (_database, mut conn, mut other) = accounts();
    let attempts = Cell::new(0);
    let value = retry(&mut conn, 5, |conn| {
        attempts.set(attempts.get() + 1);
        let amount = attempts.get();
        Transfer::create(conn, NewTransfer { amount })?;
        conn.after_commit(move || send(format!("committed {amount}")))?;
        if amount < 3 {
            meet(conn, &mut other)?;
        }
        Ok::<_, Error>(amount)
    });
    assert_eq!(value.expect("the third is not in anybody's way"), 3);
    let told = ["1 did not go", "2 did not go", "3 went", "committed 3"];
    assert_eq!(SENT.take(), told);
    let amounts = transfers::table.select(transfers::amount).load(&mut conn);
    assert_eq!(amounts, Ok(vec![3]));
    assert_eq!(depth(&mut conn), Some(0));
}

#[test]
fn after_the_last_attempt_its_error_is_returned() {
    let (_database, mut conn, mut other) = accounts();
    for (attempts, expected) in [(0, 1), (1, 1), (3, 3)] {
        let mut runs = 0;
        let before = balances(&mut conn)[0];
        let outcome = retry(&mut conn, attempts, |conn| {
            runs += 1;
            Transfer::create(conn, NewTransfer { amount: runs })?;
            meet(conn, &mut other).map_err(Error::from)
        });
        let error = outcome.expect_err("somebody is always in its way");
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(runs, expected);
        // What is there, the other one wrote.
        let others = if on_sqlite() { 0 } else { expected };
        assert_eq!(balances(&mut conn)[0], before + others);
        assert_eq!(transfers::table.count().get_result(&mut conn), Ok(0_i64));
        assert_eq!(depth(&mut conn), Some(0));
    }
}

#[test]
fn what_will_come_again_is_returned_at_once_and_as_it_was() {
    let (_database, mut conn, _) = accounts();
    let mut runs = 0;
    let outcome: Result<(), TransferError> = retry(&mut conn, 5, |conn| {
        runs += 1;
        add(conn, 1, -200).map_err(Error::from)?;
        match balances(conn)[0] {
            ..0 => Err(TransferError::TooMuch),
            _ => Ok(()),
        }
    });
    assert!(matches!(outcome, Err(TransferError::TooMuch)));
    let outcome: QueryResult<()> = retry(&mut conn, 5, |_| {
        runs += 1;
        Err(DieselError::NotFound)
    });
    assert_eq!(outcome, Err(DieselError::NotFound));
    let outcome = retry(&mut conn, 5, |conn| {
        runs += 1;
        Account::get(conn, 99).map(drop)
    });
    assert!(matches!(outcome, Err(Error::NotFound { .. })));
    assert_eq!((runs, balances(&mut conn)), (3, vec![100, 100]));
}

#[test]
fn an_applications_own_error_is_looked_through() {
    let (_database, mut conn, mut other) = accounts();
    let mut runs = 0;
    let outcome = retry(&mut conn, 5, |conn| {
        runs += 1;
        if runs == 1 {
            meet(conn, &mut other).map_err(Error::from)?;
        }
        Ok::<_, TransferError>(())
    });
    assert!(outcome.is_ok() && runs == 2, "{outcome:?}");
    let outcome: QueryResult<()> = retry(&mut conn, 5, |conn| {
        runs += 1;
        if runs == 3 {
            meet(conn, &mut other)?;
        }
        Ok(())
    });
    assert!(outcome.is_ok() && runs == 4, "{outcome:?}");
}

#[test]
fn inside_a_transaction_it_is_refused_and_in_a_test_transaction_it_runs_once() {
    let (_database, mut conn, _) = accounts();
    let refused = conn.transaction(|conn| {
        retry(conn, 5, |_| -> diesel_hooks::Result {
            panic!("it could not be run again")
        })
    });
    let error = refused.expect_err("a transaction is open");
    assert!(matches!(error, Error::RetryInTransaction));
    assert!(error.to_string().contains("outside of any transaction"));

    conn.begin_test_transaction().expect("nothing is open");
    let mut runs = 0;
    let outcome: QueryResult<()> = retry(&mut conn, 5, |conn| {
        runs += 1;
        add(conn, 1, 1)?;
        Err(conflict())
    });
    assert_eq!((outcome, runs), (Err(conflict()), 1));
    retry(&mut conn, 5, |conn| add(conn, 2, 1)).expect("it runs in a savepoint");
    assert_eq!(balances(&mut conn), [100, 101]);
}

fn conflict() -> DieselError {
    let kind = diesel::result::DatabaseErrorKind::SerializationFailure;
    DieselError::DatabaseError(kind, Box::new("as if".to_owned()))
}

#[test]
fn what_work_committed_itself_is_not_done_again() {
    // DDL commits on MariaDB alone.
    let ends = if on_mysql() {
        "CREATE TABLE more (id INTEGER)"
    } else {
        "COMMIT"
    };
    for end in ["COMMIT", ends] {
        let (_database, mut conn, _) = accounts();
        let mut runs = 0;
        let outcome: Result<(), Error> = retry(&mut conn, 5, |conn| {
            runs += 1;
            add(conn, 1, 1)?;
            conn.batch_execute(end)?;
            Err(conflict().into())
        });
        let lost = matches!(outcome, Err(Error::TransactionLost { .. }));
        assert_eq!(
            (lost, runs, balances(&mut conn)[0]),
            (true, 1, 101),
            "{end}"
        );
    }
}

#[test]
fn nor_if_the_next_transaction_met_another() {
    let ends = if on_mysql() {
        "CREATE TABLE more (id INTEGER)"
    } else {
        "COMMIT"
    };
    let (database, mut conn, mut other) = accounts();
    let mut runs = 0;
    let outcome: Result<(), Error> = retry(&mut conn, 5, |conn| {
        runs += 1;
        add(conn, 2, 1)?;
        conn.batch_execute(ends)?;
        conn.batch_execute("BEGIN")?;
        meet(conn, &mut other)?;
        Err(conflict().into())
    });
    let lost = matches!(outcome, Err(Error::TransactionLost { .. }));
    assert_eq!(
        (lost, runs, balances(&mut database.connect())[1]),
        (true, 1, 101)
    );
}

#[test]
fn nor_what_was_written_after_a_conflict_that_was_swallowed() {
    let (_database, mut conn, mut other) = accounts();
    let mut runs = 0;
    let outcome: Result<(), Error> = retry(&mut conn, 5, |conn| {
        runs += 1;
        if meet(conn, &mut other).is_ok() {
            add(conn, 2, 1)?;
        } else {
            // On PostgreSQL nothing is answered any more.
            let _ = add(conn, 2, 1);
        }
        Err(conflict().into())
    });
    assert!(outcome.is_err_and(|it| it.is_retryable()));
    // On MariaDB it was written by itself; elsewhere each attempt was rolled back.
    let expected = if on_mysql() { (1, 101) } else { (5, 100) };
    assert_eq!((runs, balances(&mut conn)[1]), expected);
}

#[test]
fn a_panic_in_it_rolls_back_and_goes_on() {
    let (_database, mut conn, _) = accounts();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        retry(&mut conn, 5, |conn| -> QueryResult<()> {
            add(conn, 1, 1)?;
            panic!("in the application")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(balances(&mut conn), [100, 100]);
    retry(&mut conn, 5, |conn| add(conn, 1, 1)).expect("the connection is usable");
}

/// Moves money there and back between the accounts.
fn transfer(conn: &mut TestConnection, times: i32) {
    for number in 0..times {
        let (from, to) = if number % 2 == 0 { (1, 2) } else { (2, 1) };
        retry(conn, 1_000, |conn| {
            Account::get(conn, from)?.update(conn, |it| it.balance -= 1)?;
            Account::get(conn, to)?.update(conn, |it| it.balance += 1)?;
            Transfer::create(conn, NewTransfer { amount: 1 }).map(drop)
        })
        .expect("one of a thousand attempts is committed");
    }
}

#[test]
fn of_threads_that_transfer_at_once_each_gets_through() {
    for level in levels() {
        let (database, mut conn, _) = accounts();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut conn = match *level {
                        // Elsewhere one overwrites what the other wrote, which the application has to prevent.
                        "SERIALIZABLE" => connect(&database, level),
                        _ => careful(&database),
                    };
                    transfer(&mut conn, 10);
                    assert_eq!(SENT.take().iter().filter(|it| *it == "1 went").count(), 10);
                });
            }
        });
        assert_eq!(balances(&mut conn), [100, 100]);
        assert_eq!(transfers::table.count().get_result(&mut conn), Ok(30_i64));
    }
}

const CHILD: &str = "DIESEL_HOOKS_CHILD";

/// Runs one of these tests in a process of its own, on this database.
fn spawn(test: &str, database: &Database) -> Child {
    let program = std::env::current_exe().expect("a test is a program");
    Command::new(program)
        .args(["--exact", &format!("retrying::{test}")])
        .env(CHILD, database.url())
        // Its report is not this one's.
        .stdout(Stdio::null())
        .spawn()
        .expect("the program runs")
}

/// In such a process, a connection to the database.
fn as_child() -> Option<TestConnection> {
    let url = std::env::var(CHILD).ok()?;
    let mut conn = TestConnection::establish(&url).expect("the parent has it open");
    sessions::run(
        &mut conn,
        "PRAGMA busy_timeout = 0",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    );
    Some(conn)
}

#[test]
fn of_processes_that_transfer_at_once_each_gets_through() {
    if let Some(mut conn) = as_child() {
        return transfer(&mut conn, 20);
    }
    let (database, mut conn, _) = accounts();
    let name = "of_processes_that_transfer_at_once_each_gets_through";
    let children = [(); 3].map(|()| spawn(name, &database));
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    assert_eq!(balances(&mut conn), [100, 100]);
    assert_eq!(transfers::table.count().get_result(&mut conn), Ok(60_i64));
}

#[test]
fn what_another_process_holds_may_be_tried_again() {
    let name = "what_another_process_holds_may_be_tried_again";
    if let Some(mut conn) = as_child() {
        sessions::run(&mut conn, "", "", "SET innodb_lock_wait_timeout = 1");
        let error = conn
            .transaction(|conn| Account::get(conn, 1)?.update(conn, |it| it.balance += 1))
            .expect_err("the parent wrote it");
        assert!(error.is_retryable(), "{error:?}");
        return;
    }
    let (database, mut conn, _) = accounts();
    let child = conn.transaction(|conn| {
        add(conn, 1, 1)?;
        let mut child = spawn(name, &database);
        if on_postgres() {
            // There it is refused when the parent has committed.
            sessions::until_one_waits(&mut database.connect());
        } else {
            child.wait().expect("it ends");
        }
        QueryResult::Ok(child)
    });
    let ended = child.expect("the parent goes on").wait();
    assert!(ended.expect("it ends").success());
    assert_eq!(balances(&mut conn), [101, 100]);
}
