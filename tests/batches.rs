//! `create_many` sends few statements, whatever the table is like, and hands the rows back in their order.
#![allow(missing_docs)]

mod common;

use common::{Log, memory, of_rows, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, greeting -> Text } }
diesel::table! { settings (id) { id -> Integer, profile_id -> Integer, dark -> Bool } }
diesel::table! { tags (code) { code -> Text, label -> Nullable<Text> } }
diesel::table! { seats (row, place) { row -> Integer, place -> Text, taken -> Bool } }
diesel::table! { numbers (id) { id -> BigInt, name -> Text } }
diesel::table! { notes (id) { id -> Integer, text -> Text, color -> Nullable<Text>, size -> Integer } }
diesel::table! { tickets (id) { id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE profiles (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE REFERENCES users,
        greeting TEXT NOT NULL CHECK (greeting <> 'Hello, nobody'));
    CREATE TABLE settings (id INTEGER PRIMARY KEY, profile_id INTEGER NOT NULL UNIQUE REFERENCES profiles,
        dark BOOLEAN NOT NULL);
    CREATE TABLE tags (code TEXT PRIMARY KEY, label TEXT) WITHOUT ROWID;
    CREATE TABLE seats (row INTEGER, place TEXT, taken BOOLEAN NOT NULL, PRIMARY KEY (row, place)) WITHOUT ROWID;
    CREATE TABLE numbers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, color TEXT, size INTEGER NOT NULL DEFAULT 7);
    CREATE TABLE tickets (id INTEGER PRIMARY KEY);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create = greet))]
    user_id: i32,
    greeting: String,
}

fn greet(user: &User) -> NewProfile {
    NewProfile {
        user_id: user.id,
        greeting: format!("Hello, {}", user.name),
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = settings)]
struct Settings {
    id: i32,
    #[hooks(one_to_one(Profile, on_delete = Cascade, related_name = settings, auto_create))]
    profile_id: i32,
    dark: bool,
}

/// A second struct over the table of users.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = Self)]
struct Login {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(primary_key(code))]
struct Tag {
    #[hooks(assigned)]
    code: String,
    label: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(primary_key(row, place))]
struct Seat {
    row: i32,
    place: String,
    taken: bool,
}

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

/// The same rows, with keys that the derive knows nothing of.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = numbers)]
#[hooks(new = MaybeNumber)]
struct OpaqueNumber {
    id: i64,
    name: String,
}

#[derive(Insertable)]
#[diesel(table_name = numbers)]
struct MaybeNumber {
    id: Option<i64>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(new = WrittenNote)]
struct Note {
    id: i32,
    text: String,
    color: Option<String>,
    size: i32,
}

#[derive(Insertable)]
#[diesel(table_name = notes)]
struct WrittenNote {
    text: String,
    color: Option<String>,
    size: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Ticket {
    id: i32,
}

static LOG: Log = Log::new();

#[receiver]
fn dark_in_the_beginning(event: &mut PreCreate<Settings>) {
    event.new.dark = true;
}

#[receiver]
fn settings_made(events: &[PostCreate<Settings>]) {
    LOG.push(format!("{} settings", events.len()));
}

#[receiver]
fn profiles_made(events: &[PostSave<Profile>]) {
    LOG.push(format!("{} profiles", events.len()));
}

fn database() -> SqliteConnection {
    memory(SCHEMA)
}

fn new_users(count: usize) -> Vec<NewUser> {
    let name = |n| format!("user {n}");
    (0..count).map(|n| NewUser { name: name(n) }).collect()
}

fn new_numbers(count: i64) -> Vec<NewNumber> {
    let name = |n| format!("number {n}");
    (0..count).map(|n| NewNumber { name: name(n) }).collect()
}

fn names(numbers: &[Number]) -> Vec<&str> {
    numbers.iter().map(|it| &*it.name).collect()
}

/// The statements about rows that a batch takes, once the tables are known.
fn counted<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> diesel_hooks::Result<T>,
) -> (T, [usize; 2]) {
    let (outcome, sent) = statements(conn, work);
    let verbs = of_rows(&sent);
    let count = |verb| verbs.iter().filter(|it| **it == verb).count();
    (
        outcome.expect("created"),
        [count("INSERT"), count("SELECT")],
    )
}

