//! Every option of `#[receiver]` on functions that are not generic.
#![deny(warnings, trivial_casts)]

use std::sync::Mutex;

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text, name -> Text }
}

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    email: String,
    name: String,
}

static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn log(what: &'static str) {
    LOG.lock().unwrap().push(what);
}

fn logged() -> Vec<&'static str> {
    std::mem::take(&mut LOG.lock().unwrap())
}

#[receiver(order = -10, after = "first", after("second", "nobody"))]
fn third(_: &PostCreate<User>) {
    log("third");
}

#[receiver(order = 1, dispatch_uid = "first", before = "second", before("nobody"))]
fn first(_: &PostCreate<User>) {
    log("first");
}

#[receiver(dispatch_uid = "second")]
fn second(_: &PostCreate<User>) {
    log("second");
}

#[receiver(changed(users::email))]
fn email_changed(event: &PostUpdate<User>, _: &mut SqliteConnection) -> diesel_hooks::Result {
    assert_eq!(event.instance.id, 1);
    log("email");
    Ok(())
}

#[receiver(
    changed(crate::receiver_options::users::email, users::name,),
    order = 1
)]
fn either_changed(_: &PostUpdate<User>) {
    log("either");
}

#[receiver(changed(users::name))]
fn name_is_going_to_change(event: &mut PreUpdate<User>) {
    event.instance.name.push('!');
    log("pre name");
}

#[receiver(after_commit, changed(users::email))]
fn committed(event: &PostUpdate<User>) -> Result<(), String> {
    assert!(event.instance.email.contains('@'));
    log("committed");
    Ok(())
}

#[receiver(after_commit(merged), order = 1)]
fn merged(event: &PostSave<User>) {
    log(if event.created { "created" } else { "updated" });
}

#[receiver(after_rollback)]
fn rolled_back(_: &PostCreate<User>) {
    log("rolled back");
}

#[test]
fn options_stand_together() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    let table =
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL)";
    diesel::sql_query(table).execute(conn).unwrap();

    let new = || NewUser {
        email: "ada".into(),
        name: "Ada".into(),
    };
    let mut ada = User::create(conn, new()).unwrap();
    assert_eq!(logged(), ["first", "second", "third", "created"]);

    ada.update(conn, |it| it.name.push('a')).unwrap();
    assert_eq!(
        (logged(), ada.name.as_str()),
        (vec!["pre name", "either", "updated"], "Adaa!")
    );

    ada.update(conn, |it| it.email.push_str("@example.org"))
        .unwrap();
    assert_eq!(logged(), ["email", "either", "committed", "updated"]);

    let rolled_back: QueryResult<()> = conn.transaction(|conn| {
        User::create(conn, new())?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(rolled_back.is_err());
    assert_eq!(logged(), ["first", "second", "third", "rolled back"]);
}
