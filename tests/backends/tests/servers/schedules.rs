//! One session deletes a parent while another creates its child, in each order of their steps that matters.
//!
//! By the deleter's view: **A** the other one inserts and commits between its look at the children and its
//! DELETE; **B** the other has inserted before, and commits only when the deleter waits; **B2** so too, but the
//! deleter has read before; **C** it has deleted, and commits after the other inserts; **C2** as A, but the
//! other commits only when the deleter waits.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use backends::{Database, TestConnection, count};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, set_instrumentation};

use crate::sessions::{connect, levels, on_sqlite, one_waits};

const TABLES: &str = "
    CREATE TABLE parents (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE children (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
";
const WITHOUT_FOREIGN_KEY: &str = "
    CREATE TABLE parents (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE children (id {key}, parent_id INTEGER NOT NULL);
";

/// What the two do.
#[derive(Clone, Copy)]
struct Pair {
    action: &'static str,
    delete: fn(&mut TestConnection) -> diesel_hooks::Result,
    create: fn(&mut TestConnection) -> diesel_hooks::Result,
}

/// The same two tables as models with another relation each.
macro_rules! pair {
    ($module:ident, $on_delete:ident) => {
        mod $module {
            use super::*;

            diesel::table! { parents (id) { id -> Integer, name -> Text } }
            diesel::table! { children (id) { id -> Integer, parent_id -> Integer } }

            #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
            #[hooks(connection(TestConnection))]
            pub(super) struct Parent {
                id: i32,
                name: String,
            }

            #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
            #[hooks(connection(TestConnection))]
            #[diesel(table_name = children)]
            pub(super) struct Child {
                id: i32,
                #[hooks(foreign_key(Parent, on_delete = $on_delete))]
                parent_id: i32,
            }

            pub(super) const PAIR: Pair = Pair {
                action: stringify!($module),
                delete: |conn| {
                    let parent = Parent {
                        id: 1,
                        name: "contested".into(),
                    };
                    parent.delete(conn).map(drop)
                },
                create: |conn| Child::create(conn, NewChild { parent_id: 1 }).map(drop),
            };
        }
    };
}

pair!(cascade, Cascade);
pair!(heard_cascade, Cascade);
pair!(protect, Protect);
pair!(restrict, Restrict);

/// Whether a session waits is asked of the whole server.
static ALONE: Mutex<()> = Mutex::new(());

static HEARD: Mutex<Vec<(TestThread, i32)>> = Mutex::new(Vec::new());

type TestThread = thread::ThreadId;

#[receiver]
fn one_went(event: &PostDelete<heard_cascade::Child>, conn: &mut TestConnection) {
    let keys = event.instance.key_text();
    assert_eq!(count(conn, &format!("children WHERE id = {keys}")), 0);
    let heard = (thread::current().id(), 1);
    HEARD.lock().expect("no test panics inside").push(heard);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Schedule {
    A,
    B,
    B2,
    C,
    C2,
}

const SCHEDULES: [Schedule; 5] = [
    Schedule::A,
    Schedule::B,
    Schedule::B2,
    Schedule::C,
    Schedule::C2,
];

/// A session that inserts, and commits, each when it is told to.
struct Inserter {
    go: Sender<()>,
    done: Receiver<()>,
    watcher: TestConnection,
}

impl Inserter {
    fn start(
        database: &Database,
        level: &str,
        create: fn(&mut TestConnection) -> diesel_hooks::Result,
    ) -> (Self, JoinHandle<diesel_hooks::Result>) {
        let (go, told) = channel();
        let (tell, done) = channel();
        let mut conn = connect(database, level);
        let session = thread::spawn(move || {
            let outcome = conn.transaction(|conn| {
                told.recv().expect("it is told to insert");
                let created = create(conn);
                if created.is_ok() {
                    let _ = tell.send(());
                    told.recv().expect("it is told to commit");
                }
                created
            });
            let _ = tell.send(());
            outcome
        });
        let watcher = database.connect();
        (Inserter { go, done, watcher }, session)
    }

    /// Lets it take its next step, if it is not over; returns when that is done or waits for a lock.
    fn step(&mut self) -> bool {
        let _ = self.go.send(());
        loop {
            if self.done.try_recv() != Err(std::sync::mpsc::TryRecvError::Empty) {
                return true;
            }
            if !on_sqlite() && one_waits(&mut self.watcher) {
                return false;
            }
            thread::yield_now();
        }
    }
}

struct Outcome {
    deleted: diesel_hooks::Result,
    created: diesel_hooks::Result,
    deleter: TestThread,
}

/// Runs both in this order, on a parent that has no child yet.
fn play(database: &Database, schedule: Schedule, level: &str, pair: Pair) -> Outcome {
    let (inserter, session) = Inserter::start(database, level, pair.create);
    let inserter = Arc::new(Mutex::new(inserter));
    let step = {
        let inserter = Arc::clone(&inserter);
        move || inserter.lock().expect("no test panics inside").step()
    };
    if schedule == Schedule::B {
        step();
    }
    let mut conn = connect(database, level);
    let deleter = {
        let step = step.clone();
        thread::spawn(move || delete(&mut conn, schedule, pair, step))
    };
    let mut watcher = database.connect();
    while !deleter.is_finished() {
        let turn = matches!(schedule, Schedule::B | Schedule::B2 | Schedule::C2);
        if turn && !on_sqlite() && one_waits(&mut watcher) {
            // Whoever waits, waits for the other one, or finds that the other one has gone on meanwhile.
            step();
        }
        thread::yield_now();
    }
    let id = deleter.thread().id();
    let deleted = deleter.join().expect("the deleter does not panic");
    // What is left of the other one's steps.
    drop(step);
    let inserter = Arc::into_inner(inserter).expect("nobody steps any more");
    let inserter = inserter.into_inner().expect("no test panics inside");
    let _ = inserter.go.send(());
    let _ = inserter.go.send(());
    let created = session.join().expect("the inserter does not panic");
    Outcome {
        deleted,
        created,
        deleter: id,
    }
}

fn delete(
    conn: &mut TestConnection,
    schedule: Schedule,
    pair: Pair,
    step: impl Fn() -> bool + Send + 'static,
) -> diesel_hooks::Result {
    match schedule {
        Schedule::B => (pair.delete)(conn),
        Schedule::A | Schedule::C2 => {
            let mut looked = false;
            set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
                let InstrumentationEvent::StartQuery { query, .. } = event else {
                    return;
                };
                let sql = query.to_string();
                let deletes_parent = sql.starts_with("DELETE FROM")
                    && sql.contains("parents")
                    && !sql.contains("children");
                if deletes_parent && !std::mem::replace(&mut looked, true) {
                    let inserted = step();
                    if schedule == Schedule::A && inserted {
                        step();
                    }
                }
            });
            (pair.delete)(conn)
        }
        Schedule::B2 => conn.transaction(|conn| {
            count(conn, "parents");
            step();
            (pair.delete)(conn)
        }),
        Schedule::C => conn.transaction(|conn| {
            (pair.delete)(conn)?;
            step();
            Ok(())
        }),
    }
}

/// One parent without a child, whatever was there.
fn one_parent(database: &Database) {
    let sql = "INSERT INTO parents (id, name) VALUES (1, 'contested')";
    let mut conn = database.connect();
    for sql in ["DELETE FROM children", "DELETE FROM parents", sql] {
        conn.batch_execute(sql).expect("nobody else is there");
    }
}

fn is_foreign_key(error: &Error) -> bool {
    let Error::Query { source, .. } = error else {
        return false;
    };
    matches!(
        source,
        DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)
    )
}

#[test]
fn no_order_of_steps_leaves_an_orphan_or_passes_a_protection() {
    let _alone = ALONE.lock();
    let database = Database::new(TABLES);
    let pairs = [
        cascade::PAIR,
        heard_cascade::PAIR,
        protect::PAIR,
        restrict::PAIR,
    ];
    for level in levels() {
        for schedule in SCHEDULES {
            for pair in pairs {
                one_parent(&database);
                let outcome = play(&database, schedule, level, pair);
                let mut conn = database.connect();
                let (parents, children) =
                    (count(&mut conn, "parents"), count(&mut conn, "children"));
                let Outcome {
                    deleted,
                    created,
                    deleter,
                } = outcome;
                println!(
                    "{schedule:?} {level} {}: deleted {:?}, created {:?}",
                    pair.action,
                    deleted.as_ref().err(),
                    created.as_ref().err()
                );
                let place = format!(
                    "{schedule:?} {level} {}: {deleted:?} {created:?}",
                    pair.action
                );
                assert!(children == 0 || parents == 1, "an orphan: {place}");
                assert_eq!(deleted.is_ok(), parents == 0, "{place}");
                assert!(deleted.is_ok() || created.is_ok(), "nobody won: {place}");
                match &created {
                    Ok(()) if deleted.is_ok() => {
                        assert!(
                            pair.action.ends_with("cascade"),
                            "a lost protection: {place}"
                        );
                        let heard = HEARD.lock().expect("no test panics inside");
                        let heard = heard
                            .iter()
                            .filter(|(thread, _)| *thread == deleter)
                            .count();
                        assert_eq!(
                            heard,
                            usize::from(pair.action == "heard_cascade"),
                            "{place}"
                        );
                    }
                    Ok(()) => assert_eq!(children, 1, "{place}"),
                    Err(error) => {
                        assert!(
                            is_foreign_key(error) && deleted.is_ok() || error.is_retryable(),
                            "{place}"
                        );
                    }
                }
                if let Err(error) = &deleted {
                    let refused = matches!(error, Error::Protected(_) | Error::Restricted(_));
                    assert!(refused || error.is_retryable(), "{place}");
                }
            }
        }
    }
}

/// What applications write by hand.
mod by_hand {
    use super::*;

    pub(super) const PAIR: Pair = Pair {
        action: "by hand",
        delete: |conn| {
            conn.transaction(|conn| {
                if count(conn, "children") > 0 {
                    return Err(Error::from(DieselError::RollbackTransaction));
                }
                diesel::sql_query("DELETE FROM parents").execute(conn)?;
                Ok(())
            })
        },
        create: |conn| {
            diesel::sql_query("INSERT INTO children (parent_id) SELECT id FROM parents")
                .execute(conn)?;
            Ok(())
        },
    };
}

#[test]
fn without_a_foreign_key_the_same_orders_leave_orphans_but_on_sqlite() {
    let _alone = ALONE.lock();
    let database = Database::new(WITHOUT_FOREIGN_KEY);
    let (mut orphans, mut rounds) = (0, 0);
    for level in levels() {
        for schedule in SCHEDULES {
            one_parent(&database);
            drop(play(&database, schedule, level, by_hand::PAIR));
            let mut conn = database.connect();
            rounds += 1;
            if count(&mut conn, "parents") == 0 {
                orphans += count(&mut conn, "children");
            }
        }
    }
    println!("{orphans} orphans in {rounds} rounds by hand");
    assert_eq!(orphans > 0, !on_sqlite());
}
