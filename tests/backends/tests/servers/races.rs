//! Whoever creates children while their parent is deleted: no child is left without a parent, nothing that is
//! protected goes, and whoever loses is told why.
//!
//! `DIESEL_HOOKS_RACES` says how many rounds on each isolation level.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use backends::{Database, TestConnection, count};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::error::Operation;
use diesel_hooks::prelude::*;

use crate::sessions::{connect, levels, on_sqlite};

const TABLES: &str = "
    CREATE TABLE parents (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE heard (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
    CREATE INDEX heard_parent ON heard (parent_id);
    CREATE TABLE silent (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
    CREATE INDEX silent_parent ON silent (parent_id);
    CREATE TABLE guards (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
    CREATE INDEX guards_parent ON guards (parent_id);
    CREATE TABLE fences (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
    CREATE INDEX fences_parent ON fences (parent_id);
";

diesel::table! { parents (id) { id -> Integer, name -> Text } }
diesel::table! { heard (id) { id -> Integer, parent_id -> Integer } }
diesel::table! { silent (id) { id -> Integer, parent_id -> Integer } }
diesel::table! { guards (id) { id -> Integer, parent_id -> Integer } }
diesel::table! { fences (id) { id -> Integer, parent_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Parent {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = heard)]
struct Heard {
    id: i32,
    #[hooks(foreign_key(Parent, on_delete = Cascade))]
    parent_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = silent)]
struct Silent {
    id: i32,
    #[hooks(foreign_key(Parent, on_delete = Cascade))]
    parent_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Guard {
    id: i32,
    #[hooks(foreign_key(Parent, on_delete = Protect))]
    parent_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Fence {
    id: i32,
    #[hooks(foreign_key(Parent, on_delete = Restrict))]
    parent_id: i32,
}

static WENT: AtomicUsize = AtomicUsize::new(0);

#[receiver(after_commit)]
fn one_went(_: &PostDelete<Heard>) {
    WENT.fetch_add(1, Ordering::Relaxed);
}

fn rounds() -> usize {
    let rounds = std::env::var("DIESEL_HOOKS_RACES").ok();
    rounds.and_then(|it| it.parse().ok()).unwrap_or(200)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Heard,
    Silent,
    Guard,
    Fence,
}

const KINDS: [(Kind, &str); 4] = [
    (Kind::Heard, "heard"),
    (Kind::Silent, "silent"),
    (Kind::Guard, "guards"),
    (Kind::Fence, "fences"),
];

fn create(conn: &mut TestConnection, kind: Kind, parent_id: i32) -> diesel_hooks::Result {
    match kind {
        Kind::Heard => Heard::create(conn, NewHeard { parent_id }).map(drop),
        Kind::Silent => Silent::create(conn, NewSilent { parent_id }).map(drop),
        Kind::Guard => Guard::create(conn, NewGuard { parent_id }).map(drop),
        Kind::Fence => Fence::create(conn, NewFence { parent_id }).map(drop),
    }
}

/// A xorshift generator: what is tried is the same on every machine, if not who is first.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}

/// What a loser is told: that the parent is gone, what protects it, or to try again.
fn told(error: &Error) -> Option<&'static str> {
    match error {
        Error::Protected(_) => Some("protected"),
        Error::Restricted(_) => Some("restricted"),
        Error::Query {
            source: DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _),
            model: Some("Heard" | "Silent" | "Guard" | "Fence"),
            operation: Some(Operation::Create),
        } => Some("without its parent"),
        error if error.is_retryable() => Some("to be tried again"),
        _ => None,
    }
}

/// How often something came out, and what must not.
#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<String, usize>,
    violations: Vec<String>,
}

impl Tally {
    /// Whether it was done.
    fn count(&mut self, operation: &str, outcome: &diesel_hooks::Result) -> bool {
        let told = match outcome {
            Ok(()) => Some("done"),
            Err(error) => told(error),
        };
        match told {
            Some(told) => {
                *self
                    .outcomes
                    .entry(format!("{operation} {told}"))
                    .or_default() += 1
            }
            None => self.violations.push(format!("{operation}: {outcome:?}")),
        }
        outcome.is_ok()
    }
}

fn session(database: &Database, level: &str) -> TestConnection {
    match on_sqlite() {
        // Whoever does not wait is refused nearly always.
        true => database.connect(),
        false => connect(database, level),
    }
}

const CREATORS: u64 = 3;

/// In each round, creators add children to a new parent while its delete is under way.
fn play(level: &str, rounds: usize) -> Tally {
    let database = Database::new(TABLES);
    let tally = Mutex::new(Tally::default());
    let (parent_id, blocking, heard) =
        (AtomicI32::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let went_before = WENT.load(Ordering::Relaxed);
    let round = Barrier::new(usize::try_from(CREATORS).expect("a few") + 1);
    let count_outcome = |operation: &str, outcome: &diesel_hooks::Result| {
        let mut tally = tally.lock().expect("no test panics inside");
        tally.count(operation, outcome)
    };
    let mut conn = session(&database, level);
    std::thread::scope(|scope| {
        for number in 1..=CREATORS {
            let (database, parent_id, blocking, heard) = (&database, &parent_id, &blocking, &heard);
            let (round, count_outcome) = (&round, &count_outcome);
            scope.spawn(move || {
                let mut random = Random(SEED ^ number);
                let mut conn = session(database, level);
                for _ in 0..rounds {
                    round.wait();
                    // Most rounds go without what blocks, or hardly a parent would go.
                    let kinds = if random.below(6) == 0 { 4 } else { 2 };
                    for _ in 0..=random.below(3) {
                        let at = usize::try_from(random.below(kinds)).expect("a few");
                        let (kind, table) = KINDS[at];
                        let outcome = create(&mut conn, kind, parent_id.load(Ordering::Relaxed));
                        if count_outcome(table, &outcome) {
                            match kind {
                                Kind::Heard => heard.fetch_add(1, Ordering::Relaxed),
                                Kind::Silent => 0,
                                Kind::Guard | Kind::Fence => {
                                    blocking.fetch_add(1, Ordering::Relaxed)
                                }
                            };
                        }
                    }
                    round.wait();
                }
            });
        }
        let mut random = Random(SEED);
        for _ in 0..rounds {
            let new = NewParent {
                name: "contested".into(),
            };
            let parent = Parent::create(&mut conn, new).expect("created");
            parent_id.store(parent.id, Ordering::Relaxed);
            blocking.store(0, Ordering::Relaxed);
            round.wait();
            for _ in 0..random.below(200) {
                std::hint::spin_loop();
                std::thread::yield_now();
            }
            let outcome = match random.below(2) {
                0 => parent.delete(&mut conn).map(drop),
                _ => conn.transaction(|conn| {
                    count(conn, "parents WHERE id < 0");
                    parent.delete(conn).map(drop)
                }),
            };
            let went = count_outcome("delete", &outcome);
            round.wait();
            let refer = |table| format!("{table} WHERE parent_id = {}", parent.id);
            let left: i64 = KINDS
                .iter()
                .map(|(_, table)| count(&mut conn, &refer(table)))
                .sum();
            let there = count(&mut conn, &format!("parents WHERE id = {}", parent.id));
            let blocking = blocking.load(Ordering::Relaxed);
            let mut tally = tally.lock().expect("no test panics inside");
            if (there == 0) != went {
                tally
                    .violations
                    .push(format!("{outcome:?}, but {there} parents"));
            }
            if went && left > 0 {
                tally.violations.push(format!("{left} orphans"));
            }
            if went && blocking > 0 {
                tally
                    .violations
                    .push(format!("{blocking} protections lost"));
            }
        }
    });
    let mut tally = tally.into_inner().expect("no test panics inside");
    let left = usize::try_from(count(&mut conn, "heard")).expect("not negative");
    let went = heard.load(Ordering::Relaxed) - left;
    let told = WENT.load(Ordering::Relaxed) - went_before;
    if told != went {
        tally
            .violations
            .push(format!("{went} heard rows went, {told} were told of"));
    }
    tally
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

#[test]
fn no_child_is_left_without_its_parent_none_that_protects_goes_and_each_that_went_was_heard_once() {
    let rounds = rounds();
    for level in levels() {
        let tally = play(level, rounds);
        let Tally {
            outcomes,
            violations,
        } = &tally;
        println!(
            "{level}: {rounds} rounds, {} violations, {outcomes:?}",
            violations.len()
        );
        assert!(violations.is_empty(), "{level}: {violations:#?}");
        assert!(
            outcomes.contains_key("delete done"),
            "{level}: some parents go"
        );
    }
}
