//! What the backends that are not built yet need, and what receivers that merge will.

use std::sync::{Arc, Mutex};

use diesel::result::DatabaseErrorKind;

use super::*;

type Log = Arc<Mutex<Vec<String>>>;

/// A queue that hears what the events of a connection would say.
struct Heard {
    queue: Queue,
    log: Log,
    errors_doom: ErrorEffect,
}

impl Heard {
    fn new(errors_doom: ErrorEffect) -> Self {
        Heard {
            queue: Queue::default(),
            log: Log::default(),
            errors_doom,
        }
    }

    fn ok(&mut self, step: Step) {
        self.queue.finish(step, None).run();
    }

    fn refused(&mut self, step: Step) {
        self.queue.finish(step, Some(&refusal())).run();
        self.statement_fails();
    }

    fn statement_fails(&mut self) {
        self.queue.failed(self.errors_doom).run();
    }

    fn register(&mut self, depth: u32, name: &str) {
        for (kind, verb) in [
            (CallbackKind::AfterCommit, "commit"),
            (CallbackKind::AfterRollback, "undo"),
        ] {
            let callback = note(&self.log, format!("{verb} {name}"));
            self.queue.push(depth, kind, None, callback);
        }
    }

    fn merge(&mut self, depth: u32, key: i32, what: What) {
        let merged = Box::new(Row {
            log: Arc::clone(&self.log),
            key,
            what: vec![what],
        });
        let callback = Callback::Merged(Tag::new::<Row, _>("uid", key), merged);
        let kind = CallbackKind::AfterCommit;
        self.queue.push(depth, kind, Some("uid"), callback);
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().expect("no test panics inside"))
    }
}

fn refusal() -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new("refused".to_owned()))
}

fn note(log: &Log, entry: String) -> Callback {
    let log = Arc::clone(log);
    Callback::Call(Box::new(move || {
        log.lock().expect("no test panics inside").push(entry);
        Ok(())
    }))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Created,
    Updated,
    Deleted,
}

/// What a receiver of saves would collect about a row.
struct Row {
    log: Log,
    key: i32,
    what: Vec<What>,
}

impl Mergeable for Row {
    fn absorb(&mut self, later: Box<dyn std::any::Any>) {
        let later = later.downcast::<Row>().expect("one tag, one type");
        assert_eq!(later.key, self.key, "one tag, one key");
        self.what.extend(later.what);
    }

    fn run(self: Box<Self>) -> Option<Outcome> {
        if self.what.contains(&What::Deleted) {
            return None;
        }
        let entry = format!("{} {:?}", self.key, self.what[0]);
        self.log.lock().expect("no test panics inside").push(entry);
        Some(Ok(()))
    }
}

#[test]
fn a_commit_of_a_doomed_transaction_is_a_rollback() {
    let mut heard = Heard::new(ErrorEffect::Level);
    heard.ok(Step::Begin(1));
    heard.register(1, "a");
    heard.statement_fails();
    heard.register(1, "b");
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["undo a", "undo b"]);
    heard.ok(Step::Begin(1));
    heard.register(1, "c");
    heard.ok(Step::Commit(1));
    assert_eq!(
        heard.log(),
        ["commit c"],
        "the next transaction is a new one"
    );
}

#[test]
fn a_savepoint_around_the_failure_saves_the_transaction() {
    let mut heard = Heard::new(ErrorEffect::Level);
    heard.ok(Step::Begin(1));
    heard.register(1, "outer");
    heard.ok(Step::Begin(2));
    heard.register(2, "inner");
    heard.statement_fails();
    heard.ok(Step::RollBack(2));
    assert_eq!(heard.log(), ["undo inner"]);
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["commit outer"]);
}

#[test]
fn a_savepoint_inside_the_failed_level_saves_nothing() {
    let mut heard = Heard::new(ErrorEffect::Level);
    heard.ok(Step::Begin(1));
    heard.register(1, "outer");
    heard.statement_fails();
    heard.refused(Step::Begin(2));
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["undo outer"]);
}

#[test]
fn a_release_that_is_refused_dooms_the_level_until_it_is_rolled_back() {
    let mut heard = Heard::new(ErrorEffect::Level);
    heard.ok(Step::Begin(1));
    heard.register(1, "outer");
    heard.ok(Step::Begin(2));
    heard.statement_fails();
    heard.register(2, "inner");
    heard.refused(Step::Commit(2));
    heard.ok(Step::RollBack(2));
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["undo inner", "commit outer"]);
}

