//! What `check` looks for on SQLite alone: tables where statements find them, and a foreign key that takes a new table.
#![allow(missing_docs, dead_code, reason = "the models are only looked at")]

mod common;

use common::memory;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

const SCHEMA: &str = "
    CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE pets (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners, name TEXT);
    CREATE TABLE chips (code TEXT PRIMARY KEY, pet_id INTEGER REFERENCES pets (id));
    CREATE UNIQUE INDEX chips_pet ON chips (pet_id);
";

diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { pets (id) { id -> Integer, owner_id -> Integer, name -> Nullable<Text> } }
diesel::table! { chips (code) { code -> Text, pet_id -> Nullable<Integer> } }
diesel::table! { elsewhere (id) { id -> Integer, only -> Text } }

#[derive(Debug, Clone, Queryable, Hooks)]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Pet {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = pet))]
    owner_id: i32,
    name: Option<String>,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(primary_key(code))]
struct Chip {
    code: String,
    #[hooks(one_to_one(Pet, on_delete = Protect))]
    pet_id: Option<i32>,
}

/// Not stored on SQLite, so nothing is missing there.
#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = elsewhere, check_for_backend(Pg))]
struct Elsewhere {
    id: i32,
    only: String,
}

#[test]
fn what_agrees_has_no_findings_and_prints_nothing() {
    let findings = diesel_hooks::check(&mut memory(SCHEMA)).expect("the catalog can be read");
    assert!(findings.is_empty(), "{findings}");
    assert_eq!(findings.to_string(), "");
}

#[test]
fn the_recipe_for_a_foreign_key_works_as_it_is_written() {
    let missing = SCHEMA.replacen("UNIQUE REFERENCES owners, name", "UNIQUE, name", 1);
    let conn = &mut memory(&missing);
    conn.batch_execute(
        "INSERT INTO owners VALUES (1, 'Ada'); INSERT INTO pets VALUES (1, 1, 'Rex');",
    )
    .expect("rows");
    let findings = diesel_hooks::check(conn).expect("it can be read");
    let mend = findings[0].mend();
    let (_, recipe) = mend.split_once("this foreign key: ").expect("a recipe");
    let recipe = recipe.replace(
        "(.., ",
        "(id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL UNIQUE, name TEXT, ",
    );
    conn.batch_execute(&recipe).expect("it is SQL");
    let after = diesel_hooks::check(conn).expect("it can be read");
    assert!(after.is_empty(), "{after}");
    assert_eq!(pets::table.count().get_result(conn), Ok(1_i64));
}

#[test]
fn a_table_is_looked_for_where_statements_look_for_it() {
    let conn = &mut memory(
        &SCHEMA
            .replace("CREATE TABLE chips", "CREATE TEMP TABLE chips")
            .replace(
                "CREATE UNIQUE INDEX chips_pet",
                "CREATE UNIQUE INDEX temp.chips_pet",
            ),
    );
    conn.batch_execute("CREATE TEMP TABLE pets (id INTEGER PRIMARY KEY, name TEXT);")
        .expect("a table");
    let findings = diesel_hooks::check(conn).expect("it can be read");
    let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    let text = "there is no column owner_id in table pets for Pet (";
    assert!(texts[0].starts_with(text), "{texts:?}");
}
