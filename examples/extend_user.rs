//! A person extends a user: it shares the user's key, on tables and rows that were there before.
//!
//! ```sh
//! cargo run --example extend_user
//! ```
//!
//! The tables are those that Django makes for `class Person(User)`.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "an example shows what it does"
)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { auth_user (id) { id -> Integer, username -> Text, email -> Text } }
diesel::table! { people_person (user_ptr_id) { user_ptr_id -> Integer, city -> Nullable<Text> } }

/// What the program finds: Grace is a person, and Ada, who came before there were persons, is none.
const FOUND: &str = "
    PRAGMA foreign_keys = ON;
    CREATE TABLE auth_user (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        username varchar(150) NOT NULL UNIQUE, email varchar(254) NOT NULL);
    CREATE TABLE people_person (city varchar(80),
        user_ptr_id integer NOT NULL PRIMARY KEY REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO auth_user VALUES (1, 'ada', ''), (7, 'grace', '');
    INSERT INTO people_person VALUES ('Arlington', 7);";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = auth_user)]
struct User {
    id: i32,
    username: String,
    email: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = people_person, primary_key(user_ptr_id))]
struct Person {
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = person, accessor = user))]
    user_ptr_id: i32,
    city: Option<String>,
}

/// A new user is a person at once, one of before when it is saved for the first time.
#[receiver(dispatch_uid = "extend_user")]
fn extend_user(event: &PostSave<User>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let user = event.instance.id;
    let new = NewPerson {
        user_ptr_id: user,
        city: None,
    };
    let (_, made) = Person::get_or_create(conn, people_person::user_ptr_id.eq(user), new)?;
    if made {
        println!("{} is a person now", event.instance.username);
    }
    Ok(())
}

fn connect() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    conn.batch_execute(FOUND).expect("the database is empty");
    conn
}

fn linus() -> NewUser {
    NewUser {
        username: "linus".into(),
        email: String::new(),
    }
}

fn main() -> diesel_hooks::Result {
    let conn = &mut connect();
    let findings = diesel_hooks::check(conn)?;
    println!("the tables fit: {}", findings.is_empty());

    let linus = User::create(conn, linus())?;
    let mut ada = User::get(conn, 1)?;
    ada.update(conn, |it| it.email = "ada@example.org".into())?;

    // From the user to the person, and saved there.
    let mut person = ada.person(conn)?;
    person.city = Some("London".into());
    person.save(conn)?;

    // From the person to the user, and saved there; who holds the row already refreshes it.
    let mut user = person.user(conn)?;
    user.update(conn, |it| it.email = "lovelace@example.org".into())?;
    ada.refresh(conn)?;
    println!(
        "{} lives in {} and reads mail at {}",
        ada.username,
        ada.person(conn)?.city.unwrap_or_default(),
        ada.email
    );

    println!("deleting linus: {} rows went", linus.delete(conn)?.total);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn persons(conn: &mut SqliteConnection) -> Vec<(i32, Option<String>)> {
        people_person::table
            .order(people_person::user_ptr_id)
            .load(conn)
            .expect("read")
    }

    #[test]
    fn the_tables_that_exist_are_what_was_declared() {
        let findings = diesel_hooks::check(&mut connect()).expect("checked");
        assert!(findings.is_empty(), "{findings}");
    }

    #[test]
    fn a_new_user_is_a_person_with_its_key_at_once_and_one_of_before_when_it_is_saved() {
        let conn = &mut connect();
        let linus = User::create(conn, linus()).expect("created");
        assert_eq!(linus.person(conn).expect("made").user_ptr_id, linus.id);
        let mut ada = User::get(conn, 1).expect("there");
        let missing = ada.person(conn).expect_err("nobody saved her yet");
        assert!(matches!(missing, diesel_hooks::Error::NotFound { .. }));

        ada.save(conn).expect("saved");
        ada.save(conn).expect("saved again");
        let grace = (7, Some("Arlington".to_owned()));
        assert_eq!(persons(conn), [(1, None), grace, (linus.id, None)]);
    }

    #[test]
    fn both_are_saved_and_refreshed_through_the_relation() {
        let conn = &mut connect();
        let mut grace = User::get(conn, 7).expect("there");
        let mut held = grace.person(conn).expect("there");

        let mut person = grace.person(conn).expect("there");
        person.city = None;
        person.save(conn).expect("saved");
        let mut user = person.user(conn).expect("there");
        user.update(conn, |it| it.email = "hopper@example.org".into())
            .expect("saved");

        assert_eq!(held.city.as_deref(), Some("Arlington"));
        held.refresh(conn).expect("there");
        grace.refresh(conn).expect("there");
        assert_eq!((held, grace), (person, user));
    }

    #[test]
    fn the_person_goes_with_the_user_and_alone_leaves_it() {
        let conn = &mut connect();
        let linus = User::create(conn, linus()).expect("created");
        assert_eq!(linus.delete(conn).expect("deleted").total, 2);
        let grace = User::get(conn, 7).expect("there");
        let person = grace.person(conn).expect("there");
        assert_eq!(person.delete(conn).expect("deleted").total, 1);
        assert_eq!(User::get(conn, 7).expect("it stays"), grace);
        assert_eq!(persons(conn), []);
    }
}
