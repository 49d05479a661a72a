//! A dependent that is there before `auto_create` gets to it is an error that says so.
#![allow(missing_docs)]

mod common;

use std::cell::Cell;

use common::{memory, of_rows, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { homes (id) { id -> Integer, name -> Text } }
diesel::table! { gardens (id) { id -> Integer, home_id -> Integer } }
diesel::table! { kitchens (id) { id -> Integer, home_id -> Integer, code -> Nullable<Integer> } }
diesel::table! { pantries (id) { id -> Integer, home_id -> Integer } }

/// Nothing but the application keeps a home from having two pantries.
const SCHEMA: &str = "
    CREATE TABLE homes (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE gardens (id INTEGER PRIMARY KEY, home_id INTEGER NOT NULL UNIQUE REFERENCES homes);
    CREATE TABLE kitchens (id INTEGER PRIMARY KEY, home_id INTEGER NOT NULL UNIQUE REFERENCES homes, code INTEGER UNIQUE);
    CREATE TABLE pantries (id INTEGER PRIMARY KEY, home_id INTEGER NOT NULL REFERENCES homes);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Home {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Garden {
    id: i32,
    #[hooks(one_to_one(Home, on_delete = Cascade, auto_create))]
    home_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Kitchen {
    id: i32,
    #[hooks(one_to_one(Home, on_delete = Cascade, auto_create = furnish))]
    home_id: i32,
    code: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = pantries)]
struct Pantry {
    id: i32,
    #[hooks(one_to_one(Home, on_delete = Cascade, auto_create))]
    home_id: i32,
}

#[derive(Clone, Copy, PartialEq)]
enum Early {
    Nothing,
    Kitchen,
    Pantry,
}

thread_local! {
    /// What the receiver makes before `auto_create` does, and for the garden of which home.
    static EARLY: Cell<(Early, i32)> = const { Cell::new((Early::Nothing, 0)) };
    static CODE: Cell<Option<i32>> = const { Cell::new(None) };
}

fn furnish(home: &Home) -> NewKitchen {
    NewKitchen {
        home_id: home.id,
        code: CODE.get().filter(|_| home.name == "home 70"),
    }
}

/// Gardens come first: dependents are made in the order of their names.
#[receiver]
fn too_early(event: &PostCreate<Garden>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let home_id = event.instance.home_id;
    match EARLY.get() {
        (Early::Kitchen, home) if home == home_id => Kitchen::create(
            conn,
            NewKitchen {
                home_id,
                code: None,
            },
        )
        .map(drop),
        (Early::Pantry, home) if home == home_id => {
            Pantry::create(conn, NewPantry { home_id }).map(drop)
        }
        _ => Ok(()),
    }
}

fn homes_of(count: usize) -> Vec<NewHome> {
    let name = |n| format!("home {n}");
    (1..=count).map(|n| NewHome { name: name(n) }).collect()
}

fn stored(conn: &mut SqliteConnection) -> [i64; 4] {
    [
        homes::table.count().get_result(conn),
        gardens::table.count().get_result(conn),
        kitchens::table.count().get_result(conn),
        pantries::table.count().get_result(conn),
    ]
    .map(|count| count.expect("a count"))
}

#[track_caller]
fn says(error: &Error, child: &str, relation: &str, home: &str) {
    let Error::DependentExists {
        model,
        relation: found,
        parent,
        key,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!((*model, &**found, *parent), (child, relation, "Home"));
    assert_eq!(key.to_string(), home);
    assert_eq!(
        error.to_string(),
        format!(
            "Home {home} has a {child} already, which auto_create of {relation} was to make; a receiver or a trigger made it before"
        )
    );
}

#[test]
fn one_that_a_receiver_made_is_named_where_the_schema_refuses_a_second() {
    let mut conn = memory(SCHEMA);
    EARLY.set((Early::Kitchen, 1));
    let error = Home::create(&mut conn, homes_of(1).remove(0)).expect_err("it has a kitchen");
    says(&error, "Kitchen", "Kitchen.home_id", "1");
    assert_eq!(stored(&mut conn), [0; 4]);
}

#[test]
fn one_that_a_receiver_made_is_named_where_the_schema_would_take_a_second() {
    let mut conn = memory(SCHEMA);
    EARLY.set((Early::Pantry, 1));
    let error = Home::create(&mut conn, homes_of(1).remove(0)).expect_err("it has a pantry");
    says(&error, "Pantry", "Pantry.home_id", "1");
    assert_eq!(stored(&mut conn), [0; 4]);
}

#[test]
fn in_a_batch_the_row_is_named_that_has_one() {
    for (early, child) in [(Early::Kitchen, "Kitchen"), (Early::Pantry, "Pantry")] {
        let mut conn = memory(SCHEMA);
        EARLY.set((early, 70));
        let error = Home::create_many(&mut conn, homes_of(120)).expect_err("one has it");
        says(&error, child, &format!("{child}.home_id"), "70");
        assert_eq!(stored(&mut conn), [0; 4]);
    }
}

#[test]
fn another_constraint_of_the_dependent_stays_what_it_is() {
    let mut conn = memory(SCHEMA);
    EARLY.set((Early::Nothing, 0));
    Home::create(&mut conn, homes_of(1).remove(0)).expect("a home");
    conn.batch_execute("UPDATE kitchens SET code = 5")
        .expect("a code");
    CODE.set(Some(5));
    let error = Home::create_many(&mut conn, homes_of(120)).expect_err("the code is taken");
    CODE.set(None);
    let unique = |it: &DieselError| {
        matches!(
            it,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
        )
    };
    assert!(
        matches!(&error, Error::Query { model: Some("Kitchen"), source, .. } if unique(source)),
        "{error:?}"
    );
    assert_eq!(stored(&mut conn), [1; 4]);
}

#[test]
fn one_that_a_trigger_made_is_named_too() {
    let mut conn = memory(SCHEMA);
    EARLY.set((Early::Nothing, 0));
    conn.batch_execute(
        "CREATE TRIGGER furnished AFTER INSERT ON homes BEGIN
            INSERT INTO pantries (home_id) VALUES (new.id);
        END;",
    )
    .expect("a trigger");
    let error = Home::create_many(&mut conn, homes_of(3)).expect_err("it has a pantry");
    says(&error, "Pantry", "Pantry.home_id", "1");
    assert_eq!(stored(&mut conn), [0; 4]);
}

#[test]
fn one_row_more_is_asked_for_only_where_the_schema_would_take_it() {
    let mut conn = memory(SCHEMA);
    EARLY.set((Early::Nothing, 0));
    Home::create_many(&mut conn, homes_of(2)).expect("the tables are known");
    let (made, sent) = statements(&mut conn, |conn| Home::create_many(conn, homes_of(9)));
    made.expect("homes");
    // Homes and gardens are read back; kitchens nobody looks at; pantries are looked for.
    assert_eq!(
        of_rows(&sent),
        [
            "SELECT", "INSERT", "SELECT", "SELECT", "INSERT", "SELECT", "INSERT", "SELECT",
            "INSERT"
        ]
    );
    let (made, sent) = statements(&mut conn, |conn| Home::create(conn, homes_of(1).remove(0)));
    made.expect("a home");
    assert_eq!(
        of_rows(&sent),
        [
            "INSERT", "SELECT", "INSERT", "SELECT", "INSERT", "SELECT", "INSERT"
        ]
    );
}
