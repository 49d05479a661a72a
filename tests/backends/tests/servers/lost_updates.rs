//! Who changes a row that somebody else changes too: on each isolation level the other's change is kept, refused or lost,
//! as the guide says; with the row locked first, or retried where it is refused, none is lost.

use std::thread;

use backends::{Database, TestConnection, outermost};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::{Error, retry};

use crate::sessions::{
    careful, connect, levels, on_mysql, on_postgres, on_sqlite, run, until_one_waits,
};

const TABLES: &str = "
    CREATE TABLE counters (id {key}, hits INTEGER NOT NULL, name VARCHAR(20) NOT NULL);
    INSERT INTO counters (hits, name) VALUES (0, 'old');
";

diesel::table! { counters (id) { id -> Integer, hits -> Integer, name -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Counter {
    id: i32,
    hits: i32,
    name: String,
}

/// Hits that counted, after two.
fn hits(database: &Database) -> i32 {
    let hits = counters::table.select(counters::hits);
    hits.first(&mut database.connect()).expect("it is there")
}

fn hit(conn: &mut TestConnection) -> diesel_hooks::Result {
    Counter::get(conn, 1)?.update(conn, |it| it.hits += 1)
}

type Operation = fn(&mut TestConnection) -> diesel_hooks::Result;

/// Those that lock the row, or let the database count.
const SAFE: [(&str, Operation); 3] = [
    ("update_hooked", |conn| {
        let first = counters::table.find(1);
        first.update_hooked::<Counter>(conn, |it| it.hits += 1)?;
        Ok(())
    }),
    ("update_or_create", |conn| {
        let new = || panic!("it is there");
        Counter::update_or_create(conn, counters::id.eq(1), new, |it| it.hits += 1).map(drop)
    }),
    ("update_set", |conn| {
        let mut it = Counter::get(conn, 1)?;
        it.update_set(conn, counters::hits.eq(counters::hits + 1))
    }),
];

/// Both in transactions: one reads, the other writes and commits, the first one writes.
fn read_and_write_around_another(
    conn: &mut TestConnection,
    other: &mut TestConnection,
) -> (diesel_hooks::Result, diesel_hooks::Result) {
    let mut others = Ok(());
    let own = conn.transaction(|conn| {
        let mut it = Counter::get(conn, 1)?;
        others = hit(other);
        it.update(conn, |it| it.hits += 1)
    });
    (own, others)
}

/// How a test's sessions wait: hardly.
fn impatient(mut conn: TestConnection) -> TestConnection {
    run(&mut conn, "", "", "SET innodb_lock_wait_timeout = 1");
    conn
}

#[test]
fn who_reads_and_then_writes_is_refused_or_overwrites_as_the_level_says() {
    for level in levels() {
        let database = Database::new(TABLES);
        let mut conn = connect(&database, level);
        let mut other = impatient(connect(&database, level));
        let (own, others) = read_and_write_around_another(&mut conn, &mut other);
        let lost = own.is_ok() && others.is_ok() && hits(&database) == 1;
        let overwrites = match (on_postgres(), on_mysql()) {
            (true, _) => *level == "READ COMMITTED",
            (_, true) => *level != "SERIALIZABLE",
            _ => false,
        };
        assert_eq!(lost, overwrites, "{level}: {own:?} {others:?}");
        if overwrites {
            continue;
        }
        // On MariaDB it is the other one who waits, in vain here.
        let waits = on_mysql();
        assert_eq!((own.is_ok(), others.is_ok()), (waits, !waits), "{level}");
        let refused = own.and(others).expect_err("one of them");
        assert!(refused.is_retryable(), "{level}: {refused:?}");
        assert_eq!(hits(&database), 1, "{level}");
    }
}

#[test]
fn with_snapshots_that_count_for_writes_too_nobody_overwrites() {
    let database = Database::new(TABLES);
    let (mut conn, mut other) = (careful(&database), careful(&database));
    let (own, others) = read_and_write_around_another(&mut conn, &mut other);
    assert!(others.is_ok() && own.is_err_and(|it| it.is_retryable()));
    for (name, operation) in SAFE {
        let before = hits(&database);
        let mut others = Ok(());
        let own = conn.transaction(|conn| {
            Counter::get(conn, 1)?;
            others = hit(&mut other);
            operation(conn)
        });
        assert!(others.is_ok(), "{name}: {others:?}");
        assert!(own.is_err_and(|it| it.is_retryable()), "{name}");
        assert_eq!(hits(&database), before + 1, "{name}");
    }
}

#[test]
fn a_column_that_was_not_changed_keeps_what_somebody_wrote_there() {
    let level = "READ COMMITTED";
    let database = Database::new(TABLES);
    let (mut conn, mut other) = (connect(&database, level), connect(&database, level));
    // In no transaction, as on any level.
    let [mut updated, mut saved] = [(); 2].map(|()| Counter::get(&mut conn, 1).expect("there"));
    let mut renamed = updated.clone();
    let rename = |it: &mut Counter| it.name = "new".into();
    renamed.update(&mut other, rename).expect("updated");
    updated
        .update(&mut conn, |it| it.hits += 1)
        .expect("updated");
    let as_it_is = Counter::get(&mut conn, 1).expect("there");
    assert_eq!((as_it_is.hits, &*as_it_is.name), (1, "new"));
    saved.hits = 7;
    saved.save(&mut conn).expect("saved");
    let as_it_is = Counter::get(&mut conn, 1).expect("there");
    assert_eq!((as_it_is.hits, &*as_it_is.name), (7, "old"));
}

/// Somebody holds the row changed, and commits when the operation waits; on SQLite, before it tries again.
fn while_another_changes_it(
    database: &Database,
    level: &str,
    operation: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result + Send,
) -> diesel_hooks::Result {
    let (mut conn, mut holder) = (connect(database, level), connect(database, level));
    let mut watcher = database.connect();
    thread::scope(|scope| {
        let session = outermost(&mut holder, |holder| {
            hit(holder)?;
            let session = scope.spawn(move || operation(&mut conn));
            if !on_sqlite() {
                until_one_waits(&mut watcher);
            }
            Ok::<_, Error>(session)
        });
        let session = session.expect("nobody is in its way");
        session.join().expect("it does not panic")
    })
}

#[test]
fn what_locks_the_row_first_waits_for_who_changes_it_and_loses_nothing() {
    for level in levels() {
        for (name, operation) in SAFE {
            let database = Database::new(TABLES);
            let own = while_another_changes_it(&database, level, operation);
            // On SQLite nobody waits here, and is refused unless it comes too late for that.
            let refuses = on_sqlite() || (on_postgres() && *level != "READ COMMITTED");
            match own {
                Ok(()) => assert_eq!(hits(&database), 2, "{level} {name}"),
                Err(error) => {
                    assert!(refuses && error.is_retryable(), "{level} {name}: {error:?}");
                    assert_eq!(hits(&database), 1, "{level} {name}");
                }
            }
        }
    }
}

#[test]
fn what_is_refused_loses_nothing_if_it_is_retried() {
    for level in levels() {
        for (name, operation) in SAFE {
            let database = Database::new(TABLES);
            let again = |conn: &mut TestConnection| retry(conn, 1_000, operation);
            while_another_changes_it(&database, level, again)
                .unwrap_or_else(|error| panic!("{level} {name}: {error:?}"));
            assert_eq!(hits(&database), 2, "{level} {name}");
        }
    }
}
