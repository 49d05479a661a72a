//! No operation asks the database more often than code that is written by hand with Diesel and does the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backends::{Database, System, TestConnection, system};
use diesel::connection::InstrumentationEvent;
use diesel_hooks::set_instrumentation;

use crate::beside_hand::{OPERATIONS, Operation, Subject, TABLES};

/// How often the connection asks the database, after a first time, when it prepares its statements.
fn trips(
    operation: &Operation,
    work: impl Fn(&mut TestConnection, &Subject) -> diesel_hooks::Result,
) -> usize {
    let (_database, mut conn) = Database::open(TABLES);
    let [first, second] = ["first", "second"]
        .map(|name| (operation.prepare)(&mut conn, name.into()).expect("a subject"));
    work(&mut conn, &first).expect("it works");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    set_instrumentation(&mut conn, move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && !(system() == System::Sqlite && is_savepoint(&query.to_string()))
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    work(&mut conn, &second).expect("it works again");
    count.load(Ordering::Relaxed)
}

/// What SQLite does by itself costs no trip.
fn is_savepoint(sql: &str) -> bool {
    sql.starts_with("SAVEPOINT") || sql.starts_with("RELEASE")
}

#[test]
fn no_operation_asks_more_often_than_code_by_hand() {
    for operation in &OPERATIONS {
        let by_hand = trips(operation, |conn, it| Ok((operation.by_hand)(conn, it)?));
        let hooked = trips(operation, operation.hooked);
        println!("{}: {hooked} instead of {by_hand}", operation.name);
        assert!(
            hooked <= by_hand,
            "{}: {hooked} instead of {by_hand}",
            operation.name
        );
    }
}

#[test]
fn postgresql_creates_a_row_and_its_dependent_by_one_statement() {
    let [_, create, in_transaction, ..] = &OPERATIONS;
    let expected = match system() {
        System::Postgres => [1, 3],
        System::Sqlite => [5, 5],
        System::Mysql => [5, 7],
    };
    let found = [create, in_transaction].map(|it| trips(it, it.hooked));
    assert_eq!(found, expected);
}