#[test]
fn a_failed_statement_outside_a_transaction_dooms_nothing() {
    let mut heard = Heard::new(ErrorEffect::Level);
    heard.statement_fails();
    heard.ok(Step::Begin(1));
    heard.register(1, "a");
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["commit a"]);
}

#[test]
fn an_error_that_ends_the_transaction_takes_along_what_waited_for_it() {
    let mut heard = Heard::new(ErrorEffect::Transaction);
    heard.ok(Step::Begin(1));
    heard.register(1, "outer");
    heard.ok(Step::Begin(2));
    heard.register(2, "inner");
    heard.statement_fails();
    assert_eq!(heard.log(), ["undo outer", "undo inner"]);
    heard.ok(Step::RollBack(2));
    heard.ok(Step::Commit(1));
    assert!(heard.log().is_empty());
}

#[test]
fn a_savepoint_that_diesel_does_not_know_takes_along_what_stands_behind_its_mark() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.ok(Step::Begin(1));
    heard.register(1, "before");
    let outer = heard.queue.mark();
    heard.register(1, "outer");
    let inner = heard.queue.mark();
    heard.ok(Step::Begin(2));
    heard.register(2, "inner");
    heard.ok(Step::Commit(2));
    heard.queue.roll_back_to(inner).run();
    assert_eq!(heard.log(), ["undo inner"]);
    heard.queue.roll_back_to(outer).run();
    assert_eq!(heard.log(), ["undo outer"]);
    heard.register(1, "after");
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["commit before", "commit after"]);
}

#[test]
fn a_begin_of_the_outermost_transaction_forgets_one_whose_end_nobody_announced() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.ok(Step::Begin(1));
    heard.register(1, "lost");
    heard.ok(Step::Begin(1));
    assert_eq!(heard.log(), ["undo lost"]);
    heard.ok(Step::Commit(1));
    assert!(heard.log().is_empty());
}

#[test]
fn what_happens_to_a_row_is_told_once_at_the_place_of_the_first() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.ok(Step::Begin(1));
    heard.merge(1, 7, What::Created);
    heard.register(1, "between");
    heard.merge(1, 8, What::Updated);
    heard.merge(1, 7, What::Updated);
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["7 Created", "commit between", "8 Updated"]);
}

#[test]
fn only_what_was_not_rolled_back_is_merged() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.ok(Step::Begin(1));
    heard.ok(Step::Begin(2));
    heard.merge(2, 7, What::Created);
    heard.ok(Step::RollBack(2));
    heard.merge(1, 7, What::Updated);
    heard.ok(Step::Begin(2));
    heard.merge(2, 7, What::Deleted);
    heard.ok(Step::RollBack(2));
    heard.ok(Step::Commit(1));
    assert_eq!(heard.log(), ["7 Updated"]);
}

#[test]
fn a_row_that_was_created_and_deleted_is_not_told() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.ok(Step::Begin(1));
    heard.merge(1, 7, What::Created);
    heard.merge(1, 7, What::Deleted);
    assert_eq!(heard.queue.take_captured(Mark::default()).run(), 0);
    assert!(heard.log().is_empty());
}

#[test]
fn tags_differ_by_receiver_table_key_and_the_type_of_the_key() {
    let same = Tag::new::<Row, _>("uid", 7_i32);
    assert!(same == Tag::new::<Row, _>("uid", 7_i32));
    assert!(same != Tag::new::<Row, _>("uid", 8_i32));
    assert!(same != Tag::new::<Row, _>("uid", 7_i64));
    assert!(same != Tag::new::<Row, _>("other", 7_i32));
    assert!(same != Tag::new::<What, _>("uid", 7_i32));
}

#[test]
fn a_capture_counts_merged_callbacks_once() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.merge(1, 7, What::Created);
    heard.merge(1, 7, What::Updated);
    heard.register(1, "a");
    let captured = heard.queue.captured(Mark::default());
    assert_eq!(super::super::merge::count(captured), 2);
}

