//! A process that is killed at any instant leaves whole operations: all that it was told of, and at most the one
//! that was under way.
//!
//! The test starts itself again as the process to kill: 20 times, or as often as `DIESEL_HOOKS_KILLS` says.
#![allow(missing_docs, reason = "schema modules are generated")]
#![expect(clippy::print_stdout, reason = "a process tells another")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use backends::{Database, System, TestConnection, enforce_foreign_keys, on, system};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { people (id) { id -> Integer, user_id -> Integer } }
diesel::table! { journal (id) { id -> Integer, text -> Text } }
diesel::allow_tables_to_appear_in_same_query!(users, people);

const SCHEMA: &str = "
    CREATE TABLE users (id {key}, name TEXT NOT NULL UNIQUE);
    CREATE TABLE people (id {key}, user_id INTEGER NOT NULL UNIQUE REFERENCES users (id));
    CREATE TABLE journal (id {key}, text TEXT NOT NULL);
";

/// Where the process finds the database.
const DATABASE: &str = "DIESEL_HOOKS_KILLED_DATABASE";

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = people)]
#[hooks(connection(TestConnection), new = NewPerson)]
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
fn write(text: String, conn: &mut TestConnection) -> diesel_hooks::Result {
    diesel::insert_into(journal::table)
        .values(journal::text.eq(&text))
        .execute(conn)?;
    conn.after_commit(move || println!("told {text}"))
}

#[receiver]
fn journal_saves(event: &PostSave<User>, conn: &mut TestConnection) -> diesel_hooks::Result {
    write(format!("saved {}", event.instance.name), conn)
}

#[receiver]
fn journal_deletes(event: &PostDelete<User>, conn: &mut TestConnection) -> diesel_hooks::Result {
    write(format!("deleted {}", event.instance.name), conn)
}

fn new_user(name: &str, number: usize) -> NewUser {
    let name = format!("{name}{number}");
    NewUser { name }
}

/// The operations come in rounds: a user is created, is renamed, gets two successors, and is deleted.
fn operate(conn: &mut TestConnection, number: usize) -> diesel_hooks::Result {
    let round = number / 4;
    let named = |name: &str, conn: &mut TestConnection| {
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

fn contents(conn: &mut TestConnection) -> Contents {
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
    let mut conn = TestConnection::establish(&url).expect("the database is there");
    enforce_foreign_keys(&mut conn);
    if system() == System::Sqlite {
        conn.batch_execute("PRAGMA synchronous = OFF;")
            .expect("a pragma");
    }
    for number in 0.. {
        operate(&mut conn, number).expect("nothing is in its way");
        println!("done");
    }
}

/// SQLite's file is sound; a server has noticed that nobody is there any more.
fn settled(conn: &mut TestConnection) {
    let answer = on(
        "(SELECT integrity_check FROM pragma_integrity_check)",
        "(SELECT CASE count(*) WHEN 0 THEN 'ok' ELSE 'busy' END FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend')",
        "(SELECT CASE count(*) WHEN 0 THEN 'ok' ELSE 'busy' END FROM information_schema.processlist
            WHERE db = database() AND id <> connection_id())",
    );
    loop {
        let answer = diesel::select(diesel::dsl::sql::<Text>(answer));
        match &*answer.get_result::<String>(conn).expect("an answer") {
            "ok" => return,
            "busy" => sleep(Duration::from_millis(1)),
            other => panic!("{other}"),
        }
    }
}

/// Kills a process after this time, and says how many operations it had finished.
fn kill(journal_mode: &str, after: Duration) -> usize {
    let database = Database::new(SCHEMA);
    if system() == System::Sqlite {
        database
            .connect()
            .batch_execute(&format!("PRAGMA journal_mode = {journal_mode}"))
            .expect("a pragma");
    }
    let mut process = Command::new(std::env::current_exe().expect("the test's own path"))
        .args([
            "operate_until_killed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(DATABASE, database.url())
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

    let mut conn = database.connect();
    settled(&mut conn);

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
