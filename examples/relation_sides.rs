//! A user and its profile, with the relation on the one side and on the other, and users who refer to users.
//!
//! ```sh
//! cargo run --example relation_sides
//! ```
//!
//! Who holds the relation cannot be without the other: it is created second and deleted first.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "an example shows what it does"
)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

/// The usual side: the user comes first, and its profile with it.
mod on_the_profile {
    use super::*;

    diesel::table! { users (id) { id -> Integer, name -> Text } }
    diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, bio -> Nullable<Text> } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE profiles (id INTEGER PRIMARY KEY, bio TEXT,
            user_id INTEGER NOT NULL UNIQUE REFERENCES users);";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    pub(crate) struct User {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    pub(crate) struct Profile {
        pub(crate) id: i32,
        #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create))]
        pub(crate) user_id: i32,
        pub(crate) bio: Option<String>,
    }

    pub(crate) fn tell(conn: &mut SqliteConnection) -> diesel_hooks::Result {
        println!("the profile refers to the user:");
        let ada = User::create(conn, NewUser { name: "Ada".into() })?;
        let profile = ada.profile(conn)?;
        println!("{} got profile {}", profile.user(conn)?.name, profile.id);
        println!("deleting the user: {} rows went", ada.delete(conn)?.total);
        Ok(())
    }
}

/// The other side: the profile comes first, made by the caller, or else by a receiver.
mod on_the_user {
    use super::*;

    diesel::table! { profiles (id) { id -> Integer, bio -> Nullable<Text> } }
    diesel::table! { users (id) { id -> Integer, name -> Text, profile_id -> Integer } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE profiles (id INTEGER PRIMARY KEY, bio TEXT);
        CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''),
            profile_id INTEGER NOT NULL UNIQUE REFERENCES profiles);";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    pub(crate) struct Profile {
        pub(crate) id: i32,
        pub(crate) bio: Option<String>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(new = NewUser)]
    pub(crate) struct User {
        pub(crate) id: i32,
        pub(crate) name: String,
        #[hooks(one_to_one(Profile, on_delete = Cascade, related_name = user))]
        pub(crate) profile_id: i32,
    }

    /// Without a profile it gets an empty one.
    #[derive(Debug, Clone, Insertable)]
    #[diesel(table_name = users)]
    pub(crate) struct NewUser {
        pub(crate) name: String,
        pub(crate) profile_id: Option<i32>,
    }

    #[receiver]
    fn make_profile(
        event: &mut PreCreate<User>,
        conn: &mut SqliteConnection,
    ) -> diesel_hooks::Result {
        if event.new.profile_id.is_none() {
            let profile = Profile::create(conn, NewProfile { bio: None })?;
            event.new.profile_id = Some(profile.id);
        }
        Ok(())
    }

    pub(crate) fn user(name: &str, profile: Option<&Profile>) -> NewUser {
        NewUser {
            name: name.into(),
            profile_id: profile.map(|it| it.id),
        }
    }

    pub(crate) fn tell(conn: &mut SqliteConnection) -> diesel_hooks::Result {
        println!("the user refers to the profile:");
        let bio = Some("Compilers".into());
        let profile = Profile::create(conn, NewProfile { bio })?;
        let grace = User::create(conn, user("Grace", Some(&profile)))?;
        let linus = User::create(conn, user("Linus", None))?;
        println!(
            "Grace took profile {}, Linus got profile {}",
            grace.profile_id, linus.profile_id
        );
        println!("deleting a user: {} row went", linus.delete(conn)?.total);
        let total = profile.delete(conn)?.total;
        println!("deleting a profile: {total} rows went");
        Ok(())
    }
}

/// Rows of one table that refer to each other. The relations are optional: somebody is the first.
mod on_itself {
    use super::*;

    diesel::table! {
        users (id) {
            id -> Integer,
            name -> Text,
            mentor_id -> Nullable<Integer>,
            partner_id -> Nullable<Integer>,
        }
    }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
            mentor_id INTEGER REFERENCES users, partner_id INTEGER UNIQUE REFERENCES users);";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    pub(crate) struct User {
        pub(crate) id: i32,
        pub(crate) name: String,
        #[hooks(foreign_key(Self, on_delete = Protect, related_name = mentees))]
        pub(crate) mentor_id: Option<i32>,
        #[hooks(one_to_one(Self, on_delete = SetNull, related_name = partner_of))]
        pub(crate) partner_id: Option<i32>,
    }

    pub(crate) fn user(name: &str, mentor_id: Option<i32>) -> NewUser {
        NewUser {
            name: name.into(),
            mentor_id,
            partner_id: None,
        }
    }

    pub(crate) fn tell(conn: &mut SqliteConnection) -> diesel_hooks::Result {
        println!("users refer to users:");
        let mut ada = User::create(conn, user("Ada", None))?;
        let mut bob = User::create(conn, user("Bob", Some(ada.id)))?;
        ada.update(conn, |it| it.partner_id = Some(bob.id))?; // Bob is the later one.
        bob.update(conn, |it| it.partner_id = Some(ada.id))?;
        println!("{} has {} mentee", ada.name, ada.mentees(conn)?.len());
        if let Err(refused) = ada.delete(conn) {
            println!("deleting the mentor: {refused}");
        }
        bob.delete(conn)?;
        ada.refresh(conn)?;
        println!("without Bob, Ada's partner is {:?}", ada.partner(conn)?);
        Ok(())
    }
}