#[test]
fn fifty_rows_go_into_one_insert_and_all_are_read_back_by_one_select() {
    let mut conn = database();
    Number::create(&mut conn, new_numbers(1).remove(0)).expect("a number");
    for (rows, inserts) in [(2, 1), (9, 1), (10, 1), (23, 2), (50, 1), (51, 2), (173, 5)] {
        let (numbers, sent) = counted(&mut conn, |conn| {
            Number::create_many(conn, new_numbers(rows))
        });
        let wanted: Vec<_> = (0..rows).map(|n| format!("number {n}")).collect();
        assert_eq!(names(&numbers), wanted);
        assert!(numbers.is_sorted_by_key(|it| it.id));
        // One SELECT asks for the last row that there was.
        assert_eq!(sent, [inserts, 2], "{rows} rows");
    }
}

#[test]
fn dependents_go_in_batches_through_all_levels_and_batch_receivers_hear_them_once() {
    let mut conn = database();
    User::create_many(
        &mut conn,
        vec![NewUser {
            name: "first".into(),
        }],
    )
    .expect("a user");
    LOG.take();
    let (users, sent) = counted(&mut conn, |conn| User::create_many(conn, new_users(120)));
    assert_eq!(LOG.take(), ["120 settings", "120 profiles"]);
    // Users, profiles and settings: three INSERTs and two SELECTs each.
    assert_eq!(sent, [9, 6]);
    for (n, user) in users.iter().enumerate() {
        assert_eq!(user.name, format!("user {n}"));
        let profile = user.profile(&mut conn).expect("a profile");
        assert_eq!(profile.greeting, format!("Hello, user {n}"));
        assert!(profile.settings(&mut conn).expect("settings").dark);
    }
}

#[test]
fn rows_created_through_another_struct_have_their_parents_loaded_at_once() {
    let mut conn = database();
    let logins = |ids: std::ops::Range<i32>| {
        let login = |id| Login {
            id,
            name: format!("login {id}"),
        };
        ids.rev().map(login).collect::<Vec<_>>()
    };
    Login::create_many(&mut conn, logins(1..3)).expect("logins");
    let (made, sent) = counted(&mut conn, |conn| Login::create_many(conn, logins(3..43)));
    assert_eq!(made, logins(3..43));
    // By their keys; the users once more for `greet`; profiles and settings as ever.
    assert_eq!(sent, [3, 1 + 1 + 2 + 2]);
    for login in made {
        let user = User::get(&mut conn, login.id).expect("a user");
        let profile = user.profile(&mut conn).expect("a profile");
        assert_eq!(profile.greeting, format!("Hello, {}", login.name));
    }
}

#[test]
fn keys_of_the_application_come_back_in_its_order() {
    let mut conn = database();
    let tag = |n: i32| NewTag {
        code: format!("tag {}", n * 7 % 60),
        label: (n % 2 == 0).then(|| format!("label {n}")),
    };
    let seat = |n: i32| NewSeat {
        row: n * 7 % 6,
        place: format!("place {}", 59 - n),
        taken: n % 3 == 0,
    };
    let number = |n: i64| GivenNumber {
        id: n * 37 % 60 - 20,
        name: format!("given {n}"),
    };
    Tag::create(&mut conn, tag(61)).expect("the table is known");
    diesel::delete(tags::table)
        .execute(&mut conn)
        .expect("and empty");
    Seat::create(&mut conn, seat(60)).expect("the table is known");
    GivenNumber::create(&mut conn, number(60 * 60 + 31)).expect("the table is known");
    diesel::delete(numbers::table)
        .execute(&mut conn)
        .expect("and empty");

    let (made, sent) = counted(&mut conn, |conn| {
        Tag::create_many(conn, (0..60).map(tag).collect())
    });
    assert_eq!(sent, [2, 1]);
    for (n, it) in (0..60).zip(made) {
        assert_eq!((it.code, it.label), (tag(n).code, tag(n).label));
    }
    let (made, sent) = counted(&mut conn, |conn| {
        Seat::create_many(conn, (0..60).map(seat).collect())
    });
    assert_eq!(sent, [2, 1]);
    for (n, it) in (0..60).zip(made) {
        let wanted = seat(n);
        assert_eq!(
            (it.row, it.place, it.taken),
            (wanted.row, wanted.place, wanted.taken)
        );
    }
    let (made, sent) = counted(&mut conn, |conn| {
        GivenNumber::create_many(conn, (0..60).map(number).collect())
    });
    assert_eq!(sent, [2, 1]);
    assert_eq!(made, (0..60).map(number).collect::<Vec<_>>());
}

