//! A panic in the application's code rolls back what the operation wrote and goes on unwinding; the
//! connection, other threads and the next operation do not notice.
//!
//! Receivers are swept in `promises/atomicity.rs`; here are the other places where an application's code runs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backends::{Database, System, TestConnection, count, depth, fresh, system};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel_hooks::prelude::*;

diesel::table! { ships (id) { id -> Integer, name -> Text } }
diesel::table! { crews (id) { id -> Integer, ship_id -> Integer, motto -> Text } }
diesel::table! { buoys (id) { id -> Integer, name -> Text } }

const SCHEMA: &str = "
    CREATE TABLE ships (id {key}, name TEXT NOT NULL);
    CREATE TABLE crews (id {key}, ship_id INTEGER NOT NULL UNIQUE REFERENCES ships (id), motto TEXT NOT NULL);
    CREATE TABLE buoys (id {key}, name TEXT NOT NULL);
";

/// A text that cannot be written if it is "explosive".
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Name(String);

impl<DB: Backend> ToSql<Text, DB> for Name
where
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        assert_ne!(self.0, "explosive", "in ToSql");
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for Name
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(value)?;
        assert_ne!(text, "unreadable", "in FromSql");
        Ok(Name(text))
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Ship {
    id: i32,
    name: Name,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Crew {
    id: i32,
    #[hooks(one_to_one(Ship, on_delete = Cascade, related_name = crew, auto_create = recruit))]
    ship_id: i32,
    motto: Name,
}

fn recruit(ship: &Ship) -> NewCrew {
    let motto = match ship.name.0.as_str() {
        "crewless" => panic!("in the factory"),
        "explosive crew" => "explosive",
        other => other,
    };
    NewCrew {
        ship_id: ship.id,
        motto: Name(motto.into()),
    }
}

/// Nobody listens to it.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Buoy {
    id: i32,
    name: Name,
}

/// Called once per batch; a receiver with a connection makes every operation use Diesel's savepoints.
#[receiver]
fn inspect(events: &[PostSave<Ship>], conn: &mut TestConnection) {
    let nested = conn.transaction(|conn| {
        assert!(
            events.iter().all(|event| event.instance.name.0 != "sunk"),
            "in a nested transaction"
        );
        ships::table.count().get_result::<i64>(conn)
    });
    assert!(nested.is_ok());
}

type Rows = (Vec<Ship>, Vec<Crew>);

fn rows(conn: &mut TestConnection) -> Rows {
    (
        ships::table.load(conn).expect("ships"),
        crews::table.load(conn).expect("crews"),
    )
}

fn new_ship(name: &str) -> NewShip {
    NewShip {
        name: Name(name.into()),
    }
}

type Operation = fn(&mut TestConnection, &mut Ship);

const PLACES: [(&str, Operation); 8] = [
    ("the factory of a dependent", |conn, _| {
        drop(Ship::create(conn, new_ship("crewless")))
    }),
    ("the factory in a batch", |conn, _| {
        drop(Ship::create_many(
            conn,
            vec![new_ship("a"), new_ship("crewless")],
        ))
    }),
    ("ToSql of an insert", |conn, _| {
        drop(Ship::create(conn, new_ship("explosive")))
    }),
    ("ToSql of a dependent", |conn, _| {
        drop(Ship::create(conn, new_ship("explosive crew")))
    }),
    ("FromSql of the row read back", |conn, _| {
        drop(Ship::create(conn, new_ship("unreadable")))
    }),
    (
        "a batch receiver, in a transaction of its own",
        |conn, _| drop(Ship::create(conn, new_ship("sunk"))),
    ),
    ("the closure of an update", |conn, ship| {
        drop(ship.update(conn, |_| panic!("in the closure")))
    }),
    ("ToSql of an update", |conn, ship| {
        drop(ship.update(conn, |ship| ship.name = Name("explosive".into())))
    }),
];

#[test]
fn a_panic_leaves_nothing_behind_wherever_it_comes_from() {
    for (place, operation) in PLACES {
        for in_transaction in [false, true] {
            let disk = Database::new(SCHEMA);
            let mut conn = disk.connect();
            let mut ship = Ship::create(&mut conn, new_ship("first")).expect("a ship");
            let (before, ship_before) = (rows(&mut conn), ship.clone());
            let caught = if in_transaction {
                conn.transaction(|conn| {
                    let caught = catch_unwind(AssertUnwindSafe(|| operation(conn, &mut ship)));
                    assert_eq!(depth(conn), 1, "{place}");
                    QueryResult::Ok(caught)
                })
                .expect("the application's transaction goes on")
            } else {
                catch_unwind(AssertUnwindSafe(|| operation(&mut conn, &mut ship)))
            };
            assert!(caught.is_err(), "{place}: the panic goes on");
            assert_eq!(ship, ship_before, "{place}: instance");
            assert_eq!(depth(&mut conn), 0, "{place}: depth");
            assert_eq!(rows(&mut conn), before, "{place}: rows");
            Ship::create(&mut conn, new_ship("after"))
                .unwrap_or_else(|error| panic!("{place}: works: {error}"));
            assert_eq!(
                rows(&mut disk.connect()).0.len(),
                2,
                "{place}: others see what came after"
            );
        }
    }
}

#[test]
fn a_row_whose_reading_panics_is_taken_back_from_the_applications_transaction() {
    let mut conn = fresh(SCHEMA);
    let committed = conn.transaction(|conn| {
        let new = NewBuoy {
            name: Name("unreadable".into()),
        };
        catch_unwind(AssertUnwindSafe(|| Buoy::create(conn, new))).expect_err("the panic goes on");
        // Of a transaction that has no savepoint the servers give up all.
        if system() == System::Sqlite {
            assert_eq!(buoys::table.count().get_result(conn), Ok(0));
        }
        QueryResult::Ok(())
    });
    // MySQL refuses no COMMIT.
    assert_eq!(committed.is_err(), system() == System::Postgres);
    assert_eq!(count(&mut conn, "buoys"), 0);
}

#[test]
fn a_panic_in_one_thread_is_nothing_to_the_others() {
    let disk = Database::new(SCHEMA);
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let mut conn = disk.connect();
            std::thread::spawn(move || {
                let name = if number % 2 == 0 {
                    "crewless"
                } else {
                    "afloat"
                };
                Ship::create(&mut conn, new_ship(name)).expect("a ship")
            })
        })
        .collect();
    let afloat = threads
        .into_iter()
        .filter_map(|thread| thread.join().ok())
        .count();
    assert_eq!(afloat, 4);
    assert_eq!(rows(&mut disk.connect()).0.len(), 4);
}
