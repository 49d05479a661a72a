//! Deletes a row on which many depend, for `scripts/large-deletes` to measure.
//!
//! `large_deletes fill <file> <children>` makes a database with parents of so many children each.
//! `large_deletes delete <file> <case> <side>` deletes one of these parents, through the library (`hooks`) or by
//! hand (`by-hand`), and prints the statements about rows that were sent, the bytes by which the
//! process grew, and the seconds. Peak memory is what Linux says in `/proc/self`.

#![allow(clippy::print_stdout, reason = "the program's result")]
#![allow(missing_docs, reason = "diesel::table! makes public items")]

use std::env;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_hooks::Persist;
use diesel_hooks::prelude::*;

macro_rules! root {
    ($model:ident of $table:ident) => {
        diesel::table! { $table { id -> Integer, name -> Text, } }

        #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
        #[diesel(table_name = $table, check_for_backend(Sqlite))]
        struct $model {
            id: i32,
            name: String,
        }
    };
}

macro_rules! dependent {
    ($model:ident of $table:ident, $key:ident to $parent:ident) => {
        diesel::table! { $table { id -> Integer, $key -> Integer, name -> Text, email -> Text, } }

        #[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
        #[diesel(table_name = $table, check_for_backend(Sqlite))]
        struct $model {
            id: i32,
            #[hooks(foreign_key($parent, on_delete = Cascade))]
            $key: i32,
            name: String,
            email: String,
        }
    };
}

root!(Club of clubs);
dependent!(Member of members, club_id to Club);

root!(League of leagues);
dependent!(Team of teams, league_id to League);
dependent!(Player of players, team_id to Team);

root!(Orchestra of orchestras);
dependent!(Section of sections, orchestra_id to Orchestra);
dependent!(Soloist of soloists, section_id to Section);

root!(Choir of choirs);
dependent!(Singer of singers, choir_id to Choir);

diesel::allow_tables_to_appear_in_same_query!(leagues, teams, players);

#[receiver]
fn soloist_left(event: &PostDelete<Soloist>) {
    black_box(event);
}

#[receiver]
fn singer_left(event: &PostDelete<Singer>) {
    black_box(event);
}

/// The first parent is deleted before the measurement, the second by it.
const PARENTS: &str = "(1, 'first'), (2, 'second')";
const WARM_UP: i32 = 1;
const MEASURED: i32 = 2;

/// One in so many sections has a soloist.
const SECTIONS_PER_SOLOIST: usize = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["fill", file, children] => children.parse().ok().map(|count| fill(file, count)),
        ["delete", file, case, side] => operation(case, side).map(|delete| measure(file, delete)),
        _ => None,
    }
    .map_or_else(usage, |()| ExitCode::SUCCESS)
}

fn usage() -> ExitCode {
    println!(
        "usage: large_deletes fill <file> <children>\n       \
         large_deletes delete <file> silent|subtree|keys|heard hooks\n       \
         large_deletes delete <file> silent|subtree|heard by-hand"
    );
    ExitCode::from(2)
}

/// The measured part, for the parent with this key.
type Delete = fn(&mut SqliteConnection, i32) -> Box<dyn FnOnce(&mut SqliteConnection)>;

fn operation(case: &str, side: &str) -> Option<Delete> {
    Some(match (case, side) {
        ("silent", "hooks") => hooked::<Club>,
        ("subtree", "hooks") => hooked::<League>,
        ("keys", "hooks") => hooked::<Orchestra>,
        ("heard", "hooks") => hooked::<Choir>,
        ("silent", "by-hand") => |_, id| Box::new(move |conn| silent_by_hand(conn, id)),
        ("subtree", "by-hand") => |_, id| Box::new(move |conn| subtree_by_hand(conn, id)),
        ("heard", "by-hand") => |_, id| Box::new(move |conn| heard_by_hand(conn, id)),
        _ => return None,
    })
}

fn hooked<M: Persist<SqliteConnection, Pk = i32>>(
    conn: &mut SqliteConnection,
    id: i32,
) -> Box<dyn FnOnce(&mut SqliteConnection)> {
    let parent = M::get(conn, id).expect("it is there");
    Box::new(move |conn| {
        black_box(parent.delete(conn).expect("nothing else refers to it"));
    })
}

fn silent_by_hand(conn: &mut SqliteConnection, id: i32) {
    let deleted = conn.transaction(|conn| {
        diesel::delete(members::table.filter(members::club_id.eq(id))).execute(conn)?;
        diesel::delete(clubs::table.find(id)).execute(conn)
    });
    deleted.expect("nothing else refers to it");
}

