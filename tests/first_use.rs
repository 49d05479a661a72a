//! Receivers are collected on first use, whoever comes first and how many at once.
//!
//! A process has one first use, so the test starts itself again: 5 times, or as often as `FIRST_USES` says.
#![allow(missing_docs)]

mod common;

use std::process::Command;
use std::sync::Barrier;
use std::thread;

use common::{Log, memory};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const THREADS: usize = 64;

const SCHEMA: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE profiles (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id));
";

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer } }

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(extends(Named))]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, auto_create))]
    user_id: i32,
}

trait Named: Send + Sync {}
impl Named for User {}

#[derive(Debug, Signal)]
struct Greeted;

static LOG: Log = Log::new();

#[receiver(dispatch_uid = "3")]
fn last(_: &PostCreate<User>) {
    LOG.push("last");
}

#[receiver(dispatch_uid = "2")]
fn with_connection(event: &PostCreate<User>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let profiles = profiles::table.filter(profiles::user_id.eq(event.instance.id));
    LOG.push(format!(
        "{} profile",
        profiles.count().get_result::<i64>(conn)?
    ));
    Ok(())
}

#[receiver(dispatch_uid = "1")]
fn of_a_trait(_: &PostCreate<dyn Named>) {
    LOG.push("trait");
}

#[receiver(dispatch_uid = "0")]
fn of_every_model(event: &PostCreate<dyn AnyModel>) {
    LOG.push(event.instance.model_name());
}

#[receiver(dispatch_uid = "mail", after_commit)]
fn mail(event: &PostSave<User>) {
    LOG.push(format!("mail {}", event.instance.id));
}

#[receiver]
fn greeted(_: &Greeted, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    LOG.push("greeted");
    conn.after_commit(|| LOG.push("greeting sent"))
}

#[receiver(order = -1)]
fn greeted_without_connection(_: &Greeted) {
    LOG.push("greeting");
}

/// Half of them begin with the model, half with the signal.
fn use_it(thread: usize, barrier: &Barrier) -> Vec<String> {
    let mut conn = memory(SCHEMA);
    barrier.wait();
    let name = "ada".into();
    if thread.is_multiple_of(2) {
        User::create(&mut conn, NewUser { name }).expect("created");
        Greeted.send(&mut conn).expect("sent");
    } else {
        Greeted.send(&mut conn).expect("sent");
        User::create(&mut conn, NewUser { name }).expect("created");
    }
    LOG.take()
}

#[test]
#[ignore = "run by the other test, in a process of its own"]
fn first_use() {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        let uses: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let barrier = &barrier;
                    move || use_it(thread, barrier)
                })
            })
            .collect();
        for (thread, it) in uses.into_iter().enumerate() {
            let mut created = vec!["Profile", "User", "trait", "1 profile", "last", "mail 1"];
            let mut sent = vec!["greeting", "greeted", "greeting sent"];
            let expected = match thread.is_multiple_of(2) {
                true => {
                    created.append(&mut sent);
                    created
                }
                false => {
                    sent.append(&mut created);
                    sent
                }
            };
            assert_eq!(it.join().expect("no panic"), expected, "thread {thread}");
        }
    });
}

#[test]
fn every_receiver_runs_once_however_many_threads_come_first() {
    let processes = std::env::var("FIRST_USES").map_or(5, |it| it.parse().expect("a number"));
    let program = std::env::current_exe().expect("the test's own path");
    for process in 0..processes {
        let output = Command::new(&program)
            .args(["first_use", "--exact", "--ignored"])
            .output()
            .expect("it ran a moment ago");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "process {process}: {text}"
        );
    }
}
