//! A connection that breaks in the middle of an operation leaves nothing half written, and a pool recovers.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backends::{Database, TestConnection};
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection};
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, set_instrumentation};

use crate::sessions::{depth, kill, on_sqlite, run, server_id};
use crate::teams;
use crate::teams::{NewTeam, OPERATIONS, Operation, TABLES, TOLD, Team, fill, snapshot};

/// What happens before a statement is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The server drops the connection.
    Kill,
    /// The application's instrumentation panics.
    Panic,
}

type Connections = Pool<ConnectionManager<TestConnection>>;
type Pooled = PooledConnection<ConnectionManager<TestConnection>>;

fn pool(database: &Database) -> Connections {
    Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_secs(20))
        .build(ConnectionManager::new(database.url()))
        .expect("a pool")
}

/// Lets the fault happen before the `number`th statement from here on, and tells which that was.
fn arm(
    conn: &mut Pooled,
    killer: &Arc<Mutex<TestConnection>>,
    fault: Fault,
    number: usize,
) -> Arc<Mutex<Option<String>>> {
    let hit = Arc::new(Mutex::new(None));
    let id = (!on_sqlite()).then(|| server_id(conn));
    let (told, killer) = (Arc::clone(&hit), Arc::clone(killer));
    let mut statements = 0;
    set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else {
            return;
        };
        statements += 1;
        if statements != number {
            return;
        }
        *told.lock().expect("no test panics inside") = Some(query.to_string());
        match (fault, id) {
            (Fault::Kill, Some(id)) => kill(&mut killer.lock().expect("free"), id),
            _ => resume_unwind(Box::new("before a statement")),
        }
    });
    hit
}

