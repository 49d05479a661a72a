//! `create_many` finds its rows again by the rowids that SQLite counts up, unless it cannot know them: triggers insert
//! rows too, and after the last rowid there is no next.
#![allow(missing_docs)]

mod common;

use common::memory;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { numbers (id) { id -> BigInt, name -> Text } }

const SCHEMA: &str = "CREATE TABLE numbers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Number {
    id: i64,
    name: String,
}

/// The same rows, with keys of the application.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(table_name = numbers)]
#[hooks(new = Self)]
struct GivenNumber {
    id: i64,
    name: String,
}

fn database() -> SqliteConnection {
    memory(SCHEMA)
}

fn new_numbers(count: usize) -> Vec<NewNumber> {
    let name = |n| format!("number {n}");
    (0..count).map(|n| NewNumber { name: name(n) }).collect()
}

fn names(numbers: &[Number]) -> Vec<&str> {
    numbers.iter().map(|it| &*it.name).collect()
}

#[test]
fn triggers_that_write_more_rows_confuse_nothing() {
    let mut conn = database();
    conn.batch_execute(
        "CREATE TRIGGER echo AFTER INSERT ON numbers WHEN new.name NOT LIKE 'echo%' BEGIN
            INSERT INTO numbers (name) VALUES ('echo of ' || new.name);
            UPDATE numbers SET name = upper(new.name) WHERE id = new.id;
        END;",
    )
    .expect("a trigger");
    let made = Number::create_many(&mut conn, new_numbers(70)).expect("numbers");
    let wanted: Vec<_> = (0..70).map(|n| format!("NUMBER {n}")).collect();
    assert_eq!(names(&made), wanted);
    let stored: i64 = numbers::table
        .count()
        .get_result(&mut conn)
        .expect("a count");
    assert_eq!(stored, 140);
}

#[test]
fn a_trigger_made_after_the_table_was_looked_at_is_an_error_and_not_a_wrong_row() {
    for when in ["BEFORE", "AFTER"] {
        let mut conn = database();
        Number::create_many(&mut conn, new_numbers(2)).expect("numbers");
        conn.batch_execute(&format!(
            "CREATE TRIGGER echo {when} INSERT ON numbers WHEN new.name NOT LIKE 'echo%' BEGIN
                INSERT INTO numbers (name) VALUES ('echo of ' || new.name);
            END;"
        ))
        .expect("a trigger");
        let refused = Number::create_many(&mut conn, new_numbers(4));
        assert!(matches!(
            refused,
            Err(Error::RowCount {
                expected: 4,
                actual: 8,
                ..
            })
        ));
        let stored: i64 = numbers::table
            .count()
            .get_result(&mut conn)
            .expect("a count");
        assert_eq!(stored, 2, "{when}");
        let made = Number::create_many(&mut conn, new_numbers(4)).expect("it was looked at again");
        assert_eq!(
            names(&made),
            ["number 0", "number 1", "number 2", "number 3"]
        );
    }
}

#[test]
fn rows_past_the_last_rowid_are_still_found() {
    let mut conn = database();
    let last = GivenNumber {
        id: i64::MAX - 2,
        name: "last".into(),
    };
    GivenNumber::create(&mut conn, last).expect("a number");
    let made = Number::create_many(&mut conn, new_numbers(6)).expect("numbers");
    let wanted: Vec<_> = (0..6).map(|n| format!("number {n}")).collect();
    assert_eq!(names(&made), wanted);
    for it in made {
        assert_eq!(Number::get(&mut conn, it.id).expect("a number"), it);
    }
}