fn subtree_by_hand(conn: &mut SqliteConnection, id: i32) {
    let deleted = conn.transaction(|conn| {
        let teams = teams::table.filter(teams::league_id.eq(id));
        let of_these = players::team_id.eq_any(teams.select(teams::id));
        diesel::delete(players::table.filter(of_these)).execute(conn)?;
        diesel::delete(teams).execute(conn)?;
        diesel::delete(leagues::table.find(id)).execute(conn)
    });
    deleted.expect("nothing else refers to it");
}

fn heard_by_hand(conn: &mut SqliteConnection, id: i32) {
    let deleted = conn.transaction(|conn| {
        let of_this = singers::table.filter(singers::choir_id.eq(id));
        let singers: Vec<Singer> = of_this.select(Singer::as_select()).load(conn)?;
        diesel::delete(of_this).execute(conn)?;
        let deleted = diesel::delete(choirs::table.find(id)).execute(conn)?;
        for singer in &singers {
            black_box(singer);
        }
        QueryResult::Ok(deleted)
    });
    deleted.expect("nothing else refers to it");
}

/// What a delete took.
fn measure(file: &str, delete: Delete) {
    let mut conn = connect(file);
    // Fills the registry, the statement cache and the page cache.
    delete(&mut conn, WARM_UP)(&mut conn);
    let delete = delete(&mut conn, MEASURED);
    let sent = count_statements(&mut conn);
    let before = forget_peak();
    let start = Instant::now();
    delete(&mut conn);
    let seconds = start.elapsed().as_secs_f64();
    let grown = memory("VmHWM:").saturating_sub(before);
    let sent = sent.load(Ordering::Relaxed);
    println!("{{\"statements\": {sent}, \"bytes\": {grown}, \"seconds\": {seconds:.3}}}");
}

/// A connection that keeps 200 KB of the database in memory.
fn connect(file: &str) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(file).expect("the file can be opened");
    conn.batch_execute(
        "PRAGMA cache_size = -200; PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF;",
    )
    .expect("pragmas are accepted");
    conn
}

/// Counts the statements about rows.
fn count_statements(conn: &mut SqliteConnection) -> Arc<AtomicUsize> {
    let sent = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&sent);
    diesel_hooks::set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let sql = query.to_string();
            let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE"];
            let of_rows = verbs.iter().any(|verb| sql.starts_with(verb));
            seen.fetch_add(usize::from(of_rows), Ordering::Relaxed);
        }
    });
    sent
}

/// Lets the peak begin anew, and says how many bytes are in use.
fn forget_peak() -> usize {
    fs::write("/proc/self/clear_refs", "5").expect("Linux lets a process reset its peak");
    memory("VmRSS:")
}

fn memory(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells of each process");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: usize = kilobytes
        .and_then(|it| it.parse().ok())
        .expect("in kilobytes");
    kilobytes * 1_024
}

/// Gives the second parent of each kind so many children, and the first a few.
fn fill(file: &str, children: usize) {
    let mut conn = connect(file);
    for (parents, dependents, key) in [
        ("clubs", "members", "club_id"),
        ("leagues", "teams", "league_id"),
        ("orchestras", "sections", "orchestra_id"),
        ("choirs", "singers", "choir_id"),
    ] {
        create(
            &mut conn,
            (dependents, key, parents),
            &format!(
                "CREATE TABLE {parents} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
            INSERT INTO {parents} VALUES {PARENTS};"
            ),
        );
        insert(
            &mut conn,
            dependents,
            "CASE WHEN i > 1000 THEN 2 ELSE 1 END",
            children + 1_000,
        );
    }
    create(&mut conn, ("players", "team_id", "teams"), "");
    insert(&mut conn, "players", "i", children + 1_000);
    create(&mut conn, ("soloists", "section_id", "sections"), "");
    let section = format!("i * {SECTIONS_PER_SOLOIST}");
    insert(
        &mut conn,
        "soloists",
        &section,
        children / SECTIONS_PER_SOLOIST + 1,
    );
}

fn create(conn: &mut SqliteConnection, (table, key, parents): (&str, &str, &str), before: &str) {
    conn.batch_execute(&format!(
        "{before}
        CREATE TABLE {table} (
            id INTEGER PRIMARY KEY, {key} INTEGER NOT NULL REFERENCES {parents},
            name TEXT NOT NULL, email TEXT NOT NULL);
        CREATE INDEX {table}_{key} ON {table} ({key});"
    ))
    .expect("the tables are new");
}

fn insert(conn: &mut SqliteConnection, table: &str, parent: &str, count: usize) {
    conn.batch_execute(&format!(
        "WITH RECURSIVE numbers (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})
        INSERT INTO {table} SELECT i, {parent}, 'Name' || i, 'member' || i || '@example.org' FROM numbers;"
    ))
    .expect("the rows are right");
}
