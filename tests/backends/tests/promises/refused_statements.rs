//! A statement that the database refuses takes the whole operation back, whichever statement it is: a trigger refuses each
//! in turn, before and after the row is written, alone and inside a transaction of the application.

use backends::{Database, TestConnection, depth, insert, on};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, email -> Text } }
diesel::table! { people (id) { id -> Integer, user_id -> Integer, phone -> Nullable<Text> } }
diesel::table! { journal (id) { id -> Integer, text -> Text } }

const TABLES: &str = "
    CREATE TABLE users (id {key}, email TEXT NOT NULL UNIQUE);
    CREATE TABLE people (id {key}, user_id INTEGER NOT NULL UNIQUE, phone TEXT,
        FOREIGN KEY (user_id) REFERENCES users (id));
    CREATE TABLE journal (id {key}, text TEXT NOT NULL);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    email: String,
}

/// The same rows, with keys that the application gives.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(table_name = users)]
#[hooks(connection(TestConnection), new = Self)]
struct NumberedUser {
    #[hooks(assigned)]
    id: i32,
    email: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = people)]
#[hooks(connection(TestConnection), new = NewPerson)]
struct Person {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, auto_create))]
    user_id: i32,
    phone: Option<String>,
}

#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = people)]
struct NewPerson {
    user_id: i32,
    phone: Option<String>,
}

fn write(conn: &mut TestConnection, text: String) -> QueryResult<()> {
    diesel::insert_into(journal::table)
        .values(journal::text.eq(text))
        .execute(conn)
        .map(drop)
}

#[receiver]
fn write_the_journal(event: &PostSave<User>, conn: &mut TestConnection) -> QueryResult<()> {
    write(conn, format!("saved {}", event.instance.id))
}

#[receiver]
fn write_the_journal_of_a_number(
    event: &PostSave<NumberedUser>,
    conn: &mut TestConnection,
) -> QueryResult<()> {
    write(conn, format!("saved {}", event.instance.id))
}

#[receiver]
fn write_the_journal_once_more(
    event: &PostDelete<Person>,
    conn: &mut TestConnection,
) -> QueryResult<()> {
    write(conn, format!("deleted {}", event.instance.id))
}

fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
    }
}

type Operation = fn(&mut TestConnection, &mut User) -> diesel_hooks::Result;

const CREATING: &[&str] = &["INSERT ON users", "INSERT ON people", "INSERT ON journal"];
const UPDATING: &[&str] = &["UPDATE ON users", "INSERT ON journal"];
const DELETING: &[&str] = &["DELETE ON users", "DELETE ON people", "INSERT ON journal"];

/// The operations, and the statements of each that a trigger can refuse.
const OPERATIONS: [(&str, Operation, &[&str]); 13] = [
    (
        "create",
        |conn, _| User::create(conn, new_user("b@example.org")).map(drop),
        CREATING,
    ),
    (
        "create_many",
        |conn, _| {
            let new = ["b@example.org", "c@example.org"].map(new_user);
            User::create_many(conn, new.into()).map(drop)
        },
        CREATING,
    ),
    (
        "save",
        |conn, user| {
            let mut user = user.clone();
            user.email = "new@example.org".into();
            user.save(conn)
        },
        UPDATING,
    ),
    (
        "update",
        |conn, user| user.update(conn, |user| user.email = "new@example.org".into()),
        UPDATING,
    ),
    (
        "update_set",
        |conn, user| user.update_set(conn, users::email.eq("new@example.org")),
        UPDATING,
    ),
    ("delete", |conn, user| user.delete(conn).map(drop), DELETING),
    (
        "get_or_create",
        |conn, _| {
            let new = || new_user("b@example.org");
            User::get_or_create(conn, users::email.eq("b@example.org"), new).map(drop)
        },
        CREATING,
    ),
    (
        "update_or_create, of no row",
        |conn, _| change_or_create(conn, "b@example.org"),
        CREATING,
    ),
    (
        "update_or_create, of a row",
        |conn, _| change_or_create(conn, "a@example.org"),
        UPDATING,
    ),
    (
        "upsert of no row",
        |conn, _| NumberedUser::upsert(conn, numbered(100_000)).map(drop),
        CREATING,
    ),
    (
        "upsert of a row",
        |conn, user| NumberedUser::upsert(conn, numbered(user.id)).map(drop),
        UPDATING,
    ),
    (
        "update_hooked",
        |conn, _| {
            let rename = |user: &mut User| user.email = "new@example.org".into();
            users::table.update_hooked::<User>(conn, rename).map(drop)
        },
        UPDATING,
    ),
    (
        "delete_hooked",
        |conn, _| users::table.delete_hooked::<User>(conn).map(drop),
        DELETING,
    ),
];

