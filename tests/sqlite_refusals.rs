//! A statement that SQLite refuses takes the whole operation back, whichever statement it is and by whatever means: `RAISE`,
//! a file or connection that may only be read, a full disk, a lock.
#![allow(missing_docs)]

mod common;

use common::{OnDisk, depth};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, email -> Text } }
diesel::table! { people (id) { id -> Integer, user_id -> Integer, phone -> Nullable<Text> } }
diesel::table! { journal (id) { id -> Integer, text -> Text } }

const SCHEMA: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
    CREATE TABLE people (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE REFERENCES users, phone TEXT);
    CREATE TABLE journal (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct User {
    id: i32,
    email: String,
}

/// The same rows, with keys that the application gives.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = Self)]
struct NumberedUser {
    #[hooks(assigned)]
    id: i32,
    email: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = people)]
#[hooks(new = NewPerson)]
struct Person {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = person, auto_create))]
    user_id: i32,
    phone: Option<String>,
}

#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = people)]
struct NewPerson {
    user_id: i32,
    phone: Option<String>,
}

fn write(conn: &mut SqliteConnection, text: String) -> QueryResult<()> {
    diesel::insert_into(journal::table)
        .values(journal::text.eq(text))
        .execute(conn)
        .map(drop)
}

#[receiver]
fn write_the_journal(event: &PostSave<User>, conn: &mut SqliteConnection) -> QueryResult<()> {
    write(conn, format!("saved {}", event.instance.id))
}

#[receiver]
fn write_the_journal_of_a_number(
    event: &PostSave<NumberedUser>,
    conn: &mut SqliteConnection,
) -> QueryResult<()> {
    write(conn, format!("saved {}", event.instance.id))
}

#[receiver]
fn write_the_journal_once_more(
    event: &PostDelete<Person>,
    conn: &mut SqliteConnection,
) -> QueryResult<()> {
    write(conn, format!("deleted {}", event.instance.id))
}

fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
    }
}

type Rows = (Vec<User>, Vec<Person>, i64);

fn rows(conn: &mut SqliteConnection) -> Rows {
    (
        users::table.load(conn).expect("users can be read"),
        people::table.load(conn).expect("people can be read"),
        journal::table
            .count()
            .get_result(conn)
            .expect("the journal can be counted"),
    )
}

type Operation = fn(&mut SqliteConnection, &mut User) -> diesel_hooks::Result;

/// The operations, and the statements of each that a trigger can refuse.
const OPERATIONS: [(&str, Operation, &[&str]); 13] = [
    (
        "create",
        |conn, _| User::create(conn, new_user("b@example.org")).map(drop),
        &["INSERT ON users", "INSERT ON people", "INSERT ON journal"],
    ),
    (
        "create_many",
        |conn, _| {
            User::create_many(
                conn,
                vec![new_user("b@example.org"), new_user("c@example.org")],
            )
            .map(drop)
        },
        &["INSERT ON users", "INSERT ON people", "INSERT ON journal"],
    ),
    (
        "save",
        |conn, user| user.save(conn),
        &["UPDATE ON users", "INSERT ON journal"],
    ),
    (
        "update",
        |conn, user| user.update(conn, |user| user.email = "new@example.org".into()),
        &["UPDATE ON users", "INSERT ON journal"],
    ),
    (
        "update_set",
        |conn, user| user.update_set(conn, users::email.eq("new@example.org")),
        &["UPDATE ON users", "INSERT ON journal"],
    ),
    (
        "delete",
        |conn, user| user.delete(conn).map(drop),
        &["DELETE ON users", "DELETE ON people", "INSERT ON journal"],
    ),
    (
        "get_or_create",
        |conn, _| {
            let new = || new_user("b@example.org");
            User::get_or_create(conn, users::email.eq("b@example.org"), new).map(drop)
        },
        &["INSERT ON users", "INSERT ON people", "INSERT ON journal"],
    ),
    (
        "update_or_create, of no row",
        |conn, _| change_or_create(conn, "b@example.org"),
        &["INSERT ON users", "INSERT ON people", "INSERT ON journal"],
    ),
    (
        "update_or_create, of a row",
        |conn, _| change_or_create(conn, "a@example.org"),
        &["UPDATE ON users", "INSERT ON journal"],
    ),
    (
        "upsert of no row",
        |conn, _| NumberedUser::upsert(conn, numbered(1000)).map(drop),
        &["INSERT ON users", "INSERT ON people", "INSERT ON journal"],
    ),
    (
        "upsert of a row",
        |conn, user| NumberedUser::upsert(conn, numbered(user.id)).map(drop),
        &["UPDATE ON users", "INSERT ON journal"],
    ),
    (
        "update_hooked",
        |conn, _| {
            let rename = |user: &mut User| user.email = "new@example.org".into();
            users::table.update_hooked::<User>(conn, rename).map(drop)
        },
        &["UPDATE ON users", "INSERT ON journal"],
    ),
    (
        "delete_hooked",
        |conn, _| users::table.delete_hooked::<User>(conn).map(drop),
        &["DELETE ON users", "DELETE ON people", "INSERT ON journal"],
    ),
];