fn database(schema: &str) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    conn.batch_execute("PRAGMA foreign_keys = ON")
        .and_then(|()| conn.batch_execute(schema))
        .expect("the schema is right");
    conn
}

fn main() -> diesel_hooks::Result {
    on_the_profile::tell(&mut database(on_the_profile::SCHEMA))?;
    on_the_user::tell(&mut database(on_the_user::SCHEMA))?;
    on_itself::tell(&mut database(on_itself::SCHEMA))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel_hooks::Error;

    #[test]
    fn with_the_relation_on_the_profile_the_user_takes_it_along_and_not_the_other_way_round() {
        use on_the_profile::*;
        let conn = &mut database(SCHEMA);
        let ada = User::create(conn, NewUser { name: "Ada".into() }).expect("created");
        let profile = ada.profile(conn).expect("made with the user");
        assert_eq!(profile.user(conn).expect("a user"), ada);

        assert_eq!(profile.delete(conn).expect("deleted").total, 1);
        assert_eq!(users::table.load::<User>(conn), Ok(vec![ada.clone()]));

        assert_eq!(User::ensure_profile(conn).expect("made"), 1);
        assert_eq!(ada.delete(conn).expect("deleted").total, 2);
        assert_eq!(profiles::table.load::<Profile>(conn), Ok(vec![]));
    }

    #[test]
    fn with_the_relation_on_the_user_either_makes_the_profile_before_it() {
        use on_the_user::*;
        let conn = &mut database(SCHEMA);
        let profile = Profile::create(conn, NewProfile { bio: None }).expect("created");
        let grace = User::create(conn, user("Grace", Some(&profile))).expect("created");
        let linus = User::create(conn, user("Linus", None)).expect("created");
        assert_eq!(grace.profile(conn).expect("the caller's"), profile);
        let made = linus.profile(conn).expect("the receiver's");
        assert_eq!(made.user(conn).expect("a user"), linus);

        assert_eq!(linus.delete(conn).expect("deleted").total, 1);
        assert_eq!(made.delete(conn).expect("it was left").total, 1);
        assert_eq!(profile.delete(conn).expect("deleted").total, 2);
        assert_eq!(users::table.load::<User>(conn), Ok(vec![]));
    }

    #[test]
    fn a_user_that_is_refused_leaves_no_profile_of_the_receivers() {
        use on_the_user::*;
        let conn = &mut database(SCHEMA);
        let refused = User::create(conn, user("", None)).expect_err("a name is needed");
        assert!(matches!(refused, Error::Query { .. }), "{refused}");
        assert_eq!(profiles::table.load::<Profile>(conn), Ok(vec![]));
    }

    #[test]
    fn users_who_refer_to_each_other_are_created_in_either_order_and_let_go() {
        use on_itself::*;
        let conn = &mut database(SCHEMA);
        let mut ada = User::create(conn, user("Ada", None)).expect("created");
        let bob = User::create(conn, user("Bob", Some(ada.id))).expect("created");
        let eve = User::create(conn, user("Eve", None)).expect("created");
        ada.update(conn, |it| it.partner_id = Some(eve.id))
            .expect("the later one");
        assert_eq!(bob.mentor(conn).expect("read"), Some(ada.clone()));
        assert_eq!(ada.mentees(conn).expect("read"), [bob]);
        assert_eq!(eve.partner_of(conn).expect("read"), ada);
        assert!(matches!(eve.mentor(conn), Ok(None)));

        let refused = ada.delete(conn).expect_err("protected");
        assert_eq!(
            refused.to_string(),
            "User 1 is protected by User 2 (through User.mentor_id)"
        );
        assert_eq!(eve.delete(conn).expect("deleted").total, 1);
        ada.refresh(conn).expect("it stays");
        assert_eq!(ada.partner_id, None);
    }
}
