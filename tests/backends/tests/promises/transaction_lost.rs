//! `Ok` means that the transaction which was committed is the one that the operation began in; whatever a
//! receiver does to it, the operation says so.

use backends::{Database, Log, System, TestConnection, Transactions, depth, on, system};
use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { notes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    text: String,
}

const TABLES: &str = "CREATE TABLE notes (id {key}, text TEXT NOT NULL);";

static LOG: Log = Log::new();

/// Says when the row is durable.
#[receiver(order = -1)]
fn tell(event: &PostCreate<Note>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let text = event.instance.text.clone();
    conn.after_commit(move || LOG.push(text))
}

/// Ends or exchanges the transaction as the note's text says, after the row was written.
#[receiver]
fn meddle(event: &PostCreate<Note>, conn: &mut TestConnection) -> QueryResult<()> {
    match event.instance.text.as_str() {
        "raw rollback" => conn.batch_execute("ROLLBACK"),
        "raw commit" => conn.batch_execute("COMMIT"),
        "raw rollback and begin" => conn.batch_execute("ROLLBACK; BEGIN"),
        "raw commit and begin" => conn.batch_execute("COMMIT; BEGIN"),
        "rollback" => Transactions::rollback_transaction(conn),
        "commit" => Transactions::commit_transaction(conn),
        "rollback and begin" => {
            Transactions::rollback_transaction(conn)?;
            Transactions::begin_transaction(conn)
        }
        "commit and begin" => {
            Transactions::commit_transaction(conn)?;
            Transactions::begin_transaction(conn)
        }
        "left open" => Transactions::begin_transaction(conn),
        "swallowed" => {
            conn.batch_execute("INSERT INTO nowhere VALUES (1)")
                .unwrap_err();
            Ok(())
        }
        "ddl" => conn.batch_execute("CREATE TABLE extra (id INTEGER)"),
        "temporary" => conn.batch_execute("CREATE TEMPORARY TABLE extra (id INTEGER)"),
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

fn texts(conn: &mut TestConnection) -> Vec<String> {
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
        let (database, mut conn) = Database::open(TABLES);
        let error = Note::create(&mut conn, new_note(text)).expect_err(text);
        assert!(
            matches!(error, Error::TransactionLost { .. }),
            "{text}: {error:?}"
        );
        assert_eq!(depth(&mut conn), 0, "{text}");
        let escaped = texts(&mut database.connect());
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
            texts(&mut database.connect()).len(),
            escaped.len() + 1,
            "{text}"
        );
    }
}

#[test]
fn nothing_commits_by_itself_after_a_receiver_ended_the_transaction_of_the_application() {
    for text in ENDS_IT.into_iter().filter(|text| text.contains("raw")) {
        let (database, mut conn) = Database::open(TABLES);
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
        // MySQL refuses no COMMIT.
        assert_eq!(outcome.is_err(), system() != System::Mysql, "{text}");
        assert_eq!(depth(&mut conn), 0, "{text}");
        let escaped = texts(&mut database.connect());
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

/// On PostgreSQL an error takes the transaction with it, and the operation says so.
#[test]
fn a_receiver_that_swallows_an_error_of_its_own_ends_nothing_where_the_database_goes_on() {
    let (database, mut conn) = Database::open(TABLES);
    let outcome = Note::create(&mut conn, new_note("swallowed"));
    let lost = matches!(outcome, Err(Error::TransactionLost { .. }));
    assert_eq!(lost, on(false, true, false), "{outcome:?}");
    let kept: &[&str] = on(&["swallowed"], &[], &["swallowed"]);
    assert_eq!(texts(&mut database.connect()), kept);
    assert_eq!(LOG.take(), kept);
}

fn has_extra(conn: &mut TestConnection) -> bool {
    conn.batch_execute("SELECT id FROM extra").is_ok()
}

/// DDL commits on MySQL alone.
#[test]
fn a_receiver_that_sends_ddl_ends_the_transaction_where_ddl_commits() {
    let (database, mut conn) = Database::open(TABLES);
    let outcome = Note::create(&mut conn, new_note("ddl"));
    let lost = matches!(outcome, Err(Error::TransactionLost { .. }));
    assert_eq!(lost, on(false, false, true), "{outcome:?}");
    assert_eq!(depth(&mut conn), 0);
    let mut other = database.connect();
    assert_eq!(texts(&mut other), ["ddl"]);
    assert!(has_extra(&mut other));
    assert_eq!(LOG.take(), on(vec!["ddl"], vec!["ddl"], vec![]));
    Note::create(&mut conn, new_note("after")).expect("the connection is usable");
    assert_eq!(LOG.take(), ["after"]);
}

#[test]
fn inside_a_transaction_of_the_application_ddl_commits_what_was_before_it_and_nothing_after() {
    let (database, mut conn) = Database::open(TABLES);
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        Note::create(conn, new_note("before"))?;
        let outcomes = ["ddl", "after"].map(|text| Note::create(conn, new_note(text)));
        for outcome in outcomes {
            let lost = matches!(outcome, Err(Error::TransactionLost { .. }));
            assert_eq!(lost, on(false, false, true), "{outcome:?}");
        }
        let written = diesel::insert_into(notes::table)
            .values(notes::text.eq("by hand"))
            .execute(conn);
        assert_eq!(written.is_err(), on(false, false, true));
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(outcome.is_err());
    assert_eq!(depth(&mut conn), 0);
    let mut other = database.connect();
    let kept: &[&str] = on(&[], &[], &["before", "ddl"]);
    assert_eq!(texts(&mut other), kept);
    assert_eq!(has_extra(&mut other), on(false, false, true));
    assert_eq!(LOG.take(), [""; 0]);
    Note::create(&mut conn, new_note("next")).expect("the connection is usable");
    assert_eq!(LOG.take(), ["next"]);
}

#[test]
fn a_receiver_that_makes_a_temporary_table_ends_nothing() {
    for inside in [false, true] {
        let (database, mut conn) = Database::open(TABLES);
        let outcome = match inside {
            false => Note::create(&mut conn, new_note("temporary")),
            true => conn.transaction(|conn| Note::create(conn, new_note("temporary"))),
        };
        outcome.expect("created");
        assert_eq!(texts(&mut database.connect()), ["temporary"]);
        assert_eq!(LOG.take(), ["temporary"]);
    }
}