fn change_or_create(conn: &mut SqliteConnection, email: &str) -> diesel_hooks::Result {
    let rename = |user: &mut User| user.email = "new@example.org".into();
    User::update_or_create(conn, users::email.eq(email), || new_user(email), rename).map(drop)
}

fn numbered(id: i32) -> NumberedUser {
    let email = "numbered@example.org".into();
    NumberedUser { id, email }
}

fn refuse(raise: &str, times: &str, statement: &str, operation: Operation, in_transaction: bool) {
    let disk = OnDisk::new(SCHEMA);
    let mut conn = disk.connect();
    let mut user =
        User::create(&mut conn, new_user("a@example.org")).expect("nothing is refused yet");
    conn.batch_execute(&format!(
        "CREATE TRIGGER refuse {times} {statement} BEGIN SELECT RAISE({raise}); END"
    ))
    .expect("the trigger is right");
    let (before, user_before) = (rows(&mut conn), user.clone());

    let outcome: diesel_hooks::Result = if in_transaction {
        conn.transaction(|conn| operation(conn, &mut user))
    } else {
        operation(&mut conn, &mut user)
    };

    let place = format!("RAISE({raise}) {times} {statement}, in a transaction: {in_transaction}");
    assert!(outcome.is_err(), "{place}: refused");
    assert_eq!(user, user_before, "{place}: instance");
    assert_eq!(depth(&mut conn), 0, "{place}: depth");
    assert_eq!(
        rows(&mut conn),
        before,
        "{place}: rows as this connection sees them"
    );
    assert_eq!(
        rows(&mut disk.connect()),
        before,
        "{place}: rows as others see them"
    );
    conn.batch_execute("DROP TRIGGER refuse")
        .expect("the trigger is there");
    User::create(&mut conn, new_user("after@example.org"))
        .unwrap_or_else(|error| panic!("{place}: works: {error}"));
}