/// Operations that call no receiver with the connection set such savepoints; receivers that wait for a
/// commit register inside them.
#[cfg(feature = "sqlite")]
#[test]
fn an_operations_own_savepoint_takes_along_what_was_registered_inside() {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use diesel::connection::Connection;

    use super::super::ext::register;
    use super::super::{Scope, together};
    use crate::error::{Error, Result};

    let mut conn = diesel::SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    let log = Log::default();
    let register = |conn: &mut diesel::SqliteConnection, name: &'static str| {
        let committed = note(&log, format!("commit {name}"));
        let undone = note(&log, format!("undo {name}"));
        register(conn, CallbackKind::AfterCommit, None, committed)?;
        register(conn, CallbackKind::AfterRollback, None, undone)
    };
    conn.transaction(|conn| {
        register(conn, "before")?;
        together(conn, Scope::Statements, |conn| register(conn, "kept"))?;
        let failed: Result = together(conn, Scope::Statements, |conn| {
            together(conn, Scope::Statements, |conn| {
                register(conn, "released inside")
            })?;
            Err(Error::TransactionLost { source: None })
        });
        assert!(failed.is_err());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            together(conn, Scope::Statements, |conn| -> Result {
                register(conn, "panicked")?;
                resume_unwind(Box::new("in a receiver"))
            })
        }));
        assert!(panicked.is_err());
        register(conn, "after")
    })
    .expect("it commits");
    let expected = [
        "undo released inside",
        "undo panicked",
        "commit before",
        "commit kept",
        "commit after",
    ];
    assert_eq!(*log.lock().expect("free"), expected);
}

fn broken(kind: DatabaseErrorKind) -> DieselError {
    DieselError::DatabaseError(kind, Box::new("the connection broke".to_owned()))
}

#[test]
fn a_commit_that_nobody_answered_runs_nothing() {
    let gone = broken(DatabaseErrorKind::ClosedConnection);
    let mut heard = Heard::new(ErrorEffect::Level);
    heard.register(1, "a");
    heard.queue.finish(Step::Commit(1), Some(&gone)).run();
    assert!(heard.log().is_empty() && heard.queue.waiting.is_empty());
}

/// MySQL's client does not tell why the COMMIT failed.
#[test]
fn a_commit_after_which_not_even_a_rollback_is_answered_runs_nothing() {
    for error in [refusal(), broken(DatabaseErrorKind::Unknown)] {
        let mut heard = Heard::new(ErrorEffect::Statement);
        heard.register(1, "a");
        heard.refused(Step::Commit(1));
        heard.queue.finish(Step::UndoCommit, Some(&error)).run();
        assert!(heard.log().is_empty() && heard.queue.waiting.is_empty());
    }
}

#[test]
fn a_commit_that_was_refused_or_never_sent_is_a_rollback() {
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.register(1, "a");
    heard.refused(Step::Commit(1));
    heard.ok(Step::UndoCommit);
    assert_eq!(heard.log(), ["undo a"]);
    let unsent = broken(DatabaseErrorKind::UnableToSendCommand);
    heard.register(1, "b");
    heard.queue.finish(Step::Commit(1), Some(&unsent)).run();
    assert_eq!(heard.log(), ["undo b"]);
    let over = DieselError::DatabaseError(
        DatabaseErrorKind::Unknown,
        Box::new("cannot rollback - no transaction is active".to_owned()),
    );
    heard.register(1, "c");
    heard.refused(Step::Commit(1));
    heard.queue.finish(Step::UndoCommit, Some(&over)).run();
    assert_eq!(heard.log(), ["undo c"]);
}

/// As after a COMMIT for which the disk was full: the database has rolled back, Diesel knows, and sends
/// no ROLLBACK.
#[cfg(feature = "sqlite")]
#[test]
fn a_failed_commit_without_a_rollback_is_over_when_the_next_statement_is_sent() {
    use diesel::connection::Connection;

    use super::super::State;
    use crate::diesel_internals::hear_a_commit_fail;

    let mut conn = diesel::SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    let mut heard = Heard::new(ErrorEffect::Statement);
    heard.register(1, "a");
    let state = State::of(&mut conn).expect("there is room");
    *state.queue().lock() = std::mem::take(&mut heard.queue);
    hear_a_commit_fail(conn.instrumentation(), &refusal());
    assert!(heard.log().is_empty(), "a rollback may follow");
    conn.execute_returning_count(&diesel::sql_query("SELECT 1"))
        .expect("the connection is in order");
    assert_eq!(heard.log(), ["undo a"]);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_queue_made_inside_a_transaction_knows_which_level_a_failure_dooms() {
    use diesel::connection::Connection;

    use super::super::State;
    use super::super::ext::register;
    use crate::error::Result;

    let mut conn = diesel::SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    let log = Log::default();
    let undone = note(&log, "undo".to_owned());
    conn.transaction(|conn| -> Result {
        State::of(conn)?
            .queue()
            .lock()
            .failed(ErrorEffect::Level)
            .run();
        register(conn, CallbackKind::AfterRollback, None, undone)
    })
    .expect("SQLite commits");
    assert_eq!(*log.lock().expect("free"), ["undo"]);
}
