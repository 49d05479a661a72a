//! `create_many` sends few statements, whatever the table is like, and hands the rows back in their order.

use backends::{Log, System, TestConnection, count, fresh, of_rows, on, statements, system};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, greeting -> Text } }
diesel::table! { settings (id) { id -> Integer, profile_id -> Integer, dark -> Bool } }
diesel::table! { tags (code) { code -> Text, label -> Nullable<Text> } }
diesel::table! { seats (row, place) { row -> Integer, place -> Text, taken -> Bool } }
diesel::table! { numbers (id) { id -> Integer, name -> Text } }
diesel::table! { notes (id) { id -> Integer, text -> Text, color -> Nullable<Text>, size -> Integer } }
diesel::table! { tickets (id) { id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE users (id {key}, name TEXT NOT NULL UNIQUE);
    CREATE TABLE profiles (id {key}, user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),
        greeting TEXT NOT NULL CHECK (greeting <> 'Hello, nobody'));
    CREATE TABLE settings (id {key}, profile_id INTEGER NOT NULL UNIQUE REFERENCES profiles (id),
        dark BOOLEAN NOT NULL);
    CREATE TABLE tags (code TEXT PRIMARY KEY, label TEXT) WITHOUT ROWID;
    CREATE TABLE seats ({q}row{q} INTEGER, place TEXT, taken BOOLEAN NOT NULL, PRIMARY KEY ({q}row{q}, place)) WITHOUT ROWID;
    CREATE TABLE numbers (id {key}, name TEXT NOT NULL);
    CREATE TABLE notes (id {key}, text TEXT NOT NULL, color TEXT, size INTEGER NOT NULL DEFAULT 7);
    CREATE TABLE tickets (id {key});
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
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
#[hooks(connection(TestConnection))]
#[diesel(table_name = settings)]
struct Settings {
    id: i32,
    #[hooks(one_to_one(Profile, on_delete = Cascade, related_name = settings, auto_create))]
    profile_id: i32,
    dark: bool,
}

/// A second struct over the table of users.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = users)]
#[hooks(new = Self)]
struct Login {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(code))]
struct Tag {
    #[hooks(assigned)]
    code: String,
    label: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(row, place))]