/// Runs an operation with a fault before its `number`th statement, and says whether it has so many.
fn strike(
    pool: &Connections,
    killer: &Arc<Mutex<TestConnection>>,
    operation: Operation,
    inside: bool,
    fault: Fault,
    number: usize,
) -> bool {
    let mut conn = pool.get().expect("the pool has one");
    run(
        &mut conn,
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF",
        "",
        "",
    );
    let mut team = fill(&mut conn);
    let as_it_was = team.clone();
    let before = snapshot(&mut conn);
    TOLD.take();
    let hit = arm(&mut conn, killer, fault, number);
    let outcome = catch_unwind(AssertUnwindSafe(|| match inside {
        false => (operation.run)(&mut conn, &mut team),
        true => conn.transaction(|conn| (operation.run)(conn, &mut team)),
    }));
    set_instrumentation(&mut conn, |_: InstrumentationEvent<'_>| {});
    let hit = hit.lock().expect("no test panics inside").take();
    let place = format!(
        "{} (in a transaction: {inside}), {fault:?} before {number}, {hit:?}: {outcome:?}",
        operation.name
    );
    let depth = depth(&mut conn);
    match fault {
        // Diesel leaves its own transaction open.
        Fault::Panic => assert_eq!(
            depth,
            Some(u32::from(inside && number > 1 && hit.is_some())),
            "{place}"
        ),
        Fault::Kill => assert!(matches!(depth, None | Some(0)), "{place}"),
    }
    drop(conn);
    let mut conn = pool.get().expect("the pool recovers");
    let after = snapshot(&mut conn);
    let told = TOLD.take();
    if hit.is_none() {
        assert!(matches!(outcome, Ok(Ok(()))), "{place}");
        assert_ne!(after, before, "{place}");
        return false;
    }
    assert!(!matches!(outcome, Ok(Ok(()))), "{place}");
    assert_eq!(outcome.is_err(), fault == Fault::Panic, "{place}");
    assert_eq!(after, before, "{place}");
    // The operation itself was done when the application's transaction failed.
    let done = inside && hit.as_deref() == Some("COMMIT");
    assert!(done || team == as_it_was, "{place}");
    assert_eq!(told, [""; 0], "{place}");
    if let Ok(Err(error)) = outcome {
        assert!(is_clear(&error), "{place}");
    }
    Team::create(
        &mut conn,
        NewTeam {
            name: "next".into(),
        },
    )
    .expect("the pool recovers");
    assert_eq!(TOLD.take(), ["saved"]);
    true
}

/// Whether an error says that the connection is gone, and claims nothing else.
fn is_clear(error: &Error) -> bool {
    let kind = matches!(
        error,
        Error::Query { .. }
            | Error::Receiver(_)
            | Error::TransactionLost { .. }
            | Error::CommitUnknown { .. }
    );
    let text = error.to_string().to_lowercase();
    let reasons = ["connection", "gone away", "transaction manager is broken"];
    kind && !error.is_retryable() && reasons.iter().any(|it| text.contains(it))
}

#[test]
fn what_breaks_before_any_statement_of_an_operation_leaves_nothing_half_written() {
    let database = Database::new(TABLES);
    let killer = Arc::new(Mutex::new(database.connect()));
    let pool = pool(&database);
    let faults: &[Fault] = match on_sqlite() {
        // There is no server that could drop a connection.
        true => &[Fault::Panic],
        false => &[Fault::Panic, Fault::Kill],
    };
    for fault in faults {
        let mut struck = 0;
        for operation in OPERATIONS {
            for inside in [false, true] {
                let mut number = 1;
                while strike(&pool, &killer, operation, inside, *fault, number) {
                    number += 1;
                }
                // BEGIN, one or more, and COMMIT; or one alone.
                assert!(number > if inside { 3 } else { 1 }, "{}", operation.name);
                struck += number - 1;
            }
        }
        println!(
            "{fault:?}: {} operations, {struck} faults, 0 partial states",
            2 * OPERATIONS.len()
        );
    }
}

#[test]
fn a_statement_that_takes_too_long_undoes_its_operation_and_the_connection_goes_on() {
    let (database, mut conn) = Database::open(TABLES);
    let mut holder = database.connect();
    run(
        &mut conn,
        "PRAGMA busy_timeout = 1",
        "SET statement_timeout = 50",
        "SET max_statement_time = 0.05",
    );
    let team = fill(&mut holder);
    let before = snapshot(&mut holder);
    TOLD.take();
    holder
        .transaction(|holder| {
            let row = teams::teams::table.find(team.id);
            diesel::update(row)
                .set(teams::teams::name.eq("held"))
                .execute(holder)?;
            for operation in OPERATIONS {
                // The others do not touch the row.
                if !matches!(
                    operation.name,
                    "save" | "update" | "delete" | "delete without hooks"
                ) {
                    continue;
                }
                let mut team = team.clone();
                let outcome = (operation.run)(&mut conn, &mut team);
                let error = outcome.expect_err("the row is held");
                assert!(matches!(error, Error::Query { .. }), "{error:?}");
                assert_eq!(error.is_retryable(), on_sqlite(), "{error:?}");
                assert_eq!(depth(&mut conn), Some(0));
                assert_eq!(team.name, "old");
            }
            Err::<(), _>(diesel::result::Error::RollbackTransaction)
        })
        .expect_err("what was held is let go");
    assert_eq!(snapshot(&mut conn), before);
    assert_eq!(TOLD.take(), [""; 0]);
    team.delete(&mut conn).expect("nobody holds it");
    assert_eq!(TOLD.take(), ["went"]);
}

#[test]
fn a_pool_that_is_exhausted_says_so_and_recovers() {
    let database = Database::new(TABLES);
    let pool = Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_secs(1))
        .build(ConnectionManager::<TestConnection>::new(database.url()))
        .expect("a pool");
    let mut conn = pool.get().expect("the pool has one");
    let waiting = pool.clone();
    let guard = conn
        .connect(move |_: &PostCreate<Team>, _: &mut TestConnection| waiting.get().map(drop))
        .expect("connected");
    let refused = Team::create(&mut conn, NewTeam { name: "new".into() });
    let error = refused.expect_err("its receiver waits for a second connection");
    assert!(matches!(error, Error::Receiver(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("timed out waiting for connection")
    );
    assert_eq!(snapshot(&mut conn), snapshot(&mut database.connect()));
    assert_eq!(teams::teams::table.count().get_result(&mut conn), Ok(0_i64));
    drop((guard, conn));
    let mut conn = pool.get().expect("the pool recovers");
    Team::create(&mut conn, NewTeam { name: "new".into() }).expect("created");
}
