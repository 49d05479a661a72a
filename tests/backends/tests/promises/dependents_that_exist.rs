//! A dependent that is there before `auto_create` gets to it is an error that says so.

use std::cell::Cell;

use backends::{READ_BACK, TestConnection, fresh, insert, of_rows, on, sequence, statements};
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
    CREATE TABLE homes (id {key}, name TEXT NOT NULL);
    CREATE TABLE gardens (id {key}, home_id INTEGER NOT NULL UNIQUE REFERENCES homes (id));
    CREATE TABLE kitchens (id {key}, home_id INTEGER NOT NULL UNIQUE REFERENCES homes (id), code INTEGER UNIQUE);
    CREATE TABLE pantries (id {key}, home_id INTEGER NOT NULL REFERENCES homes (id));
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Home {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Garden {
    id: i32,
    #[hooks(one_to_one(Home, on_delete = Cascade, auto_create))]
    home_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Kitchen {
    id: i32,
    #[hooks(one_to_one(Home, on_delete = Cascade, auto_create = furnish))]
    home_id: i32,
    code: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
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
fn too_early(event: &PostCreate<Garden>, conn: &mut TestConnection) -> diesel_hooks::Result {
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

fn stored(conn: &mut TestConnection) -> [i64; 4] {
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

/// The same of a child that the schema refuses: after that PostgreSQL answers no more, and its own word stands.
#[track_caller]
fn says_if_asked(error: &Error, child: &str, home: &str) {
    match on(true, false, true) {
        true => says(error, child, &format!("{child}.home_id"), home),
        false => is_taken(error, child),
    }
}

#[track_caller]
fn is_taken(error: &Error, child: &str) {
    let unique = |it: &DieselError| {
        matches!(
            it,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
        )
    };
    assert!(
        matches!(error, Error::Query { model: Some(it), source, .. } if *it == child && unique(source)),
        "{error:?}"
    );
}

#[test]
fn one_that_a_receiver_made_is_named_where_the_schema_refuses_a_second() {
    let mut conn = fresh(SCHEMA);
    EARLY.set((Early::Kitchen, 1));
    let error = Home::create(&mut conn, homes_of(1).remove(0)).expect_err("it has a kitchen");
    says_if_asked(&error, "Kitchen", "1");
    assert_eq!(stored(&mut conn), [0; 4]);
}

#[test]
fn one_that_a_receiver_made_is_named_where_the_schema_would_take_a_second() {
    let mut conn = fresh(SCHEMA);
    EARLY.set((Early::Pantry, 1));
    let error = Home::create(&mut conn, homes_of(1).remove(0)).expect_err("it has a pantry");
    says(&error, "Pantry", "Pantry.home_id", "1");
    assert_eq!(stored(&mut conn), [0; 4]);
}

#[test]
fn in_a_batch_the_row_is_named_that_has_one() {
    for (early, child) in [(Early::Kitchen, "Kitchen"), (Early::Pantry, "Pantry")] {
        let mut conn = fresh(SCHEMA);
        EARLY.set((early, 70));
        let error = Home::create_many(&mut conn, homes_of(120)).expect_err("one has it");
        match child {
            "Kitchen" => says_if_asked(&error, child, "70"),
            _ => says(&error, child, &format!("{child}.home_id"), "70"),
        }
        assert_eq!(stored(&mut conn), [0; 4]);
    }
}

#[test]
fn another_constraint_of_the_dependent_stays_what_it_is() {
    let mut conn = fresh(SCHEMA);
    EARLY.set((Early::Nothing, 0));
    Home::create(&mut conn, homes_of(1).remove(0)).expect("a home");
    conn.batch_execute("UPDATE kitchens SET code = 5")
        .expect("a code");
    CODE.set(Some(5));
    let error = Home::create_many(&mut conn, homes_of(120)).expect_err("the code is taken");
    CODE.set(None);
    is_taken(&error, "Kitchen");
    assert_eq!(stored(&mut conn), [1; 4]);
}

#[test]
fn one_that_a_trigger_made_is_named_too() {
    let mut conn = fresh(SCHEMA);
    EARLY.set((Early::Nothing, 0));
    let trigger = "{trigger furnished AFTER INSERT ON homes:
        INSERT INTO pantries (home_id) VALUES (NEW.id);}";
    insert(&mut conn, trigger);
    let error = Home::create_many(&mut conn, homes_of(3)).expect_err("it has a pantry");
    says(&error, "Pantry", "Pantry.home_id", "1");
    assert_eq!(stored(&mut conn), [0; 4]);
}

#[test]
fn one_row_more_is_asked_for_only_where_the_schema_would_take_it() {
    let mut conn = fresh(SCHEMA);
    EARLY.set((Early::Nothing, 0));
    Home::create_many(&mut conn, homes_of(2)).expect("the tables are known");
    let (made, sent) = statements(&mut conn, |conn| Home::create_many(conn, homes_of(9)));
    made.expect("homes");
    // Homes and gardens are read back; kitchens nobody looks at; pantries are looked for.
    let read = on(
        vec!["SELECT", "INSERT", "SELECT"],
        vec!["INSERT"],
        ["INSERT", "SELECT"].repeat(9),
    );
    let rest = vec!["INSERT", "SELECT", "INSERT"];
    assert_eq!(of_rows(&sent), [&*read, &*read, &*rest].concat());
    let (made, sent) = statements(&mut conn, |conn| Home::create(conn, homes_of(1).remove(0)));
    made.expect("a home");
    let one = ["INSERT", READ_BACK];
    let rest = ["INSERT", "SELECT", "INSERT"];
    assert_eq!(of_rows(&sent), sequence(&[&one[..], &one, &rest].concat()));
}
