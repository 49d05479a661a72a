//! The connection breaks when a commit is under way: nobody knows whether it happened, and nothing is claimed.
//!
//! SQLite has no connection that could break. There the same commits are refused, which is an answer.

use std::cell::RefCell;

use backends::{Database, TestConnection, count};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection};
use diesel_hooks::failure::FailureReason;
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, retry, set_failure_handler};

use crate::faults::{Fault, assert_unknown, cuts, was_done};
use crate::link::Request;
use crate::sessions::{depth, on_mysql, on_sqlite};

const TABLES: &str = "
    CREATE TABLE orders (id {key}, item VARCHAR(100) NOT NULL);
    CREATE TABLE bills (id {key}, order_id INTEGER NOT NULL, FOREIGN KEY (order_id) REFERENCES orders (id));
    CREATE TABLE notes (id {key}, text VARCHAR(100) NOT NULL);
";

diesel::table! { orders (id) { id -> Integer, item -> Text } }
diesel::table! { bills (id) { id -> Integer, order_id -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Order {
    id: i32,
    item: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Bill {
    id: i32,
    #[hooks(one_to_one(Order, on_delete = Cascade, auto_create))]
    order_id: i32,
}

/// Nobody hears of these.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    text: String,
}

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn tell(what: impl Into<String>) {
    TOLD.with_borrow_mut(|told| told.push(what.into()));
}

#[receiver(after_commit)]
fn ship(event: &PostCreate<Order>) {
    tell(format!("ship {}", event.instance.item));
}

#[receiver(after_commit)]
fn change(event: &PostUpdate<Order>) {
    tell(format!("change {}", event.instance.item));
}

#[receiver(after_rollback)]
fn apologise(event: &PostCreate<Order>) {
    tell(format!("no {}", event.instance.item));
}

type Connections = Pool<ConnectionManager<TestConnection>>;
type Pooled = PooledConnection<ConnectionManager<TestConnection>>;

/// A pool of one connection, and what breaks it.
struct Desk {
    database: Database,
    pool: Connections,
    fault: Fault,
}

impl Desk {
    fn open() -> Self {
        set_failure_handler(|failure| {
            tell(match failure.reason {
                FailureReason::CommitUnknown { waiting } => {
                    format!("{waiting} {} unknown", failure.callback)
                }
                _ => failure.to_string(),
            });
        });
        let database = Database::new(TABLES);
        let fault = Fault::of(&database);
        let manager = ConnectionManager::new(fault.url());
        let pool = Pool::builder().max_size(1).build(manager).expect("a pool");
        Desk {
            database,
            pool,
            fault,
        }
    }

    fn connection(&self) -> Pooled {
        self.pool.get().expect("the pool has one")
    }

    fn rows(&self, table: &str) -> i64 {
        count(&mut self.database.connect(), table)
    }

    /// The pool has a connection that works, whatever became of the one before.
    fn goes_on(&self) {
        assert_eq!(TOLD.take(), [""; 0]);
        order(&mut self.connection(), "next").expect("created");
        assert_eq!(TOLD.take(), ["ship next"]);
    }
}

fn order(conn: &mut impl HookConnection<Raw = TestConnection>, item: &str) -> diesel_hooks::Result {
    Order::create(conn, NewOrder { item: item.into() }).map(drop)
}

fn told_of(item: &str) -> Vec<String> {
    match on_sqlite() {
        true => vec![format!("no {item}")],
        false => vec![
            "1 after-commit unknown".into(),
            "1 after-rollback unknown".into(),
        ],
    }
}

#[test]
fn an_operation_whose_commit_nobody_answered_may_have_happened_and_nothing_is_told() {
    for cut in cuts(Request::Commit) {
        let mut desk = Desk::open();
        let mut conn = desk.connection();
        desk.fault.strike(cut);
        let error = order(&mut conn, "tea").expect_err("nobody answers");
        assert!(desk.fault.is_over());
        assert_unknown(&error);
        assert_eq!(TOLD.take(), told_of("tea"));
        // All of it is there, or nothing.
        let done = i64::from(was_done(cut));
        assert_eq!((desk.rows("orders"), desk.rows("bills")), (done, done));
        assert_eq!(depth(&mut conn), on_sqlite().then_some(0));
        drop(conn);
        desk.goes_on();
    }
}

/// What an operation does, and to what that leads.
struct Operation {
    run: fn(&mut TestConnection, &mut Order) -> diesel_hooks::Result,
    items: &'static [&'static str],
}

const OPERATIONS: [Operation; 4] = [
    Operation {
        run: |conn, _| order(conn, "tea"),
        items: &["old", "tea"],
    },
    Operation {
        run: |conn, _| {
            let new = ["milk", "tea"].map(|item| NewOrder { item: item.into() });
            Order::create_many(conn, new.into()).map(drop)
        },
        items: &["milk", "old", "tea"],
    },
    Operation {
        run: |conn, old| old.update(conn, |it| it.item = "new".into()),
        items: &["new"],
    },
    Operation {
        run: |conn, old| old.delete(conn).map(drop),
        items: &[],
    },
];

#[test]
fn every_operation_happened_as_a_whole_or_not_at_all() {
    for Operation { run, items } in OPERATIONS {
        for cut in cuts(Request::Commit) {
            let mut desk = Desk::open();
            let mut conn = desk.connection();
            let new = NewOrder { item: "old".into() };
            let mut old = Order::create(&mut conn, new).expect("created");
            TOLD.take();
            desk.fault.strike(cut);
            let error = run(&mut conn, &mut old).expect_err("nobody answers");
            assert!(desk.fault.is_over());
            assert_unknown(&error);
            assert_eq!(old.item, "old");
            let told = TOLD.take();
            let claims = ["ship", "change"];
            assert!(
                !told
                    .iter()
                    .any(|it| claims.iter().any(|claim| it.starts_with(claim)))
            );
            let there: Vec<String> = orders::table
                .select(orders::item)
                .order(orders::item)
                .load(&mut desk.database.connect())
                .expect("orders can be read");
            assert_eq!(there, if was_done(cut) { items } else { &["old"] });
            assert_eq!(usize::try_from(desk.rows("bills")), Ok(there.len()));
            drop(conn);
            desk.goes_on();
        }
    }
}

#[test]
fn in_a_transaction_of_the_application_nothing_is_told_either() {
    for cut in cuts(Request::Commit) {
        let mut desk = Desk::open();
        let mut conn = desk.connection();
        let outcome = conn.transaction(|conn| {
            order(conn, "tea")?;
            desk.fault.strike(cut);
            Ok::<_, Error>(())
        });
        assert!(outcome.is_err() && desk.fault.is_over());
        assert_eq!(TOLD.take(), told_of("tea"));
        assert_eq!(desk.rows("orders"), i64::from(was_done(cut)));
        drop(conn);
        desk.goes_on();
    }
}

/// What is done by one statement, and what that leaves of the notes.
struct Alone {
    run: fn(&mut TestConnection, &mut Note) -> diesel_hooks::Result,
    notes: &'static [&'static str],
    request: fn() -> Request,
}

