//! A connection that breaks in the middle of an operation leaves nothing half written, and a pool recovers.
#![allow(missing_docs, reason = "schema modules are generated")]

mod sessions;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backends::{Database, TestConnection};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection};
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, set_instrumentation};
use sessions::{depth, kill, on_sqlite, run, server_id};

const TABLES: &str = "
    CREATE TABLE teams (id {key}, name VARCHAR(100) NOT NULL UNIQUE);
    CREATE TABLE lockers (id {key}, team_id INTEGER NOT NULL UNIQUE, FOREIGN KEY (team_id) REFERENCES teams (id));
    CREATE TABLE members (id {key}, team_id INTEGER NOT NULL, FOREIGN KEY (team_id) REFERENCES teams (id));
    CREATE TABLE badges (id {key}, member_id INTEGER NOT NULL, FOREIGN KEY (member_id) REFERENCES members (id));
    CREATE TABLE settings (name VARCHAR(100) PRIMARY KEY, level INTEGER NOT NULL);
    CREATE TABLE notes (id {key}, text VARCHAR(100) NOT NULL);
    CREATE TABLE changes (id {key}, text VARCHAR(100) NOT NULL);
";

diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { lockers (id) { id -> Integer, team_id -> Integer } }
diesel::table! { members (id) { id -> Integer, team_id -> Integer } }
diesel::table! { badges (id) { id -> Integer, member_id -> Integer } }
diesel::table! { settings (name) { name -> Text, level -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! { changes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Team {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Locker {
    id: i32,
    #[hooks(one_to_one(Team, on_delete = Cascade, auto_create))]
    team_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Member {
    id: i32,
    #[hooks(foreign_key(Team, on_delete = Cascade))]
    team_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Badge {
    id: i32,
    #[hooks(foreign_key(Member, on_delete = Cascade))]
    member_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
#[diesel(primary_key(name))]
struct Setting {
    name: String,
    level: i32,
}

/// Nobody hears of these, and nothing depends on them.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    text: String,
}

fn write_down(conn: &mut TestConnection, text: &str) -> QueryResult<()> {
    diesel::insert_into(changes::table)
        .values(changes::text.eq(text))
        .execute(conn)
        .map(drop)
}

#[receiver]
fn team_saved(event: &PostSave<Team>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, &event.instance.name)
}

#[receiver]
fn setting_saved(event: &PostSave<Setting>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, &event.instance.name)
}

#[receiver]
fn badge_went(event: &PostDelete<Badge>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, event.instance.table_name())
}

#[receiver]
fn team_went(event: &PostDelete<Team>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, &event.instance.name)
}

thread_local! {
    static TOLD: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

#[receiver(after_commit)]
fn tell_of_change(_: &PostSave<Team>) {
    TOLD.with_borrow_mut(|told| told.push("saved"));
}

#[receiver(after_commit)]
fn tell_of_end(_: &PostDelete<Team>) {
    TOLD.with_borrow_mut(|told| told.push("went"));
}

/// All rows of all tables.
fn snapshot(conn: &mut TestConnection) -> String {
    let mut rows = String::new();
    macro_rules! add {
        ($($table:ident: $row:ty),*) => {$(
            let all: Vec<$row> = $table::table.load(conn).expect("it can be read");
            let all: std::collections::BTreeSet<_> = all.into_iter().collect();
            rows += &format!("{}: {all:?}\n", stringify!($table));
        )*};
    }
    add!(teams: (i32, String), lockers: (i32, i32), members: (i32, i32), badges: (i32, i32));
    add!(settings: (String, i32), notes: (i32, String), changes: (i32, String));
    rows
}

/// Rows to work on.
fn fill(conn: &mut TestConnection) -> Team {
    conn.without_hooks(|conn| {
        conn.transaction(|conn| {
            for table in [
                "changes", "notes", "settings", "badges", "members", "lockers", "teams",
            ] {
                conn.batch_execute(&format!("DELETE FROM {table}"))?;
            }
            let team = Team::create(conn, NewTeam { name: "old".into() })?;
            let members = [(); 2].map(|()| NewMember { team_id: team.id });
            for member in Member::create_many(conn, members.into())? {
                let badges = [(); 2].map(|()| NewBadge {
                    member_id: member.id,
                });
                Badge::create_many(conn, badges.into())?;
            }
            let setting = Setting {
                name: "old".into(),
                level: 1,
            };
            Setting::create(conn, setting)?;
            Note::create(conn, NewNote { text: "old".into() })?;
            Ok::<_, Error>(team)
        })
    })
    .expect("the rows fit")
}

#[derive(Clone, Copy)]
struct Operation {
    name: &'static str,
    run: fn(&mut TestConnection, &mut Team) -> diesel_hooks::Result,
}

const OPERATIONS: [Operation; 10] = [
    Operation {
        name: "create",
        run: |conn, _| Team::create(conn, NewTeam { name: "new".into() }).map(drop),
    },
    Operation {
        name: "create_many",
        run: |conn, _| {
            let new = ["a", "b", "c"].map(|name| NewTeam { name: name.into() });
            Team::create_many(conn, new.into()).map(drop)
        },
    },
    Operation {
        name: "save",
        run: |conn, team| {
            let mut team = team.clone();
            team.name = "saved".into();
            team.save(conn)
        },
    },
    Operation {
        name: "update",
        run: |conn, team| team.update(conn, |it| it.name = "updated".into()),
    },
    Operation {
        name: "upsert of what is there",
        run: |conn, _| {
            Setting::upsert(
                conn,
                Setting {
                    name: "old".into(),
                    level: 2,
                },
            )
            .map(drop)
        },
    },
    Operation {
        name: "upsert of what is not",
        run: |conn, _| {
            Setting::upsert(
                conn,
                Setting {
                    name: "new".into(),
                    level: 2,
                },
            )
            .map(drop)
        },
    },
    Operation {
        name: "delete",
        run: |conn, team| team.delete(conn).map(drop),
    },
    Operation {
        name: "create of what nobody hears of",
        run: |conn, _| Note::create(conn, NewNote { text: "new".into() }).map(drop),
    },
    Operation {
        name: "delete of what nobody hears of",
        run: |conn, _| notes::table.delete_hooked::<Note>(conn).map(drop),
    },
    Operation {
        name: "delete without hooks",
        run: |conn, team| conn.without_hooks(|conn| team.delete(conn).map(drop)),
    },
];

/// What happens before a statement is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The server drops the connection.
    Kill,
    /// The application's instrumentation panics.
    Panic,
}

type Connections = Pool<ConnectionManager<TestConnection>>;
type Pooled = PooledConnection<ConnectionManager<TestConnection>>;

fn pool(database: &Database) -> Connections {
    Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_secs(20))
        .build(ConnectionManager::new(database.url()))
        .expect("a pool")
}

/// Lets the fault happen before the `number`th statement from here on, and tells which that was.
fn arm(
    conn: &mut Pooled,
    killer: &Arc<Mutex<TestConnection>>,
    fault: Fault,
    number: usize,
) -> Arc<Mutex<Option<String>>> {
    let hit = Arc::new(Mutex::new(None));
    let id = (!on_sqlite()).then(|| server_id(conn));
    let (told, killer) = (Arc::clone(&hit), Arc::clone(killer));
    let mut statements = 0;
    set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else {
            return;
        };
        statements += 1;
        if statements != number {
            return;
        }
        *told.lock().expect("no test panics inside") = Some(query.to_string());
        match (fault, id) {
            (Fault::Kill, Some(id)) => kill(&mut killer.lock().expect("free"), id),
            _ => resume_unwind(Box::new("before a statement")),
        }
    });
    hit
}

