//! A process that is killed at any instant leaves whole operations: all that it was told of, and at most the one
//! that was under way.
//!
//! The test starts itself again as the process to kill: 20 times, or as often as `DIESEL_HOOKS_KILLS` says.
#![allow(missing_docs)]
#![expect(clippy::print_stdout, reason = "a process tells another")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::OnDisk;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { people (id) { id -> Integer, user_id -> Integer } }
diesel::table! { journal (id) { id -> Integer, text -> Text } }
diesel::allow_tables_to_appear_in_same_query!(users, people);

const SCHEMA: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE REFERENCES users);
    CREATE TABLE journal (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
";

/// Where the process finds the database.
const DATABASE: &str = "DIESEL_HOOKS_KILLED_DATABASE";

#[derive(Debug, Clone, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = people)]
#[hooks(new = NewPerson)]
struct Person {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = person, auto_create))]
    user_id: i32,
}

#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = people)]
struct NewPerson {
    user_id: i32,
}

/// Writes it, and tells the parent process after the commit.
fn write(text: String, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    diesel::insert_into(journal::table)
        .values(journal::text.eq(&text))
        .execute(conn)?;
    conn.after_commit(move || println!("told {text}"))
}

#[receiver]
fn journal_saves(event: &PostSave<User>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    write(format!("saved {}", event.instance.name), conn)
}

#[receiver]
fn journal_deletes(event: &PostDelete<User>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    write(format!("deleted {}", event.instance.name), conn)
}

fn new_user(name: &str, number: usize) -> NewUser {
    let name = format!("{name}{number}");
    NewUser { name }
}

/// The operations come in rounds: a user is created, is renamed, gets two successors, and is deleted.
fn operate(conn: &mut SqliteConnection, number: usize) -> diesel_hooks::Result {
    let round = number / 4;
    let named = |name: &str, conn: &mut SqliteConnection| {
        users::table
            .filter(users::name.eq(format!("{name}{round}")))
            .first::<User>(conn)
    };
    match number % 4 {
        0 => User::create(conn, new_user("a", round)).map(drop),
        1 => named("a", conn)?.update(conn, |user| user.name = format!("b{round}")),
        2 => User::create_many(conn, vec![new_user("c", round), new_user("d", round)]).map(drop),
        _ => named("b", conn)?.delete(conn).map(drop),
    }
}

/// What the database holds: names of users, each with how many people it has, and the journal.
#[derive(Debug, PartialEq)]
struct Contents {
    users: Vec<(String, i64)>,
    journal: Vec<String>,
    people: i64,
}

/// What it holds after so many operations.
fn expected(operations: usize) -> Contents {
    let (mut names, mut journal) = (Vec::new(), Vec::new());
    for number in 0..operations {
        let round = number / 4;
        let texts: &[&str] = match number % 4 {
            0 => {
                names.push(format!("a{round}"));
                &["saved a"]
            }
            1 => {
                names.retain(|name| *name != format!("a{round}"));
                names.push(format!("b{round}"));
                &["saved b"]
            }
            2 => {
                names.extend([format!("c{round}"), format!("d{round}")]);
                &["saved c", "saved d"]
            }
            _ => {
                names.retain(|name| *name != format!("b{round}"));
                &["deleted b"]
            }
        };
        journal.extend(texts.iter().map(|text| format!("{text}{round}")));
    }
    names.sort();
    Contents {
        people: i64::try_from(names.len()).expect("few"),
        users: names.into_iter().map(|name| (name, 1)).collect(),
        journal,
    }
}

fn contents(conn: &mut SqliteConnection) -> Contents {
    let people_of = people::table
        .filter(people::user_id.eq(users::id))
        .count()
        .single_value()
        .assume_not_null();
    Contents {
        users: users::table
            .select((users::name, people_of))
            .order(users::name)
            .load(conn)
            .expect("users can be read"),
        journal: journal::table
            .select(journal::text)
            .order(journal::id)
            .load(conn)
            .expect("the journal can be read"),
        people: people::table
            .count()
            .get_result(conn)
            .expect("people can be counted"),
    }
}

#[test]
#[ignore = "run by the other test, in a process that it kills"]
fn operate_until_killed() {
    let url = std::env::var(DATABASE).expect("the other test says where the database is");
    let mut conn = SqliteConnection::establish(&url).expect("the file can be opened");
    conn.batch_execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF;")
        .expect("pragmas are accepted");
    for number in 0.. {
        operate(&mut conn, number).expect("nothing is in its way");
        println!("done");
    }
}

/// Kills a process after this time, and says how many operations it had finished.
fn kill(journal_mode: &str, after: Duration) -> usize {
    let disk = OnDisk::new(SCHEMA);
    disk.connect()
        .batch_execute(&format!("PRAGMA journal_mode = {journal_mode}"))
        .expect("a pragma");
    let mut process = Command::new(std::env::current_exe().expect("the test's own path"))
        .args([
            "operate_until_killed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(DATABASE, disk.url())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it ran a moment ago");
    let output = process.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(output)
        .lines()
        .map(|line| line.expect("text"));
    let mut heard: Vec<_> = lines.by_ref().take_while(|line| line != "done").collect();
    sleep(after);
    process.kill().expect("it has no end of its own");
    process.wait().expect("it was killed");
    heard.extend(lines);

    let mut conn = disk.connect();
    let sound: String = diesel::select(diesel::dsl::sql::<Text>(
        "(SELECT integrity_check FROM pragma_integrity_check)",
    ))
    .get_result(&mut conn)
    .expect("an answer");
    assert_eq!(sound, "ok");

    // The first was taken off above.
    let done = 1 + heard.iter().filter(|line| *line == "done").count();
    let found = contents(&mut conn);
    assert!(
        found == expected(done) || found == expected(done + 1),
        "after {done} operations: {found:?}"
    );
    // The test harness may have begun the first line.
    let told: Vec<_> = heard
        .iter()
        .filter_map(|line| Some(line.split_once("told ")?.1))
        .collect();
    assert!(
        found.journal.iter().zip(&told).all(|(a, b)| a == b) && told.len() <= found.journal.len(),
        "told of what is not there: {told:?}, {found:?}"
    );
    assert!(
        told.len() >= expected(done).journal.len(),
        "not told of what was done: {told:?}, {found:?}"
    );
    done
}

#[test]
fn a_process_that_is_killed_leaves_whole_operations_and_all_that_it_had_finished() {
    let kills = std::env::var("DIESEL_HOOKS_KILLS").map_or(20, |it| it.parse().expect("a number"));
    let mut done = 0;
    for number in 0..kills {
        let journal_mode = ["WAL", "DELETE"][number % 2];
        // Spread over the length of an operation.
        let after = Duration::from_micros(30_000 + (number as u64 * 7_919) % 50_000);
        done += kill(journal_mode, after);
    }
    println!("{kills} processes killed, which had finished {done} operations");
    assert!(done > kills, "they were killed while they worked");
}
