//! Whoever creates children while their parent is deleted: no child is left without a parent, nothing that is
//! protected goes, and whoever loses is told why.
//!
//! `DIESEL_HOOKS_RACES` says how many rounds.
#![allow(missing_docs, reason = "schema modules are generated")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use backends::{Database, TestConnection, count};
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

const TABLES: &str = "
    CREATE TABLE parents (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE heard (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
    CREATE TABLE silent (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
    CREATE TABLE guards (id {key}, parent_id INTEGER NOT NULL, FOREIGN KEY (parent_id) REFERENCES parents (id));
";

diesel::table! { parents (id) { id -> Integer, name -> Text } }
diesel::table! { heard (id) { id -> Integer, parent_id -> Integer } }
diesel::table! { silent (id) { id -> Integer, parent_id -> Integer } }
diesel::table! { guards (id) { id -> Integer, parent_id -> Integer } }

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

static WENT: AtomicUsize = AtomicUsize::new(0);

#[receiver]
fn one_went(_: &PostDelete<Heard>) {
    WENT.fetch_add(1, Ordering::Relaxed);
}

fn rounds() -> usize {
    let rounds = std::env::var("DIESEL_HOOKS_RACES").ok();
    rounds.and_then(|it| it.parse().ok()).unwrap_or(50)
}

/// What a loser may be told: that the parent is gone, what protects it, or to try again.
fn is_expected(error: &Error) -> bool {
    let source = match error {
        Error::Protected(_) | Error::ChildAppeared { .. } | Error::NotFound { .. } => return true,
        Error::TransactionLost { source } => return source.as_deref().is_some_and(is_expected),
        Error::Query { source, .. } => source,
        _ => return false,
    };
    let diesel::result::Error::DatabaseError(kind, info) = source else {
        return false;
    };
    let retryable = ["deadlock", "locked", "try restarting", "record has changed"];
    let message = info.message().to_lowercase();
    matches!(
        kind,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::SerializationFailure
    ) || retryable.iter().any(|it| message.contains(it))
}

/// Creates children of a parent on three connections while a fourth deletes it, and says whether it went.
fn race(
    database: &Database,
    create: impl Fn(&mut TestConnection, i32) -> diesel_hooks::Result + Sync,
) -> (i32, bool) {
    let mut conn = database.connect();
    let new = NewParent {
        name: "contested".into(),
    };
    let parent = Parent::create(&mut conn, new).expect("created");
    let start = Barrier::new(4);
    let went = std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut conn = database.connect();
                start.wait();
                for _ in 0..5 {
                    if let Err(error) = create(&mut conn, parent.id) {
                        assert!(is_expected(&error), "create: {error:?}");
                    }
                }
            });
        }
        start.wait();
        match parent.delete(&mut conn) {
            Ok(deleted) => deleted.by_model.contains_key("Parent"),
            Err(error) => {
                assert!(is_expected(&error), "delete: {error:?}");
                false
            }
        }
    });
    (parent.id, went)
}

#[test]
fn no_child_is_left_without_its_parent_and_each_that_went_was_heard_once() {
    let database = Database::new(TABLES);
    let created = AtomicUsize::new(0);
    let mut gone = 0;
    for _ in 0..rounds() {
        let (parent, went) = race(&database, |conn, parent_id| {
            Heard::create(conn, NewHeard { parent_id })?;
            created.fetch_add(1, Ordering::Relaxed);
            Silent::create(conn, NewSilent { parent_id }).map(drop)
        });
        let mut conn = database.connect();
        let left = |table| format!("{table} WHERE parent_id = {parent}");
        let left = count(&mut conn, &left("heard")) + count(&mut conn, &left("silent"));
        assert!(!went || left == 0, "{left} orphans");
        gone += usize::from(went);
    }
    let left = usize::try_from(count(&mut database.connect(), "heard")).expect("not negative");
    let created = created.load(Ordering::Relaxed);
    assert_eq!(WENT.load(Ordering::Relaxed), created - left);
    let (rounds, heard) = (rounds(), created - left);
    println!("{gone} of {rounds} parents went, with {heard} of {created} children");
}

#[test]
fn a_parent_that_is_protected_in_time_stays() {
    let database = Database::new(TABLES);
    let mut gone = 0;
    for _ in 0..rounds() {
        let (parent, went) = race(&database, |conn, parent_id| {
            Guard::create(conn, NewGuard { parent_id }).map(drop)
        });
        let mut conn = database.connect();
        let guards = count(&mut conn, &format!("guards WHERE parent_id = {parent}"));
        let there = count(&mut conn, &format!("parents WHERE id = {parent}"));
        assert_eq!(there == 0, went);
        assert!(guards == 0 || there == 1, "{guards} guards of nothing");
        gone += usize::from(went);
    }
    println!("{gone} of {} parents went unprotected", rounds());
}
