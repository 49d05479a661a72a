//! A receiver that meets a conflict and says nothing of it: what its operation returns is what others see, and what
//! after-commit callbacks are told.

use std::cell::RefCell;
use std::sync::{Arc, Barrier};
use std::thread;

use backends::{Database, TestConnection, count};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::sessions::{careful, connect, depth, on_sqlite};

const TABLES: &str = "
    CREATE TABLE accounts (id {key}, balance INTEGER NOT NULL);
    CREATE TABLE orders (id {key}, item VARCHAR(100) NOT NULL);
    INSERT INTO accounts (balance) VALUES (0);
    INSERT INTO accounts (balance) VALUES (0);
";

diesel::table! { accounts (id) { id -> Integer, balance -> Integer } }
diesel::table! { orders (id) { id -> Integer, item -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Order {
    id: i32,
    item: String,
}

type Meeting = Box<dyn FnMut(&mut TestConnection) -> QueryResult<()>>;

thread_local! {
    /// What the receiver does in this thread.
    static MEETING: RefCell<Option<Meeting>> = const { RefCell::new(None) };
    static SWALLOWED: RefCell<usize> = const { RefCell::new(0) };
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn tell(what: String) {
    TOLD.with_borrow_mut(|told| told.push(what));
}

#[receiver]
fn meet_and_keep_silent(event: &PostCreate<Order>, conn: &mut TestConnection) -> QueryResult<()> {
    let Some(mut meeting) = MEETING.take() else {
        return Ok(());
    };
    if event.instance.item == "tea" && meeting(conn).is_err() {
        SWALLOWED.with_borrow_mut(|number| *number += 1);
    }
    Ok(())
}

#[receiver(after_commit)]
fn ship(event: &PostCreate<Order>) {
    tell(event.instance.item.clone());
}

fn order(conn: &mut TestConnection, item: &str) -> diesel_hooks::Result {
    Order::create(conn, NewOrder { item: item.into() }).map(drop)
}

fn add(conn: &mut TestConnection, id: i32) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set(accounts::balance.eq(accounts::balance + 1))
        .execute(conn)
        .map(drop)
}

fn items(database: &Database) -> Vec<String> {
    let items = orders::table.select(orders::item).order(orders::id);
    items.load(&mut database.connect()).expect("read")
}

/// What it does after the conflict that it swallowed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Returns,
    /// On MySQL outside of any transaction then.
    Writes,
}

/// Nothing is there of an operation that failed, unless it says that nobody knows.
fn is_true(outcome: &diesel_hooks::Result, there: &[String]) -> bool {
    match outcome {
        Ok(()) => there.iter().any(|it| it == "tea"),
        Err(Error::TransactionLost { .. }) => !there.iter().any(|it| it == "tea"),
        Err(_) => there.is_empty(),
    }
}

#[test]
fn a_change_that_came_in_between_is_no_ok_unless_the_row_is_there() {
    for (inside, then) in [false, true]
        .into_iter()
        .flat_map(|inside| [(inside, Then::Returns), (inside, Then::Writes)])
    {
        let place = format!("inside a transaction: {inside}, {then:?}");
        let database = Database::new(TABLES);
        let (mut conn, mut other) = (careful(&database), careful(&database));
        MEETING.set(Some(Box::new(move |conn| {
            count(conn, "accounts");
            // On SQLite the other one is refused, as the operation has the write lock.
            let met = add(&mut other, 1).and_then(|()| add(conn, 1));
            if then == Then::Writes {
                let by_hand = orders::item.eq("by hand");
                drop(
                    diesel::insert_into(orders::table)
                        .values(by_hand)
                        .execute(conn),
                );
            }
            met
        })));
        let mut outcome = Ok(());
        match inside {
            false => outcome = order(&mut conn, "tea"),
            // On MySQL the COMMIT of what is left is answered with success.
            true => drop(conn.transaction(|conn| {
                outcome = order(conn, "tea");
                Ok::<_, Error>(())
            })),
        }
        assert_eq!(SWALLOWED.take(), 1, "{place}");
        assert_eq!(outcome.is_ok(), on_sqlite(), "{place}: {outcome:?}");
        let there = items(&database);
        assert!(is_true(&outcome, &there), "{place}: {outcome:?} {there:?}");
        let told: &[&str] = if on_sqlite() { &["tea"] } else { &[] };
        assert_eq!(TOLD.take(), told, "{place}");
        assert_eq!(depth(&mut conn), Some(0), "{place}");
        order(&mut conn, "next").expect("the connection is usable");
        assert_eq!(TOLD.take(), ["next"], "{place}");
    }
}

/// Both sessions take one account and want the other's, each in its receiver.
fn cross(database: &Database, inside: bool, wait: impl Fn() + 'static, ids: [i32; 2]) -> Crossed {
    let mut conn = connect(database, "READ COMMITTED");
    MEETING.set(Some(Box::new(move |conn| {
        add(conn, ids[0])?;
        wait();
        add(conn, ids[1])
    })));
    let mut own = Ok(());
    let outcome = match inside {
        false => order(&mut conn, "tea"),
        true => {
            let _ = conn.transaction(|conn| {
                own = order(conn, "tea");
                Ok::<_, Error>(())
            });
            own
        }
    };
    Crossed {
        outcome,
        swallowed: SWALLOWED.take(),
        told: TOLD.take(),
        depth: depth(&mut conn),
    }
}

#[derive(Debug)]
struct Crossed {
    outcome: diesel_hooks::Result,
    swallowed: usize,
    told: Vec<String>,
    depth: Option<u32>,
}

/// On SQLite nobody else has a lock while the receiver runs: who wants one is refused before it begins.
#[test]
fn a_deadlock_is_no_ok_either_and_the_other_one_goes_on() {
    for inside in [false, true] {
        let database = Database::new(TABLES);
        let both_hold_one = Arc::new(Barrier::new(2));
        let meet = || {
            let both_hold_one = Arc::clone(&both_hold_one);
            move || {
                if !on_sqlite() {
                    both_hold_one.wait();
                }
            }
        };
        let outcomes = thread::scope(|scope| {
            let other = scope.spawn(|| cross(&database, inside, meet(), [2, 1]));
            let own = cross(&database, inside, meet(), [1, 2]);
            [own, other.join().expect("no panic")]
        });
        let swallowed: usize = outcomes.iter().map(|it| it.swallowed).sum();
        assert_eq!(swallowed, usize::from(!on_sqlite()), "{outcomes:?}");
        for it in &outcomes {
            assert_eq!(it.depth, Some(0));
            assert_eq!(it.told.len(), usize::from(it.outcome.is_ok()), "{it:?}");
            match &it.outcome {
                Ok(()) => assert_eq!(it.swallowed, 0, "{it:?}"),
                Err(error) if on_sqlite() => assert!(error.is_retryable(), "{it:?}"),
                // Of this one nothing is there, as the count below tells.
                Err(error) => {
                    assert!(matches!(error, Error::TransactionLost { .. }), "{it:?}");
                    assert_eq!(it.swallowed, 1, "{it:?}");
                }
            }
        }
        let told = outcomes.iter().flat_map(|it| &it.told).count();
        assert!(told > 0, "{outcomes:?}");
        assert_eq!(items(&database).len(), told, "{outcomes:?}");
    }
}
