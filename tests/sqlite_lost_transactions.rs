//! When the transaction of the application is lost inside it, nothing of it is committed, nothing after it
//! commits by itself, and no callback tells of it, whatever the application does next. On SQLite a trigger loses it, or
//! `INSERT OR ROLLBACK`.
#![allow(missing_docs)]

mod common;

use common::{Log, OnDisk, depth, memory};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! { quiet (id) { id -> Integer, name -> Text } }
diesel::table! { audit (id) { id -> Integer, text -> Text } }

const SCHEMA: &str = "
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
    CREATE TABLE quiet (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE audit (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    INSERT INTO quiet VALUES (1, 'a');
    INSERT INTO notes VALUES (9, 'dup');
    CREATE TRIGGER fatal BEFORE INSERT ON quiet WHEN new.name = 'fatal' BEGIN SELECT RAISE(ROLLBACK, 'fatal'); END;
";

static LOG: Log = Log::new();

/// Tells when it is durable.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Note {
    id: i32,
    text: String,
}

#[receiver]
fn tell(event: &PostCreate<Note>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let text = event.instance.text.clone();
    conn.after_commit(move || LOG.push(text))
}

/// Nobody listens to it.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = quiet)]
struct Quiet {
    id: i32,
    name: String,
}

fn note(conn: &mut SqliteConnection, text: &str) -> diesel_hooks::Result {
    Note::create(conn, NewNote { text: text.into() }).map(drop)
}

fn quiet(conn: &mut SqliteConnection, name: &str) -> diesel_hooks::Result {
    Quiet::create(conn, NewQuiet { name: name.into() }).map(drop)
}

/// What another connection sees.
fn stored(disk: &OnDisk) -> (Vec<String>, Vec<String>, Vec<String>) {
    let conn = &mut disk.connect();
    (
        notes::table.select(notes::text).load(conn).expect("notes"),
        quiet::table.select(quiet::name).load(conn).expect("names"),
        audit::table.select(audit::text).load(conn).expect("audit"),
    )
}

type Act = fn(&mut SqliteConnection) -> diesel_hooks::Result;

/// What loses the transaction; the application swallows the error.
const LOSES: [(&str, Act); 3] = [
    ("a trigger", |conn| quiet(conn, "fatal")),
    ("a plain statement", |conn| {
        let sql = "INSERT OR ROLLBACK INTO quiet VALUES (1, 'b')";
        Ok(diesel::sql_query(sql).execute(conn).map(drop)?)
    }),
    ("a trigger, inside a nested transaction", |conn| {
        conn.transaction(|conn| quiet(conn, "fatal"))
    }),
];

/// What the application does then.
const NEXT: [(&str, Act); 6] = [
    ("an operation", |conn| note(conn, "alone")),
    ("an operation that nobody hears", |conn| {
        quiet(conn, "alone")
    }),
    ("an operation that fails", |conn| note(conn, "dup")),
    ("a batch", |conn| {
        let new = ["b", "c"].map(|name| NewQuiet { name: name.into() });
        Quiet::create_many(conn, new.into()).map(drop)
    }),
    ("an update", |conn| {
        let mut row = Quiet {
            id: 1,
            name: "changed".into(),
        };
        row.save(conn)
    }),
    ("an operation in a nested transaction", |conn| {
        conn.transaction(|conn| note(conn, "nested"))
    }),
];

#[test]
fn nothing_of_it_is_committed_and_nothing_commits_by_itself() {
    for (lost, loses) in LOSES {
        for (next, act) in NEXT {
            if lost == "a plain statement" && next.contains("nested") {
                // Diesel's savepoint opens a transaction of its own, before the library hears of anything.
                continue;
            }
            let case = format!("{lost}, then {next}");
            let disk = OnDisk::new(SCHEMA);
            let mut conn = disk.connect();
            let before = stored(&disk);
            let outcome: diesel_hooks::Result = conn.transaction(|conn| {
                note(conn, "before")?;
                loses(conn).expect_err(&case);
                let error = act(conn).expect_err(&case);
                assert!(
                    matches!(error, Error::TransactionLost { .. }),
                    "{case}: {error:?}"
                );
                Ok(())
            });
            outcome.expect_err(&case);
            assert_eq!(stored(&disk), before, "{case}");
            assert_eq!(LOG.take(), Vec::<String>::new(), "{case}");
            assert_eq!(depth(&mut conn), 0, "{case}");
            note(&mut conn, "after").unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(LOG.take(), ["after"], "{case}");
        }
    }
}

#[test]
fn plain_statements_after_an_operation_lost_it_are_rolled_back_with_it() {
    let disk = OnDisk::new(SCHEMA);
    let mut conn = disk.connect();
    let before = stored(&disk);
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        quiet(conn, "fatal").expect_err("refused");
        let plain = |conn: &mut SqliteConnection| {
            diesel::sql_query("INSERT INTO audit (text) VALUES ('plain')").execute(conn)
        };
        plain(conn)?;
        conn.transaction(plain)?;
        Ok(())
    });
    outcome.expect_err("it cannot be committed");
    assert_eq!(stored(&disk), before);
}

#[test]
fn a_trigger_made_since_the_table_was_looked_at_leaves_nothing_whatever_it_does() {
    let triggers = [
        "BEFORE UPDATE ON quiet BEGIN INSERT INTO audit (text) VALUES ('half'); SELECT RAISE(IGNORE); END",
        "BEFORE UPDATE ON quiet BEGIN INSERT INTO audit (text) VALUES ('half'); DELETE FROM quiet; END",
        "AFTER UPDATE ON quiet BEGIN INSERT INTO audit (text) VALUES ('half'); INSERT OR FAIL INTO notes VALUES (9, 'x'); END",
        "AFTER UPDATE ON quiet BEGIN INSERT OR ROLLBACK INTO notes VALUES (9, 'x'); END",
    ];
    for trigger in triggers {
        let disk = OnDisk::new(
            &SCHEMA
                .replace(
                    "fatal BEFORE INSERT ON quiet",
                    "fatal BEFORE INSERT ON audit",
                )
                .replace("new.name", "new.text"),
        );
        let mut conn = disk.connect();
        let mut row = Quiet::get(&mut conn, 1).expect("a row");
        row.save(&mut conn).expect("the table is looked at");
        conn.batch_execute(&format!("CREATE TRIGGER late {trigger}"))
            .expect("the trigger is right");
        let before = stored(&disk);
        let outcome: diesel_hooks::Result = conn.transaction(|conn| {
            diesel::sql_query("INSERT INTO audit (text) VALUES ('application')").execute(conn)?;
            row.name = "z".into();
            let error = row.save(conn).expect_err(trigger);
            assert!(
                matches!(error, Error::TransactionLost { source: Some(_) }),
                "{trigger}: {error:?}"
            );
            note(conn, "after").expect_err(trigger);
            Ok(())
        });
        outcome.expect_err(trigger);
        assert_eq!(stored(&disk), before, "{trigger}");
        assert_eq!(LOG.take(), Vec::<String>::new(), "{trigger}");
    }
}

#[test]
fn a_capture_in_a_test_transaction_holds_nothing_of_it() {
    let mut conn = memory(SCHEMA);
    conn.begin_test_transaction().expect("begun");
    let mut capture = conn.capture_after_commit().expect("there is room");
    note(&mut conn, "before").expect("created");
    assert_eq!(capture.len(), 1);
    quiet(&mut conn, "fatal").expect_err("refused");
    assert_eq!((capture.len(), capture.run()), (0, 0));
    assert_eq!(LOG.take(), Vec::<String>::new());
}
