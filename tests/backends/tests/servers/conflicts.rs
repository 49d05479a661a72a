//! Errors that others caused at the same time are told from those that will come again.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Barrier;

use backends::{Database, TestConnection};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::sessions::{careful, connect, on_mysql, on_postgres, on_sqlite, run};

const TABLES: &str = "
    CREATE TABLE accounts (id {key}, balance INTEGER NOT NULL);
    CREATE TABLE orders (id {key}, account_id INTEGER NOT NULL UNIQUE);
";

diesel::table! { accounts (id) { id -> Integer, balance -> Integer } }
diesel::table! { orders (id) { id -> Integer, account_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Account {
    id: i32,
    balance: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Order {
    id: i32,
    account_id: i32,
}

/// As an application wraps what it was told.
#[derive(Debug)]
struct ChargeError(diesel::result::Error);

impl fmt::Display for ChargeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the account was not charged")
    }
}

impl StdError for ChargeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[receiver]
fn charge(event: &PostCreate<Order>, conn: &mut TestConnection) -> Result<(), ChargeError> {
    add(conn, By::Diesel, event.instance.account_id).map_err(|error| ChargeError(error.into()))
}

/// How a statement gets to the database.
#[derive(Clone, Copy, Debug)]
enum By {
    Operation,
    Diesel,
    Text,
}

fn add(conn: &mut TestConnection, by: By, id: i32) -> diesel_hooks::Result {
    match by {
        By::Operation => Account::get(conn, id)?.update(conn, |it| it.balance += 1),
        By::Diesel => Ok(diesel::update(accounts::table.find(id))
            .set(accounts::balance.eq(accounts::balance + 1))
            .execute(conn)
            .map(drop)?),
        By::Text => {
            let sql = format!("UPDATE accounts SET balance = balance + 1 WHERE id = {id}");
            Ok(conn.batch_execute(&sql)?)
        }
    }
}

fn balance(conn: &mut TestConnection, id: i32) -> i32 {
    let account = accounts::table.find(id).select(accounts::balance);
    account.get_result(conn).expect("the account is there")
}

fn accounts() -> Database {
    let (database, mut conn) = Database::open(TABLES);
    for _ in 0..2 {
        Account::create(&mut conn, NewAccount { balance: 0 }).expect("created");
    }
    database
}

#[test]
fn of_two_that_wait_for_each_other_one_may_try_again() {
    for by in [By::Operation, By::Diesel, By::Text] {
        let database = accounts();
        let both_hold_one = Barrier::new(2);
        let cross = |first, second| {
            let mut conn = connect(&database, "READ COMMITTED");
            conn.transaction(|conn| {
                if on_sqlite() {
                    // Only one can hold anything; both read, and want to write then.
                    balance(conn, first);
                } else {
                    add(conn, by, first)?;
                }
                both_hold_one.wait();
                add(conn, by, second)?;
                if on_sqlite() {
                    both_hold_one.wait();
                }
                Ok::<_, Error>(())
            })
            .inspect_err(|_| {
                if on_sqlite() {
                    both_hold_one.wait();
                }
            })
        };
        let outcomes = std::thread::scope(|scope| {
            let other = scope.spawn(|| cross(2, 1));
            [cross(1, 2), other.join().expect("no panic")]
        });
        let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        let [error] = &failed[..] else {
            panic!("{by:?}: {failed:?}");
        };
        assert!(error.is_retryable(), "{by:?}: {error:?}");
    }
}

#[test]
fn after_a_deadlock_that_is_swallowed_nothing_is_written_by_itself() {
    let database = accounts();
    let both_hold_one = Barrier::new(2);
    let cross = |first, second| {
        let mut conn = connect(&database, "READ COMMITTED");
        let mut swallowed = false;
        let ended = conn.transaction(|conn| {
            match on_sqlite() {
                true => drop(balance(conn, first)),
                false => add(conn, By::Operation, first)?,
            }
            both_hold_one.wait();
            swallowed = add(conn, By::Operation, second).is_err();
            if swallowed {
                drop(
                    diesel::insert_into(orders::table)
                        .values(orders::account_id.eq(second))
                        .execute(conn),
                );
            }
            if on_sqlite() {
                both_hold_one.wait();
            }
            Ok::<_, Error>(())
        });
        // On SQLite the transaction goes on after a statement that was busy.
        assert!(swallowed || ended.is_ok(), "{ended:?}");
        swallowed
    };
    let swallowed = std::thread::scope(|scope| {
        let other = scope.spawn(|| cross(2, 1));
        [cross(1, 2), other.join().expect("no panic")]
    });
    assert_eq!(swallowed.into_iter().filter(|it| *it).count(), 1);
    assert_eq!(backends::count(&mut database.connect(), "orders"), 0);
}

#[test]
fn who_waited_for_a_lock_in_vain_may_try_again_but_for_the_limit_of_postgresql() {
    let database = accounts();
    let (mut holder, mut conn) = (database.connect(), database.connect());
    run(
        &mut conn,
        "PRAGMA busy_timeout = 1",
        "SET lock_timeout = 10",
        "SET innodb_lock_wait_timeout = 1",
    );
    holder
        .transaction(|holder| {
            add(holder, By::Operation, 1)?;
            for by in [By::Operation, By::Diesel, By::Text] {
                let error = add(&mut conn, by, 1).expect_err("it is locked");
                // Nobody else sets that limit, and who does wants to hear of it.
                assert_eq!(error.is_retryable(), !on_postgres(), "{error:?}");
            }
            Ok::<_, Error>(())
        })
        .expect("the holder goes on");
    add(&mut conn, By::Operation, 1).expect("nobody holds it any more");
    assert_eq!(balance(&mut conn, 1), 2);
}

#[test]
fn who_writes_what_changed_since_it_was_read_may_try_again() {
    for by in [By::Operation, By::Diesel, By::Text] {
        let database = accounts();
        let (mut other, mut conn) = (database.connect(), careful(&database));
        let outcome = conn.transaction(|conn| {
            balance(conn, 1);
            add(&mut other, by, 1)?;
            add(conn, by, 1)
        });
        let error = outcome.expect_err("it did not read what it overwrites");
        assert!(error.is_retryable(), "{by:?}: {error:?}");
        add(&mut conn, by, 1).expect("the connection is usable");
        assert_eq!(balance(&mut conn, 1), 2);
    }
}

/// On MariaDB one waits for the other's locks, so that they meet as in the test of a deadlock; on SQLite both
/// cannot have written.
#[test]
fn of_two_that_read_what_the_other_writes_one_may_try_again() {
    let database = accounts();
    let mut conns = [(); 2].map(|()| connect(&database, "SERIALIZABLE"));
    let [first, second] = &mut conns;
    let outcome = first.transaction(|first| {
        balance(first, 1);
        let inner = second.transaction(|second| {
            balance(second, 2);
            if on_mysql() {
                // The share that the other has would be waited for.
                second.batch_execute("SET innodb_lock_wait_timeout = 1")?;
            }
            add(second, By::Operation, 1)
        });
        add(first, By::Operation, 2)?;
        inner
    });
    let error = outcome.expect_err("one order of the two would have to explain both");
    assert!(error.is_retryable(), "{error:?}");
}

#[test]
fn what_a_receiver_passes_on_is_looked_through() {
    let database = accounts();
    let (mut other, mut conn) = (database.connect(), careful(&database));
    let outcome = conn.transaction(|conn| {
        balance(conn, 1);
        add(&mut other, By::Diesel, 1)?;
        Order::create(conn, NewOrder { account_id: 1 })
    });
    let error = outcome.expect_err("the receiver meets a conflict");
    assert!(error.is_retryable(), "{error:?}");
    // SQLite refuses the INSERT already.
    let charge: Option<&ChargeError> = error.receiver_error();
    assert_eq!(charge.is_none(), on_sqlite(), "{error:?}");
}

#[test]
fn what_will_come_again_is_not_retryable() {
    let database = accounts();
    let mut conn = database.connect();
    let order = |conn: &mut TestConnection, account_id| {
        Order::create(conn, NewOrder { account_id }).map(drop)
    };
    order(&mut conn, 1).expect("created");
    let syntax = conn.batch_execute("SELEKT 1").map_err(Error::from);
    for outcome in [
        order(&mut conn, 1),
        Account::get(&mut conn, 99).map(drop),
        syntax,
    ] {
        let error = outcome.expect_err("it is wrong in itself");
        assert!(!error.is_retryable(), "{error:?}");
    }
}

#[test]
fn who_shares_a_cache_of_sqlite_or_a_table_may_try_again() {
    let database = accounts();
    let mut conns = [(); 2].map(|()| {
        if on_sqlite() {
            let path = format!("file:{}?cache=shared", database.url());
            TestConnection::establish(&path).expect("it is opened")
        } else {
            careful(&database)
        }
    });
    let [first, second] = &mut conns;
    let outcome = first.transaction(|first| {
        balance(first, 1);
        add(second, By::Diesel, 1)?;
        add(first, By::Diesel, 1)
    });
    let error = outcome.expect_err("the table is locked, or the row changed");
    assert!(error.is_retryable(), "{error:?}");
}
