//! One session deletes a parent while another creates its child, in each order of their steps that matters.
//!
//! By the deleter's view: **A** the other one inserts and commits between its look at the children and its
//! DELETE; **B** the other has inserted before, and commits only when the deleter waits; **B2** so too, but the
//! deleter has read before; **C** it has deleted, and commits after the other inserts; **C2** as A, but the
//! other commits only when the deleter waits.

use std::sync::atomic::{AtomicBool, Ordering};
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
    CREATE TABLE lodgers (id {key}, parent_id INTEGER, FOREIGN KEY (parent_id) REFERENCES parents (id));
";
const WITHOUT_FOREIGN_KEY: &str = "
    CREATE TABLE parents (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE children (id {key}, parent_id INTEGER NOT NULL);
";

/// What the two do.
#[derive(Clone, Copy)]
struct Pair {
    action: &'static str,
    /// Those that refer to the parent.
    children: &'static str,
    delete: fn(&mut TestConnection) -> diesel_hooks::Result,
    create: fn(&mut TestConnection) -> diesel_hooks::Result,
}

/// The same two tables as models with another relation each.
macro_rules! pair {
    ($module:ident, $on_delete:ident) => {
        pair!($module, $on_delete, children, i32, Integer, 1);
    };
    ($module:ident, $on_delete:ident, $children:ident, $key:ty, $column:ty, $parent:expr) => {
        mod $module {
            use super::*;

            diesel::table! { parents (id) { id -> Integer, name -> Text } }
            diesel::table! { $children (id) { id -> Integer, parent_id -> $column } }

            #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
            #[hooks(connection(TestConnection))]
            pub(super) struct Parent {
                id: i32,
                name: String,
            }

            #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
            #[hooks(connection(TestConnection))]
            #[diesel(table_name = $children)]
            pub(super) struct Child {
                id: i32,
                #[hooks(foreign_key(Parent, on_delete = $on_delete))]
                parent_id: $key,
            }

            pub(super) const PAIR: Pair = Pair {
                action: stringify!($module),
                children: concat!(stringify!($children), " WHERE parent_id IS NOT NULL"),
                delete: |conn| {
                    let parent = Parent {
                        id: 1,
                        name: "contested".into(),
                    };
                    parent.delete(conn).map(drop)
                },
                create: |conn| {
                    let new = NewChild { parent_id: $parent };
                    Child::create(conn, new).map(drop)
                },
            };
        }
    };
}

pair!(cascade, Cascade);
pair!(heard_cascade, Cascade);
pair!(protect, Protect);
pair!(restrict, Restrict);
pair!(
    set_null,
    SetNull,
    lodgers,
    Option<i32>,
    Nullable<Integer>,
    Some(1)
);

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
            let stepped = Arc::new(AtomicBool::new(false));
            let steps = Arc::clone(&stepped);
            set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
                let InstrumentationEvent::StartQuery { query, .. } = event else {
                    return;
                };
                if deletes_parent(&query.to_string()) && !steps.swap(true, Ordering::Relaxed) {
                    let inserted = step();
                    if schedule == Schedule::A && inserted {
                        step();
                    }
                }
            });
            let deleted = (pair.delete)(conn);
            let stepped = stepped.load(Ordering::Relaxed);
            assert!(stepped, "{schedule:?} {}: no step between", pair.action);
            deleted
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

/// Whether this statement deletes rows of the parents' table.
fn deletes_parent(sql: &str) -> bool {
    let table = sql.strip_prefix("DELETE FROM ");
    table.is_some_and(|it| it.trim_start_matches(['`', '"']).starts_with("parents"))
}

/// One parent without a child, whatever was there.
fn one_parent(database: &Database, tables: &[&str]) {
    let mut conn = database.connect();
    for table in tables {
        conn.batch_execute(&format!("DELETE FROM {table}"))
            .expect("nobody else is there");
    }
    conn.batch_execute("INSERT INTO parents (id, name) VALUES (1, 'contested')")
        .expect("nobody else is there");
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
        set_null::PAIR,
    ];
    for level in levels() {
        for schedule in SCHEDULES {
            for pair in pairs {
                one_parent(&database, &["children", "lodgers", "parents"]);
                let outcome = play(&database, schedule, level, pair);
                let mut conn = database.connect();
                let (parents, children) =
                    (count(&mut conn, "parents"), count(&mut conn, pair.children));
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
                        let takes_it = !matches!(pair.action, "protect" | "restrict");
                        assert!(takes_it, "a lost protection: {place}");
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
        children: "children",
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
            one_parent(&database, &["children", "parents"]);
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