#[test]
fn a_written_insertable_that_may_give_the_rowid_is_inserted_row_by_row() {
    let mut conn = database();
    let new = |n: i64| MaybeNumber {
        id: (n % 3 == 0).then_some(100 - n),
        name: format!("maybe {n}"),
    };
    OpaqueNumber::create(&mut conn, new(1)).expect("the table is known");
    let (made, sent) = counted(&mut conn, |conn| {
        OpaqueNumber::create_many(conn, (2..12).map(new).collect())
    });
    assert_eq!(sent, [10, 10]);
    for (n, it) in (2..12).zip(made) {
        assert_eq!(it.name, format!("maybe {n}"));
        assert!(n % 3 != 0 || it.id == 100 - n);
    }
}

#[test]
fn rows_of_a_written_insertable_go_together_while_they_name_the_same_columns() {
    let mut conn = database();
    let new = |n: i32| WrittenNote {
        text: format!("note {n}"),
        color: (n < 30).then(|| format!("color {n}")),
        size: (n >= 40).then_some(n),
    };
    Note::create(&mut conn, new(0)).expect("the table is known");
    let (made, sent) = counted(&mut conn, |conn| {
        Note::create_many(conn, (0..60).map(new).collect())
    });
    // With a color; without; with a size.
    assert_eq!(sent, [3, 2]);
    for (n, it) in (0..60).zip(made) {
        let size = if n < 40 { 7 } else { n };
        assert_eq!(
            (it.text, it.color, it.size),
            (new(n).text, new(n).color, size)
        );
    }
}

#[test]
fn rows_of_nothing_but_defaults_are_inserted_row_by_row() {
    let mut conn = database();
    Ticket::create(&mut conn, NewTicket {}).expect("the table is known");
    let (made, sent) = counted(&mut conn, |conn| {
        Ticket::create_many(conn, vec![NewTicket {}; 3])
    });
    assert_eq!(made, [2, 3, 4].map(|id| Ticket { id }));
    assert_eq!(sent, [3, 3]);
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

#[test]
fn a_refused_row_in_the_middle_leaves_nothing() {
    for outside in [false, true] {
        let mut conn = database();
        User::create(
            &mut conn,
            NewUser {
                name: "user 70".into(),
            },
        )
        .expect("a user");
        let attempt = |conn: &mut SqliteConnection| {
            let refused = User::create_many(conn, new_users(120)).expect_err("the name is taken");
            assert!(matches!(
                refused,
                Error::Query {
                    model: Some("User"),
                    ..
                }
            ));
            let stored: i64 = users::table.count().get_result(conn)?;
            assert_eq!(stored, 1);
            User::create_many(conn, new_users(70)).map(drop)
        };
        match outside {
            true => attempt(&mut conn).expect("the rest is free"),
            false => conn.transaction(attempt).expect("the rest is free"),
        }
        let stored: i64 = users::table.count().get_result(&mut conn).expect("a count");
        assert_eq!(stored, 71);
    }
}

#[test]
fn a_refused_dependent_in_the_middle_leaves_nothing() {
    let mut conn = database();
    let mut new = new_users(120);
    new[70].name = "nobody".into();
    let refused = User::create_many(&mut conn, new).expect_err("nobody is not greeted");
    assert!(matches!(
        refused,
        Error::Query {
            model: Some("Profile"),
            ..
        }
    ));
    let stored: (i64, i64) = (
        users::table.count().get_result(&mut conn).expect("a count"),
        profiles::table
            .count()
            .get_result(&mut conn)
            .expect("a count"),
    );
    assert_eq!(stored, (0, 0));
}

#[test]
fn a_hundred_thousand_rows_come_back_in_order() {
    let mut conn = database();
    Number::create(&mut conn, new_numbers(1).remove(0)).expect("a number");
    let (made, sent) = counted(&mut conn, |conn| {
        Number::create_many(conn, new_numbers(100_000))
    });
    assert_eq!(sent, [2_000, 2]);
    assert_eq!(made.len(), 100_000);
    for (n, it) in made.iter().enumerate() {
        assert_eq!(it.name, format!("number {n}"));
    }
}