/// Runs an operation with a fault before its `number`th statement, and says whether it has so many.
fn strike(
    pool: &Connections,
    killer: &Arc<Mutex<TestConnection>>,
    operation: Operation,
    inside: bool,
    fault: Fault,
    number: usize,
) -> bool {
    let mut conn = pool.get().expect("the pool has one");
    run(
        &mut conn,
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF",
        "",
        "",
    );
    let mut team = fill(&mut conn);
    let as_it_was = team.clone();
    let before = snapshot(&mut conn);
    TOLD.take();
    let hit = arm(&mut conn, killer, fault, number);
    let outcome = catch_unwind(AssertUnwindSafe(|| match inside {
        false => (operation.run)(&mut conn, &mut team),
        true => conn.transaction(|conn| (operation.run)(conn, &mut team)),
    }));
    set_instrumentation(&mut conn, |_: InstrumentationEvent<'_>| {});
    let hit = hit.lock().expect("no test panics inside").take();
    let place = format!(
        "{} (in a transaction: {inside}), {fault:?} before {number}, {hit:?}: {outcome:?}",
        operation.name
    );
    let depth = depth(&mut conn);
    match fault {
        // Diesel leaves its own transaction open.
        Fault::Panic => assert_eq!(
            depth,
            Some(u32::from(inside && number > 1 && hit.is_some())),
            "{place}"
        ),
        Fault::Kill => assert!(matches!(depth, None | Some(0)), "{place}"),
    }
    drop(conn);
    let mut conn = pool.get().expect("the pool recovers");
    let after = snapshot(&mut conn);
    let told = TOLD.take();
    if hit.is_none() {
        assert!(matches!(outcome, Ok(Ok(()))), "{place}");
        assert_ne!(after, before, "{place}");
        return false;
    }
    assert!(!matches!(outcome, Ok(Ok(()))), "{place}");
    assert_eq!(outcome.is_err(), fault == Fault::Panic, "{place}");
    assert_eq!(after, before, "{place}");
    // The operation itself was done when the application's transaction failed.
    let done = inside && hit.as_deref() == Some("COMMIT");
    assert!(done || team == as_it_was, "{place}");
    assert_eq!(told, [""; 0], "{place}");
    if let Ok(Err(error)) = outcome {
        assert!(is_clear(&error), "{place}");
    }
    Team::create(
        &mut conn,
        NewTeam {
            name: "next".into(),
        },
    )
    .expect("the pool recovers");
    assert_eq!(TOLD.take(), ["saved"]);
    true
}

/// Whether an error says that the connection is gone, and claims nothing else.
fn is_clear(error: &Error) -> bool {
    let kind = matches!(
        error,
        Error::Query { .. }
            | Error::Receiver(_)
            | Error::TransactionLost { .. }
            | Error::CommitUnknown { .. }
    );
    let text = error.to_string().to_lowercase();
    let reasons = ["connection", "gone away", "transaction manager is broken"];
    kind && !error.is_retryable() && reasons.iter().any(|it| text.contains(it))
}

#[test]
fn what_breaks_before_any_statement_of_an_operation_leaves_nothing_half_written() {
    let database = Database::new(TABLES);
    let killer = Arc::new(Mutex::new(database.connect()));
    let pool = pool(&database);
    let faults: &[Fault] = match on_sqlite() {
        // There is no server that could drop a connection.
        true => &[Fault::Panic],
        false => &[Fault::Panic, Fault::Kill],
    };
    for fault in faults {
        let mut struck = 0;
        for operation in OPERATIONS {
            for inside in [false, true] {
                let mut number = 1;
                while strike(&pool, &killer, operation, inside, *fault, number) {
                    number += 1;
                }
                // BEGIN, one or more, and COMMIT; or one alone.
                assert!(number > if inside { 3 } else { 1 }, "{}", operation.name);
                struck += number - 1;
            }
        }
        println!(
            "{fault:?}: {} operations, {struck} faults, 0 partial states",
            2 * OPERATIONS.len()
        );
    }
}

#[test]
fn a_statement_that_takes_too_long_undoes_its_operation_and_the_connection_goes_on() {
    let (database, mut conn) = Database::open(TABLES);
    let mut holder = database.connect();
    run(
        &mut conn,
        "PRAGMA busy_timeout = 1",
        "SET statement_timeout = 50",
        "SET max_statement_time = 0.05",
    );
    let team = fill(&mut holder);
    let before = snapshot(&mut holder);
    TOLD.take();
    holder
        .transaction(|holder| {
            let row = teams::table.find(team.id);
            diesel::update(row)
                .set(teams::name.eq("held"))
                .execute(holder)?;
            for operation in OPERATIONS {
                // The others do not touch the row.
                if !matches!(
                    operation.name,
                    "save" | "update" | "delete" | "delete without hooks"
                ) {
                    continue;
                }
                let mut team = team.clone();
                let outcome = (operation.run)(&mut conn, &mut team);
                let error = outcome.expect_err("the row is held");
                assert!(matches!(error, Error::Query { .. }), "{error:?}");
                assert_eq!(error.is_retryable(), on_sqlite(), "{error:?}");
                assert_eq!(depth(&mut conn), Some(0));
                assert_eq!(team.name, "old");
            }
            Err::<(), _>(diesel::result::Error::RollbackTransaction)
        })
        .expect_err("what was held is let go");
    assert_eq!(snapshot(&mut conn), before);
    assert_eq!(TOLD.take(), [""; 0]);
    team.delete(&mut conn).expect("nobody holds it");
    assert_eq!(TOLD.take(), ["went"]);
}

#[test]
fn a_pool_that_is_exhausted_says_so_and_recovers() {
    let database = Database::new(TABLES);
    let pool = Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_millis(20))
        .build(ConnectionManager::<TestConnection>::new(database.url()))
        .expect("a pool");
    let mut conn = pool.get().expect("the pool has one");
    let waiting = pool.clone();
    let guard = conn
        .connect(move |_: &PostCreate<Team>, _: &mut TestConnection| waiting.get().map(drop))
        .expect("connected");
    let refused = Team::create(&mut conn, NewTeam { name: "new".into() });
    let error = refused.expect_err("its receiver waits for a second connection");
    assert!(matches!(error, Error::Receiver(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("timed out waiting for connection")
    );
    assert_eq!(snapshot(&mut conn), snapshot(&mut database.connect()));
    assert_eq!(teams::table.count().get_result(&mut conn), Ok(0_i64));
    drop((guard, conn));
    let mut conn = pool.get().expect("the pool recovers");
    Team::create(&mut conn, NewTeam { name: "new".into() }).expect("created");
}
