//! `Ok` means that the transaction which was committed is the one that the operation began in; whatever a
//! receiver does to it, the operation says so.
#![allow(missing_docs)]

mod common;

use common::{Log, OnDisk, depth};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { notes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Note {
    id: i32,
    text: String,
}

const SCHEMA: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);";

static LOG: Log = Log::new();

/// Says when the row is durable.
#[receiver(order = -1)]
fn tell(event: &PostCreate<Note>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let text = event.instance.text.clone();
    conn.after_commit(move || LOG.push(text))
}

type Manager = AnsiTransactionManager;

/// Ends or exchanges the transaction as the note's text says, after the row was written.
#[receiver]
fn meddle(event: &PostCreate<Note>, conn: &mut SqliteConnection) -> QueryResult<()> {
    match event.instance.text.as_str() {
        "raw rollback" => conn.batch_execute("ROLLBACK"),
        "raw commit" => conn.batch_execute("COMMIT"),
        "raw rollback and begin" => conn.batch_execute("ROLLBACK; BEGIN"),
        "raw commit and begin" => conn.batch_execute("COMMIT; BEGIN"),
        "rollback" => <Manager as TransactionManager<_>>::rollback_transaction(conn),
        "commit" => <Manager as TransactionManager<_>>::commit_transaction(conn),
        "rollback and begin" => {
            <Manager as TransactionManager<_>>::rollback_transaction(conn)?;
            <Manager as TransactionManager<_>>::begin_transaction(conn)
        }
        "commit and begin" => {
            <Manager as TransactionManager<_>>::commit_transaction(conn)?;
            <Manager as TransactionManager<_>>::begin_transaction(conn)
        }
        "left open" => <Manager as TransactionManager<_>>::begin_transaction(conn),
        "swallowed" => {
            conn.batch_execute("INSERT INTO nowhere VALUES (1)")
                .unwrap_err();
            Ok(())
        }
        _ => Ok(()),
    }
}

fn new_note(text: &str) -> NewNote {
    NewNote { text: text.into() }
}

const ENDS_IT: [&str; 9] = [
    "raw rollback",
    "raw commit",
    "raw rollback and begin",
    "raw commit and begin",
    "rollback",
    "commit",
    "rollback and begin",
    "commit and begin",
    "left open",
];

fn texts(conn: &mut SqliteConnection) -> Vec<String> {
    notes::table.select(notes::text).load(conn).expect("notes")
}

/// What was told as durable in the case that a note's text names. A receiver that commits through Diesel's
/// transaction manager makes its row durable indeed.
fn told(case: &str, expected: &[&str]) {
    let mut told = LOG.take();
    told.retain(|text| !(text == case && case.starts_with("commit")));
    assert_eq!(told, expected, "{case}");
}

#[test]
fn a_receiver_that_ends_the_transaction_of_an_operation_is_told_from_one_that_does_not() {
    for text in ENDS_IT {
        let disk = OnDisk::new(SCHEMA);
        let mut conn = disk.connect();
        let error = Note::create(&mut conn, new_note(text)).expect_err(text);
        assert!(
            matches!(error, Error::TransactionLost { .. }),
            "{text}: {error:?}"
        );
        assert_eq!(depth(&mut conn), 0, "{text}");
        let escaped = texts(&mut disk.connect());
        assert_eq!(
            escaped.len(),
            usize::from(text.contains("commit")),
            "{text}"
        );
        told(text, &[]);
        Note::create(&mut conn, new_note("after"))
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        told(text, &["after"]);
        assert_eq!(
            texts(&mut disk.connect()).len(),
            escaped.len() + 1,
            "{text}"
        );
    }
}

#[test]
fn nothing_commits_by_itself_after_a_receiver_ended_the_transaction_of_the_application() {
    for text in ENDS_IT.into_iter().filter(|text| text.contains("raw")) {
        let disk = OnDisk::new(SCHEMA);
        let mut conn = disk.connect();
        let outcome: diesel_hooks::Result = conn.transaction(|conn| {
            let error = Note::create(conn, new_note(text)).expect_err(text);
            assert!(
                matches!(error, Error::TransactionLost { .. }),
                "{text}: {error:?}"
            );
            let error = Note::create(conn, new_note("alone")).expect_err("there is no transaction");
            assert!(
                matches!(error, Error::TransactionLost { .. }),
                "{text}: {error:?}"
            );
            Ok(())
        });
        outcome.expect_err("nothing to commit");
        assert_eq!(depth(&mut conn), 0, "{text}");
        let escaped = texts(&mut disk.connect());
        assert_eq!(
            escaped.len(),
            usize::from(text.contains("commit")),
            "{text}"
        );
        told(text, &[]);
        Note::create(&mut conn, new_note("after"))
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        told(text, &["after"]);
    }
}

#[test]
fn a_receiver_that_swallows_an_error_of_its_own_ends_nothing() {
    let disk = OnDisk::new(SCHEMA);
    Note::create(&mut disk.connect(), new_note("swallowed")).expect("created");
    assert_eq!(texts(&mut disk.connect()), ["swallowed"]);
    assert_eq!(LOG.take(), ["swallowed"]);
}
