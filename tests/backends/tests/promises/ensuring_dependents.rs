//! `ensure_<related_name>` makes the dependents that older rows lack.

use std::sync::Barrier;

use backends::{Database, Log, TestConnection, fresh, insert, many, of_rows, on, rows, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, greeting -> Text } }
diesel::table! { settings (id) { id -> Integer, profile_id -> Integer, dark -> Bool } }
diesel::table! { tags (code) { code -> Text } }
diesel::table! { hints (id) { id -> Integer, tag_code -> Nullable<Text>, text -> Nullable<Text> } }

const SCHEMA: &str = "
    CREATE TABLE users (id {key}, name TEXT NOT NULL);
    CREATE TABLE profiles (id {key}, user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),
        greeting TEXT NOT NULL CHECK (greeting <> 'Hello, nobody'));
    CREATE TABLE settings (id {key}, profile_id INTEGER NOT NULL UNIQUE REFERENCES profiles (id),
        dark BOOLEAN NOT NULL);
    CREATE TABLE tags (code TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE hints (id {key}, tag_code TEXT REFERENCES tags (code), text TEXT);
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

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(code))]
struct Tag {
    #[hooks(assigned)]
    code: String,
}

/// An optional relation, which nothing in the schema keeps unique.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Hint {
    id: i32,
    #[hooks(one_to_one(Tag, on_delete = Cascade, related_name = hint, accessor = tag, auto_create))]
    tag_code: Option<String>,
    text: Option<String>,
}

static LOG: Log = Log::new();

#[receiver]
fn profiles_made(events: &[PostCreate<Profile>]) {
    LOG.push(format!("{} profiles", events.len()));
}

fn numbered(text: &str) -> String {
    let joined = format!("'{text}' || i");
    on(joined.clone(), joined, format!("concat('{text}', i)"))
}

/// Users that plain SQL made, which tells nobody.
fn older_users(conn: &mut TestConnection, count: usize) {
    insert(conn, &many("users (name)", count, &numbered("user ")));
}

fn stored(conn: &mut TestConnection) -> [i64; 3] {
    [
        users::table.count().get_result(conn),
        profiles::table.count().get_result(conn),
        settings::table.count().get_result(conn),
    ]
    .map(|count| count.expect("a count"))
}

fn ada() -> NewUser {
    NewUser { name: "Ada".into() }
}

#[test]
fn older_rows_get_what_they_lack_and_the_others_keep_theirs() {
    let mut conn = fresh(SCHEMA);
    let ada = User::create(&mut conn, ada()).expect("a user");
    let profile = ada.profile(&mut conn).expect("a profile");
    older_users(&mut conn, 5);
    LOG.take();
    assert_eq!(User::ensure_profile(&mut conn).expect("profiles"), 5);
    assert_eq!(LOG.take(), ["5 profiles"]);
    assert_eq!(stored(&mut conn), [6; 3]);
    assert_eq!(ada.profile(&mut conn).expect("a profile"), profile);
    let last = User::get(&mut conn, 6).expect("a user");
    let greeting = last.profile(&mut conn).expect("a profile").greeting;
    assert_eq!(greeting, "Hello, user 5");
}