const ALONE: [Alone; 3] = [
    Alone {
        run: |conn, note| note.delete(conn).map(drop),
        notes: &[],
        request: || Request::Next,
    },
    Alone {
        run: |conn, note| note.update(conn, |it| it.text = "new".into()),
        notes: &["new"],
        request: || Request::Next,
    },
    Alone {
        run: |conn, _| Note::create(conn, NewNote { text: "two".into() }).map(drop),
        notes: &["one", "two"],
        // Only PostgreSQL gives the row back with its INSERT; elsewhere it is a transaction.
        request: || {
            if on_mysql() {
                Request::Commit
            } else {
                Request::Next
            }
        },
    },
];

#[test]
fn a_statement_that_commits_by_itself_may_have_happened_as_well() {
    for Alone {
        run,
        notes,
        request,
    } in ALONE
    {
        for cut in cuts(request()) {
            let mut desk = Desk::open();
            let mut conn = desk.connection();
            let create = |conn: &mut Pooled| Note::create(conn, NewNote { text: "one".into() });
            let [mut first, mut note] = [(); 2].map(|()| create(&mut conn).expect("created"));
            // From here on the statement is prepared.
            run(&mut conn, &mut first).expect("nothing is broken yet");
            diesel::delete(notes::table.filter(notes::id.ne(note.id)))
                .execute(&mut conn)
                .expect("deleted");
            desk.fault.strike(cut);
            let error = run(&mut conn, &mut note).expect_err("nobody answers");
            assert!(desk.fault.is_over());
            assert_unknown(&error);
            let there: Vec<String> = notes::table
                .select(notes::text)
                .order(notes::id)
                .load(&mut desk.database.connect())
                .expect("notes can be read");
            assert_eq!(there, if was_done(cut) { notes } else { &["one"] });
            assert_eq!(note.text, "one");
            assert_eq!(depth(&mut conn), on_sqlite().then_some(0));
            drop(conn);
            desk.goes_on();
        }
    }
}

#[test]
fn a_read_that_nobody_answered_is_no_such_thing() {
    for cut in cuts(Request::Next) {
        let mut desk = Desk::open();
        let mut conn = desk.connection();
        let new = NewNote { text: "one".into() };
        let note = Note::create(&mut conn, new).expect("created");
        Note::get(&mut conn, note.id).expect("it is there");
        desk.fault.strike(cut);
        let outcome = Note::get(&mut conn, note.id);
        assert!(desk.fault.is_over());
        match on_sqlite() {
            true => assert_eq!(outcome.expect("who reads is in nobody's way"), note),
            false => assert!(matches!(outcome, Err(Error::Query { .. })), "{outcome:?}"),
        }
        drop(conn);
        desk.goes_on();
    }
}

#[test]
fn retry_does_not_run_again_what_may_have_happened() {
    for cut in cuts(Request::Commit) {
        let mut desk = Desk::open();
        let mut conn = desk.connection();
        let mut runs = 0;
        let outcome = retry(&mut conn, 5, |conn| {
            runs += 1;
            order(conn, "tea")?;
            match runs {
                1 => desk.fault.strike(cut),
                _ => assert!(desk.fault.is_over()),
            }
            Ok::<_, Error>(())
        });
        assert!(desk.fault.is_over());
        let done = i64::from(was_done(cut) || on_sqlite());
        assert_eq!((desk.rows("orders"), desk.rows("bills")), (done, done));
        match outcome {
            // What was refused runs again.
            Ok(()) => {
                assert_eq!((runs, on_sqlite()), (2, true));
                assert_eq!(TOLD.take(), ["no tea", "ship tea"]);
            }
            Err(error) => {
                assert_unknown(&error);
                assert_eq!((runs, TOLD.take()), (1, told_of("tea")));
            }
        }
        drop(conn);
        desk.goes_on();
    }
}
