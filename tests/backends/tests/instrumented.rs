//! An application's own instrumentation and the queue of callbacks live together.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "desk/mod.rs"]
mod desk;

use std::sync::{Arc, Mutex};

use backends::{TestConnection, Transactions};
use desk::{Desk, Order, new_order};
use diesel::connection::{InstrumentationEvent, TransactionManager, set_default_instrumentation};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel_hooks::prelude::*;

type Events = Arc<Mutex<Vec<String>>>;

/// The kind of each event, and the depth of those of transactions.
fn recorder(events: &Events) -> impl FnMut(InstrumentationEvent<'_>) + Send + 'static {
    let events = Arc::clone(events);
    move |event| {
        let name = match event {
            InstrumentationEvent::StartQuery { .. } => "start".to_owned(),
            InstrumentationEvent::FinishQuery { .. } => "finish".to_owned(),
            InstrumentationEvent::CacheQuery { .. } => "cache".to_owned(),
            InstrumentationEvent::BeginTransaction { depth, .. } => format!("begin {depth}"),
            InstrumentationEvent::CommitTransaction { depth, .. } => format!("commit {depth}"),
            InstrumentationEvent::RollbackTransaction { depth, .. } => format!("rollback {depth}"),
            _ => return,
        };
        events.lock().expect("no test panics inside").push(name);
    }
}

fn program(desk: &Desk, conn: &mut TestConnection) {
    conn.transaction(|conn| {
        Order::create(conn, new_order("good"))?;
        Order::create(conn, new_order("bad")).expect_err("a receiver refuses it");
        desk.after_commit(conn, "done")
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["done sees 1"]);
}

#[test]
fn one_set_on_the_connection_gets_every_event() {
    let (desk, mut conn) = Desk::new();
    let heard = Events::default();
    diesel_hooks::set_instrumentation(&mut conn, recorder(&heard));
    program(&desk, &mut conn);
    let transactions = |events: &Events| -> Vec<String> {
        let mut events = events.lock().expect("no test panics inside").clone();
        events.retain(|event| event.contains(' '));
        events
    };
    assert_eq!(
        transactions(&heard),
        [
            "begin 1",
            "begin 2",
            "commit 2",
            "begin 2",
            "rollback 2",
            "commit 1"
        ]
    );
    let count = |name| {
        let events = heard.lock().expect("no test panics inside");
        events.iter().filter(|event| *event == name).count()
    };
    assert_eq!(count("start"), count("finish"));
    assert!(count("cache") > 0);
}

static BY_DEFAULT: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn a_default_one_gets_every_event() {
    set_default_instrumentation(|| {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                BY_DEFAULT
                    .lock()
                    .expect("no test panics inside")
                    .push(query.to_string());
            }
        }))
    })
    .expect("no test panics inside");
    let (desk, mut conn) = Desk::new();
    let marker = "SELECT 'the default hears this'";
    conn.transaction(|conn| {
        desk.after_commit(conn, "done")?;
        diesel::sql_query(marker).execute(conn)?;
        Ok::<_, diesel_hooks::Error>(())
    })
    .expect("it commits");
    assert_eq!(desk.log(), ["done sees 0"]);
    let heard = BY_DEFAULT.lock().expect("no test panics inside");
    let after = heard.iter().skip_while(|sql| !sql.starts_with(marker));
    assert_eq!(
        after.take(2).count(),
        2,
        "the statement, and the COMMIT after it"
    );
}

#[test]
fn a_foreign_one_is_an_error_and_nothing_is_registered() {
    let (desk, mut conn) = Desk::new();
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let refused = [
        desk.after_commit(&mut conn, "never"),
        desk.after_rollback(&mut conn, "never"),
        conn.capture_after_commit().map(drop),
    ];
    for outcome in refused {
        assert!(matches!(outcome, Err(diesel_hooks::Error::Instrumentation)));
    }
    assert!(desk.log().is_empty());
}

#[test]
fn a_pooled_connection_that_goes_back_with_a_queue_takes_the_queue_along() {
    let (desk, _) = Desk::new();
    let pool = Pool::builder()
        .max_size(1)
        .build(ConnectionManager::<TestConnection>::new(desk.disk.url()))
        .expect("a pool");
    let mut conn = pool.get().expect("a connection");
    Transactions::begin_transaction(&mut *conn).expect("a transaction");
    desk.order(&mut conn, "abandoned").expect("an order");
    drop(conn);
    let mut conn = pool
        .get()
        .expect("another connection, for the first was broken");
    conn.transaction(|conn| desk.order(conn, "next"))
        .expect("it commits");
    assert_eq!(desk.log(), ["next sees 1"]);
}

#[test]
fn a_broken_transaction_manager_registers_nothing() {
    let (desk, mut conn) = Desk::new();
    Transactions::transaction_manager_status_mut(&mut conn).set_in_error();
    let outcome = desk.after_commit(&mut conn, "never");
    assert!(matches!(outcome, Err(diesel_hooks::Error::Query { .. })));
    drop(conn);
    assert!(desk.log().is_empty());
}