#[test]
fn again_it_makes_nothing() {
    let mut conn = fresh(SCHEMA);
    assert_eq!(User::ensure_profile(&mut conn).expect("none"), 0);
    older_users(&mut conn, 3);
    assert_eq!(User::ensure_profile(&mut conn).expect("profiles"), 3);
    LOG.take();
    let (made, sent) = statements(&mut conn, User::ensure_profile);
    assert_eq!(made.expect("none"), 0);
    // The others ask what the schema says.
    let rows = |sql: &&String| !sql.contains("pragma");
    let rows: Vec<_> = sent.iter().filter(rows).cloned().collect();
    assert_eq!(of_rows(&rows), ["SELECT"]);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn a_large_table_goes_in_batches_of_a_thousand_and_few_statements() {
    let mut conn = fresh(SCHEMA);
    older_users(&mut conn, 2_500);
    LOG.take();
    let (made, sent) = statements(&mut conn, User::ensure_profile);
    assert_eq!(made.expect("profiles"), 2_500);
    assert_eq!(
        LOG.take(),
        ["1000 profiles", "1000 profiles", "500 profiles"]
    );
    let begun = sent.iter().filter(|sql| sql.starts_with("BEGIN")).count();
    assert_eq!(begun, 3);
    let inserts = sent.iter().filter(|sql| sql.starts_with("INSERT")).count();
    // On MySQL each row whose key somebody asks for has its own.
    assert_eq!(inserts, on(2 * 50, 2 * 3, 2_503));
    assert_eq!(stored(&mut conn), [2_500; 3]);
}

#[test]
fn a_batch_that_fails_leaves_those_before_it() {
    let mut conn = fresh(SCHEMA);
    older_users(&mut conn, 1_500);
    conn.batch_execute("UPDATE users SET name = 'nobody' WHERE id = 1400")
        .expect("a name");
    User::ensure_profile(&mut conn).expect_err("nobody is not greeted");
    assert_eq!(stored(&mut conn), [1_500, 1_000, 1_000]);
    conn.batch_execute("UPDATE users SET name = 'somebody' WHERE id = 1400")
        .expect("a name");
    assert_eq!(User::ensure_profile(&mut conn).expect("the rest"), 500);
}

#[test]
fn inside_a_transaction_of_the_application_it_is_part_of_that() {
    let mut conn = fresh(SCHEMA);
    older_users(&mut conn, 3);
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        assert_eq!(User::ensure_profile(conn)?, 3);
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    outcome.expect_err("it was rolled back");
    assert_eq!(stored(&mut conn), [3, 0, 0]);
}

#[test]
fn two_connections_at_once_make_each_dependent_once() {
    let disk = Database::new(SCHEMA);
    older_users(&mut disk.connect(), 3_000);
    let start = Barrier::new(2);
    let ensure = &|mut conn: TestConnection| {
        start.wait();
        User::ensure_profile(&mut conn).expect("profiles")
    };
    let connections = [disk.connect(), disk.connect()];
    let made = std::thread::scope(|scope| {
        let both = connections.map(|conn| scope.spawn(move || ensure(conn)));
        both.map(|it| it.join().expect("no panic"))
    });
    assert_eq!(made[0] + made[1], 3_000);
    assert_eq!(stored(&mut disk.connect()), [3_000; 3]);
}

#[test]
fn keys_are_of_any_type_and_relations_may_be_optional_and_without_a_constraint() {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, &many("tags", 1200, &numbered("tag ")));
    insert(
        &mut conn,
        "INSERT INTO hints (tag_code, text) VALUES (NULL, 'of none'), ('tag 7', 'of seven')",
    );
    assert_eq!(Tag::ensure_hint(&mut conn).expect("hints"), 1_199);
    assert_eq!(Tag::ensure_hint(&mut conn).expect("none"), 0);
    let seven = Tag::get(&mut conn, "tag 7".into()).expect("a tag");
    let hint = seven.hint(&mut conn).expect("a hint");
    assert_eq!(hint.text.as_deref(), Some("of seven"));
    let each: Vec<Option<String>> = hints::table
        .filter(hints::tag_code.is_not_null())
        .select(hints::tag_code)
        .distinct()
        .load(&mut conn)
        .expect("codes");
    assert_eq!(each.len(), 1_200);
}

diesel::table! { members (id) { id -> Integer, email -> Nullable<Text> } }
diesel::table! { boxes (id) { id -> Integer, email -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Member {
    id: i32,
    email: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = boxes)]
struct Mailbox {
    id: i32,
    #[hooks(one_to_one(Member, on_delete = Cascade, to = members::email, related_name = mailbox, accessor = member, auto_create))]
    email: String,
}

const MAIL: &str = "
    CREATE TABLE members (id {key}, email TEXT UNIQUE);
    CREATE TABLE boxes (id {key}, email TEXT NOT NULL UNIQUE REFERENCES members (email));";

#[test]
fn a_row_gets_its_dependent_once_it_has_what_that_refers_to() {
    let mut conn = fresh(MAIL);
    let email = |it: Option<&str>| NewMember {
        email: it.map(Into::into),
    };
    let without = Member::create(&mut conn, email(None)).expect("created without a mailbox");
    let many = vec![email(Some("a")), email(None), email(Some("b"))];
    Member::create_many(&mut conn, many).expect("created");
    assert_eq!(rows(&mut conn, "boxes"), ["1 a", "2 b"]);
    assert_eq!(Member::ensure_mailbox(&mut conn).expect("looked"), 0);
    let mut member = without;
    member.email = Some("c".into());
    member.save(&mut conn).expect("saved");
    assert_eq!(Member::ensure_mailbox(&mut conn).expect("made"), 1);
    assert_eq!(rows(&mut conn, "boxes"), ["1 a", "2 b", "3 c"]);
}