struct Seat {
    row: i32,
    place: String,
    taken: bool,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Number {
    id: i32,
    name: String,
}

/// The same rows, with keys of the application.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = numbers)]
#[hooks(new = Self)]
struct GivenNumber {
    id: i32,
    name: String,
}

/// The same rows, with keys that the derive knows nothing of.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = numbers)]
#[hooks(new = MaybeNumber)]
struct OpaqueNumber {
    id: i32,
    name: String,
}

#[derive(Insertable)]
#[diesel(table_name = numbers)]
struct MaybeNumber {
    id: Option<i32>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
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
#[hooks(connection(TestConnection))]
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

fn database() -> TestConnection {
    fresh(SCHEMA)
}

fn new_users(count: usize) -> Vec<NewUser> {
    let name = |n| format!("user {n}");
    (0..count).map(|n| NewUser { name: name(n) }).collect()
}

fn new_numbers(count: i32) -> Vec<NewNumber> {
    let name = |n| format!("number {n}");
    (0..count).map(|n| NewNumber { name: name(n) }).collect()
}

fn names(numbers: &[Number]) -> Vec<&str> {
    numbers.iter().map(|it| &*it.name).collect()
}

/// How many statements write rows and how many read them, once the tables are known.
fn counted<T>(
    conn: &mut TestConnection,
    work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result<T>,
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
fn rows_go_together_into_few_inserts_and_few_selects_read_them_back() {
    let mut conn = database();
    Number::create(&mut conn, new_numbers(1).remove(0)).expect("a number");
    let batches = [
        (2, 1, 1),
        (9, 1, 1),
        (10, 1, 1),
        (23, 2, 1),
        (50, 1, 1),
        (51, 2, 1),
        (173, 5, 1),
        (1001, 21, 2),
    ];
    for (rows, on_sqlite, on_postgres) in batches {
        let (numbers, sent) = counted(&mut conn, |conn| {
            Number::create_many(conn, new_numbers(rows))
        });
        let wanted: Vec<_> = (0..rows).map(|n| format!("number {n}")).collect();
        assert_eq!(names(&numbers), wanted);
        assert!(numbers.is_sorted_by_key(|it| it.id));
        // On SQLite one SELECT asks for the last row that there was; MySQL tells one key at a time.
        let each = names(&numbers).len();
        let expected = on([on_sqlite, 2], [on_postgres, 0], [each, each]);
        assert_eq!(sent, expected, "{rows} rows");
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
    // Users, profiles and settings, of each as many as of numbers.
    assert_eq!(sent, on([9, 6], [3, 0], [360, 360]));
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
    let expected = on([3, 1 + 1 + 2 + 2], [3, 1], [1 + 40 + 40, 1 + 1 + 40 + 40]);
    assert_eq!(sent, expected);
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
    let number = |n: i32| GivenNumber {
        id: n * 37 % 60 - 60,
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

    let in_one_go = on([2, 1], [1, 0], [1, 1]);
    let (made, sent) = counted(&mut conn, |conn| {
        Tag::create_many(conn, (0..60).map(tag).collect())
    });
    assert_eq!(sent, in_one_go);
    for (n, it) in (0..60).zip(made) {
        assert_eq!((it.code, it.label), (tag(n).code, tag(n).label));
    }
    let (made, sent) = counted(&mut conn, |conn| {
        Seat::create_many(conn, (0..60).map(seat).collect())
    });
    assert_eq!(sent, in_one_go);
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
    assert_eq!(sent, in_one_go);
    assert_eq!(made, (0..60).map(number).collect::<Vec<_>>());
}

#[test]
fn the_keys_that_a_written_insertable_may_give_are_told_or_refused() {
    let mut conn = database();
    let new = |n: i32| MaybeNumber {
        id: (n % 3 == 0).then_some(100 - n),
        name: format!("maybe {n}"),
    };
    let all = || (2..12).map(new).collect();
    OpaqueNumber::create(&mut conn, new(1)).expect("the table is known");
    // MySQL tells no key that it did not make.
    if system() == System::Mysql {
        let refused = OpaqueNumber::create_many(&mut conn, all());
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(count(&mut conn, "numbers"), 1);
        return;
    }
    let (made, sent) = counted(&mut conn, |conn| OpaqueNumber::create_many(conn, all()));
    assert_eq!(sent, on([10, 10], [1, 0], [0, 0]));
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
    // With a color; without; with a size: PostgreSQL takes a default among values.
    assert_eq!(sent, on([3, 2], [1, 0], [60, 60]));
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
    assert_eq!(sent, on([3, 3], [3, 0], [3, 3]));
}

#[test]
fn keys_of_what_a_trigger_inserts_confuse_nothing() {
    let mut conn = fresh(&format!(
        "{SCHEMA} INSERT INTO notes (text) VALUES ('first');
        {{trigger echo AFTER INSERT ON numbers: INSERT INTO notes (text) VALUES (new.name);}}"
    ));
    for rows in [1, 70] {
        let made = Number::create_many(&mut conn, new_numbers(rows)).expect("numbers");
        let wanted: Vec<_> = (0..rows).map(|n| format!("number {n}")).collect();
        assert_eq!(names(&made), wanted);
    }
    assert_eq!(count(&mut conn, "numbers"), 71);
    assert_eq!(count(&mut conn, "notes"), 72);
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
        let attempt = |conn: &mut TestConnection| {
            let refused = User::create_many(conn, new_users(120)).expect_err("the name is taken");
            assert!(matches!(
                refused,
                Error::Query {
                    model: Some("User"),
                    ..
                }
            ));
            assert_eq!(count(conn, "users"), 1);
            User::create_many(conn, new_users(70)).map(drop)
        };
        match outside {
            true => attempt(&mut conn).expect("the rest is free"),
            false => conn.transaction(attempt).expect("the rest is free"),
        }
        assert_eq!(count(&mut conn, "users"), 71);
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
    assert_eq!(count(&mut conn, "users"), 0);
    assert_eq!(count(&mut conn, "profiles"), 0);
}

#[test]
fn very_many_rows_come_back_in_order() {
    let mut conn = database();
    Number::create(&mut conn, new_numbers(1).remove(0)).expect("a number");
    // On MySQL one by one.
    let many = on(100_000, 100_000, 2_000);
    let (made, sent) = counted(&mut conn, |conn| {
        Number::create_many(conn, new_numbers(many))
    });
    assert_eq!(sent, on([2_000, 2], [100, 0], [2_000, 2_000]));
    assert!(
        names(&made)
            .into_iter()
            .eq((0..many).map(|n| format!("number {n}")))
    );
}
