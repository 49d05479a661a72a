//! Rows of tables in two schemas refer to each other as if there were one.

use backends::{Database, Log, TestConnection, count, on, open_schema};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { hooks_yard.stables (id) { id -> Integer, name -> Text } }
diesel::table! { hooks_yard.horses (id) { id -> Integer, stable_id -> Integer } }
diesel::table! { riders (id) { id -> Integer, horse_id -> Integer } }
diesel::table! { hooks_yard.saddles (id) { id -> Integer, rider_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Stable {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Horse {
    id: i32,
    #[hooks(foreign_key(Stable, on_delete = Cascade, related_name = horses))]
    stable_id: i32,
}

/// Of the usual schema, refers to the other.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Rider {
    id: i32,
    #[hooks(foreign_key(Horse, on_delete = Protect, related_name = riders))]
    horse_id: i32,
}

/// Of the other, refers to the usual one.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Saddle {
    id: i32,
    #[hooks(one_to_one(Rider, on_delete = Cascade, related_name = saddle, auto_create))]
    rider_id: i32,
}

static HEARD: Log = Log::new();

#[receiver]
fn went(event: &PostDelete<Horse>) {
    HEARD.push(format!("horse {}", event.instance.id));
}

fn open() -> (Database, TestConnection) {
    let (database, mut conn) = Database::open("");
    // SQLite's foreign keys stay in their schema, and MySQL drops none that another refers to.
    let [yard, to_horses, to_riders] = [
        on("", "hooks_yard.", "hooks_yard."),
        on(
            "",
            "REFERENCES hooks_yard.horses (id)",
            "REFERENCES hooks_yard.horses (id)",
        ),
        on("", "REFERENCES public.riders (id)", ""),
    ];
    let tables = format!(
        "CREATE TABLE hooks_yard.stables (id {{key}}, name VARCHAR(20) NOT NULL);
        CREATE TABLE hooks_yard.horses (id {{key}}, stable_id INTEGER NOT NULL REFERENCES {yard}stables (id));
        CREATE TABLE riders (id {{key}}, horse_id INTEGER NOT NULL {to_horses});
        CREATE TABLE hooks_yard.saddles (id {{key}}, rider_id INTEGER NOT NULL UNIQUE {to_riders});"
    );
    open_schema(&mut conn, "hooks_yard", &tables);
    (database, conn)
}

fn stable(conn: &mut TestConnection) -> (Stable, Vec<Horse>) {
    let new = NewStable {
        name: "north".into(),
    };
    let stable = Stable::create(conn, new).expect("created");
    let new = NewHorse {
        stable_id: stable.id,
    };
    let horses = Horse::create_many(conn, vec![new.clone(), new]).expect("created");
    (stable, horses)
}

fn rider(conn: &mut TestConnection, horse: &Horse) -> Rider {
    let new = NewRider { horse_id: horse.id };
    Rider::create(conn, new).expect("created")
}

#[test]
fn accessors_lead_through_both_schemas() {
    let (_database, mut conn) = open();
    let (stable, horses) = stable(&mut conn);
    assert_eq!(stable.horses(&mut conn).expect("read"), horses);
    assert_eq!(horses[0].stable(&mut conn).expect("there"), stable);
    let rider = rider(&mut conn, &horses[1]);
    assert_eq!(rider.horse(&mut conn).expect("there"), horses[1]);
    let riders = Horse::prefetch_riders(&mut conn, &horses).expect("read");
    assert_eq!(riders, [vec![], vec![rider.clone()]]);
    let saddle = rider.saddle(&mut conn).expect("made with its rider");
    assert_eq!(saddle.rider(&mut conn).expect("there"), rider);
}

#[test]
fn a_delete_follows_and_heeds_relations_within_a_schema_and_across() {
    let (_database, mut conn) = open();
    let (stable, horses) = stable(&mut conn);
    let rider = rider(&mut conn, &horses[1]);
    let refused = stable.delete(&mut conn).expect_err("somebody rides one");
    let Error::Protected(blocked) = &refused else {
        panic!("{refused:?}");
    };
    let blocker = &blocked.blockers()[0];
    assert_eq!((blocker.model, blocker.keys.len()), ("Rider", 1));
    assert_eq!(HEARD.take(), [""; 0]);
    assert_eq!(count(&mut conn, "hooks_yard.horses"), 2);

    assert_eq!(rider.delete(&mut conn).expect("deleted").total, 2);
    assert_eq!(count(&mut conn, "hooks_yard.saddles"), 0);
    assert_eq!(stable.delete(&mut conn).expect("deleted").total, 3);
    let gone: Vec<_> = horses.iter().map(|it| format!("horse {}", it.id)).collect();
    assert_eq!(HEARD.take(), gone);
    assert_eq!(count(&mut conn, "hooks_yard.stables"), 0);
}