fn change_or_create(conn: &mut TestConnection, email: &str) -> diesel_hooks::Result {
    let rename = |user: &mut User| user.email = "new@example.org".into();
    User::update_or_create(conn, users::email.eq(email), || new_user(email), rename).map(drop)
}

fn numbered(id: i32) -> NumberedUser {
    let email = "numbered@example.org".into();
    NumberedUser { id, email }
}

type Rows = (Vec<User>, Vec<Person>, i64);

fn rows(conn: &mut TestConnection) -> Rows {
    let journal = journal::table.count().get_result(conn);
    (
        users::table.load(conn).expect("users can be read"),
        people::table.load(conn).expect("people can be read"),
        journal.expect("the journal can be counted"),
    )
}

/// One user with what belongs to it, and nothing else.
fn begin_anew(conn: &mut TestConnection) -> User {
    for table in ["journal", "people", "users"] {
        conn.batch_execute(&format!("DELETE FROM {table}"))
            .expect("nothing is refused");
    }
    User::create(conn, new_user("a@example.org")).expect("nothing is refused")
}

fn drop_trigger(conn: &mut TestConnection, statement: &str) {
    let (_, table) = statement.split_once(" ON ").expect("of a table");
    let drop = on(
        "DROP TRIGGER refuse".to_owned(),
        format!("DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse()"),
        "DROP TRIGGER refuse".to_owned(),
    );
    conn.batch_execute(&drop).expect("the trigger is there");
}

fn refuse(database: &Database, trigger: &str, operation: Operation, inside: bool, place: &str) {
    let mut other = database.connect();
    begin_anew(&mut other);
    insert(&mut other, trigger);
    // Which triggers there are is asked once on each connection.
    let mut conn = database.connect();
    let mut user = users::table.first::<User>(&mut conn).expect("the user");
    let (before, user_before) = (rows(&mut conn), user.clone());

    let outcome = match inside {
        false => operation(&mut conn, &mut user),
        true => conn.transaction(|conn| operation(conn, &mut user)),
    };

    assert!(outcome.is_err(), "{place}: refused");
    assert_eq!(user, user_before, "{place}: instance");
    assert_eq!(depth(&mut conn), 0, "{place}: depth");
    assert_eq!(rows(&mut conn), before, "{place}: as this connection sees");
    assert_eq!(rows(&mut other), before, "{place}: as others see");
    let (_, statement) = place.split_once(": ").expect("of a statement");
    drop_trigger(&mut other, statement);
    User::create(&mut conn, new_user("after@example.org"))
        .unwrap_or_else(|error| panic!("{place}: works: {error}"));
}

fn sweep(inside: bool) -> usize {
    let database = Database::new(TABLES);
    let mut cases = 0;
    for times in ["BEFORE", "AFTER"] {
        for (name, operation, statements) in OPERATIONS {
            for statement in statements {
                let place = format!("{name}, {times}: {statement}");
                let trigger = format!("{{trigger refuse {times} {statement}: RAISE ABORT 'no';}}");
                refuse(&database, &trigger, operation, inside, &place);
                cases += 1;
            }
        }
    }
    cases
}

#[test]
fn a_refused_statement_takes_everything_back() {
    assert_eq!(sweep(false), 66);
}

#[test]
fn a_refused_statement_takes_everything_of_the_transaction_back_that_ends_with_it() {
    assert_eq!(sweep(true), 66);
}