#[test]
fn a_refused_statement_takes_everything_back() {
    let mut cases = 0;
    for raise in ["ABORT, 'no'", "FAIL, 'no'", "ROLLBACK, 'no'"] {
        for times in ["BEFORE", "AFTER"] {
            for (_, operation, statements) in OPERATIONS {
                for statement in statements {
                    for in_transaction in [false, true] {
                        refuse(raise, times, statement, operation, in_transaction);
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 396);
}

#[test]
fn a_row_that_a_trigger_keeps_out_is_an_error() {
    for (_, operation, statements) in OPERATIONS {
        // What a receiver's own statement does is the receiver's affair.
        for statement in statements
            .iter()
            .filter(|statement| !statement.ends_with("journal"))
        {
            // Rows that nobody loaded are not counted one by one.
            refuse("IGNORE", "BEFORE", statement, operation, false);
        }
    }
}

/// Runs each operation on a connection that may not write, alone and inside a transaction, and expects nothing of it.
fn refuse_all_writes(conn: &mut SqliteConnection, disk: &OnDisk) {
    let user = users::table.first::<User>(conn).expect("a user");
    let before = rows(conn);
    for (name, operation, _) in OPERATIONS {
        let mut changed = user.clone();
        let alone = operation(conn, &mut changed).expect_err(name);
        let inside = conn.transaction(|conn| operation(conn, &mut changed));
        for error in [alone, inside.expect_err(name)] {
            assert!(error.to_string().contains("readonly"), "{name}: {error}");
            assert!(!error.is_retryable(), "{name}: {error}");
        }
        assert_eq!(changed, user, "{name}: instance");
        assert_eq!(depth(conn), 0, "{name}: depth");
        assert_eq!(rows(conn), before, "{name}: rows");
    }
    assert_eq!(rows(&mut disk.connect()), before);
}

#[test]
fn a_connection_that_may_only_read_refuses_every_operation_and_goes_on_reading() {
    let disk = OnDisk::new(SCHEMA);
    let mut conn = disk.connect();
    User::create(&mut conn, new_user("a@example.org")).expect("it may write yet");
    conn.batch_execute("PRAGMA query_only = ON")
        .expect("a pragma");
    refuse_all_writes(&mut conn, &disk);
    conn.batch_execute("PRAGMA query_only = OFF")
        .expect("a pragma");
    User::create(&mut conn, new_user("b@example.org")).expect("it may write again");
}

#[test]
fn a_file_that_may_only_be_read_refuses_every_operation_and_goes_on_being_read() {
    let disk = OnDisk::new(SCHEMA);
    User::create(&mut disk.connect(), new_user("a@example.org")).expect("it may be written");
    let url = format!("file:{}?mode=ro", disk.url());
    let mut conn = SqliteConnection::establish(&url).expect("the file can be read");
    refuse_all_writes(&mut conn, &disk);
    let user = users::table.first::<User>(&mut conn).expect("a user");
    assert_eq!(User::get(&mut conn, user.id).expect("it can be read"), user);
}

/// Leaves the database this many pages to grow by.
fn spare_pages(conn: &mut SqliteConnection, spare: i32) {
    let pages = diesel::dsl::sql::<diesel::sql_types::Integer>(
        "(SELECT page_count FROM pragma_page_count)",
    );
    let pages: i32 = diesel::select(pages)
        .get_result(conn)
        .expect("a number of pages");
    conn.batch_execute(&format!("PRAGMA max_page_count = {}", pages + spare))
        .expect("a pragma");
}

#[test]
fn a_full_disk_takes_everything_back() {
    let disk = OnDisk::new(SCHEMA);
    let mut conn = disk.connect();
    spare_pages(&mut conn, 1);

    let mut created = 0;
    let error = loop {
        match User::create(
            &mut conn,
            new_user(&format!("{}{created}@example.org", "x".repeat(500))),
        ) {
            Ok(_) => created += 1,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(depth(&mut conn), 0);
    let (users, people, journal) = rows(&mut disk.connect());
    assert_eq!(
        (users.len(), people.len(), journal),
        (created, created, created as i64)
    );
}

#[test]
fn a_disk_that_is_full_at_any_page_takes_everything_back() {
    let mut faults = 0;
    for spare in 0.. {
        let disk = OnDisk::new(SCHEMA);
        let mut conn = disk.connect();
        User::create(&mut conn, new_user("a@example.org")).expect("there is room yet");
        spare_pages(&mut conn, spare);
        let before = rows(&mut conn);
        let long = |number| new_user(&format!("{}{number}@example.org", "x".repeat(1_500)));
        match User::create_many(&mut conn, (0..10).map(long).collect()) {
            Ok(created) => {
                assert_eq!(created.len(), 10);
                break;
            }
            Err(error) => assert!(error.to_string().contains("full"), "{error}"),
        }
        faults += 1;
        assert_eq!(depth(&mut conn), 0);
        assert_eq!(rows(&mut conn), before);
        assert_eq!(rows(&mut disk.connect()), before);
        User::create(&mut conn, new_user("b@example.org")).expect("a short one fits");
    }
    assert!(faults > 3, "{faults} pages at which it was full");
}

#[test]
fn a_unique_violation_says_what_was_being_done_and_is_diesels() {
    let mut conn = common::memory(SCHEMA);
    User::create(&mut conn, new_user("a@example.org")).expect("the first");
    let error = User::create(&mut conn, new_user("a@example.org")).expect_err("the second");
    assert_eq!(
        error.to_string(),
        "create of User failed: UNIQUE constraint failed: users.email"
    );
    let Error::Query {
        model: Some("User"),
        operation: Some(_),
        source,
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(matches!(
        source,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    ));
    assert_eq!(rows(&mut conn).0.len(), 1);
}

#[test]
fn a_deferred_constraint_that_fails_at_commit_takes_everything_back() {
    let disk = OnDisk::new(&SCHEMA.replace(
        "REFERENCES users",
        "REFERENCES users DEFERRABLE INITIALLY DEFERRED",
    ));
    let mut conn = disk.connect();
    let user = User::create(&mut conn, new_user("a@example.org")).expect("a user");
    conn.batch_execute(
        "CREATE TRIGGER orphan AFTER DELETE ON users BEGIN INSERT INTO people (user_id) VALUES (old.id); END",
    )
    .expect("the trigger is right");
    let before = rows(&mut conn);
    let error = user.delete(&mut conn).expect_err("an orphan at COMMIT");
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
    assert_eq!(depth(&mut conn), 0);
    assert_eq!(rows(&mut conn), before);
    assert_eq!(rows(&mut disk.connect()), before);
}

#[test]
fn a_write_lock_held_by_another_connection_is_an_error_that_leaves_the_connection_usable() {
    let disk = OnDisk::new(SCHEMA);
    let (mut conn, mut other) = (disk.connect(), disk.connect());
    conn.batch_execute("PRAGMA busy_timeout = 0")
        .expect("a pragma");
    other
        .batch_execute("BEGIN IMMEDIATE")
        .expect("the lock is free");
    let error = User::create(&mut conn, new_user("a@example.org")).expect_err("the lock is taken");
    assert!(error.to_string().contains("locked"), "{error}");
    assert_eq!(depth(&mut conn), 0);
    other.batch_execute("COMMIT").expect("nothing to commit");
    User::create(&mut conn, new_user("a@example.org")).expect("the lock is free again");
}
