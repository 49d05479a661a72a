//! A one-to-one relation creates its dependent with the parent, and is walked from either end.

use backends::{Log, TestConnection, fresh, on};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

/// The relation stands on the profile: it depends on its user.
mod on_the_profile {
    use super::*;

    diesel::table! { users (id) { id -> Integer, name -> Text } }
    diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, bio -> Nullable<Text>, greeting -> Text } }
    diesel::table! { settings (id) { id -> Integer, profile_id -> Integer, dark -> Bool } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE users (id {key}, name TEXT NOT NULL);
        CREATE TABLE profiles (id {key}, user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),
            bio TEXT, greeting TEXT NOT NULL);
        CREATE TABLE settings (id {key}, profile_id INTEGER NOT NULL UNIQUE REFERENCES profiles (id),
            dark BOOLEAN NOT NULL);
    ";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct User {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Profile {
        pub(crate) id: i32,
        #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create = welcome))]
        pub(crate) user_id: i32,
        pub(crate) bio: Option<String>,
        pub(crate) greeting: String,
    }

    fn welcome(user: &User) -> NewProfile {
        NewProfile {
            user_id: user.id,
            bio: None,
            greeting: format!("Welcome, {}", user.name),
        }
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = settings)]
    pub(crate) struct Settings {
        pub(crate) id: i32,
        #[hooks(one_to_one(Profile, on_delete = Cascade, related_name = settings, auto_create))]
        pub(crate) profile_id: i32,
        pub(crate) dark: bool,
    }

    /// A second struct over the table of users.
    #[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = users)]
    #[hooks(new = Self)]
    pub(crate) struct Login {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    pub(crate) static LOG: Log = Log::new();

    #[receiver]
    fn user_created(event: &PostCreate<User>, conn: &mut TestConnection) -> diesel_hooks::Result {
        let settings = event.instance.profile(conn)?.settings(conn)?;
        LOG.push(format!(
            "user {} with settings {}",
            event.instance.id, settings.id
        ));
        Ok(())
    }

    #[receiver]
    fn profile_created(event: &PostCreate<Profile>) {
        LOG.push(format!("profile {}", event.instance.greeting));
    }

    #[receiver]
    fn light_in_the_beginning(event: &mut PreCreate<Settings>) {
        event.new.dark = true;
    }
}

use on_the_profile::{LOG, Login, NewUser, Profile, Settings, User};

fn ada() -> NewUser {
    NewUser { name: "Ada".into() }
}

#[test]
fn dependents_are_created_with_their_parent_through_several_levels() {
    let mut conn = fresh(on_the_profile::SCHEMA);
    let user = User::create(&mut conn, ada()).expect("a user");
    assert_eq!(
        LOG.take(),
        ["profile Welcome, Ada", "user 1 with settings 1"]
    );
    let profile = user.profile(&mut conn).expect("a profile");
    assert_eq!(
        (profile.user_id, profile.greeting.as_str()),
        (user.id, "Welcome, Ada")
    );
    let settings = profile.settings(&mut conn).expect("settings");
    assert!(
        settings.dark,
        "a receiver of the dependent's signals was called"
    );
    assert_eq!(
        settings
            .profile(&mut conn)
            .expect("a profile")
            .user(&mut conn)
            .expect("a user"),
        user
    );
}

#[test]
fn saving_again_creates_nothing() {
    let mut conn = fresh(on_the_profile::SCHEMA);
    let mut user = User::create(&mut conn, ada()).expect("a user");
    user.save(&mut conn).expect("saved");
    let profiles: i64 = on_the_profile::profiles::table
        .count()
        .get_result(&mut conn)
        .expect("a count");
    assert_eq!(profiles, 1);
    LOG.take();
}

#[test]
fn create_many_creates_the_dependents_of_each() {
    let mut conn = fresh(on_the_profile::SCHEMA);
    let users = User::create_many(&mut conn, vec![ada(), ada(), ada()]).expect("three users");
    for user in users {
        user.profile(&mut conn)
            .expect("a profile")
            .settings(&mut conn)
            .expect("settings");
    }
    LOG.take();
}

#[test]
fn a_row_created_through_another_struct_over_the_table_has_its_dependents_too() {
    let mut conn = fresh(on_the_profile::SCHEMA);
    let login = Login::create(
        &mut conn,
        Login {
            id: 5,
            name: "Grace".into(),
        },
    )
    .expect("a login");
    let user = User::get(&mut conn, login.id).expect("the same row");
    assert_eq!(
        user.profile(&mut conn).expect("a profile").greeting,
        "Welcome, Grace"
    );
    assert_eq!(login.delete(&mut conn).expect("deleted").total, 3);
    LOG.take();
}

#[test]
fn a_missing_row_at_the_other_end_names_both_models() {
    let mut conn = fresh(on_the_profile::SCHEMA);
    let user = User {
        id: 7,
        name: "nobody".into(),
    };
    let error = user.profile(&mut conn).expect_err("no profile");
    assert!(matches!(
        error,
        Error::NotFound {
            model: "Profile",
            related_to: Some("User"),
            ..
        }
    ));
    assert_eq!(error.to_string(), "there is no Profile for User 7");
    let orphan = Settings {
        id: 1,
        profile_id: 9,
        dark: false,
    };
    assert_eq!(
        orphan
            .profile(&mut conn)
            .expect_err("no profile")
            .to_string(),
        "there is no Profile for Settings 1"
    );
}

#[test]
fn a_dependent_that_cannot_be_created_takes_its_parent_back() {
    let mut conn = fresh(&on_the_profile::SCHEMA.replace(
        "dark BOOLEAN NOT NULL",
        "dark BOOLEAN NOT NULL CHECK (NOT dark)",
    ));
    let error = User::create(&mut conn, ada()).expect_err("settings are refused");
    let told = on(
        "CHECK constraint failed",
        "new row for relation \"settings\" violates check constraint",
        "CONSTRAINT `settings.dark` failed",
    );
    let begin = format!("create of Settings failed: {told}");
    assert!(error.to_string().starts_with(&begin), "{error}");
    let users: i64 = on_the_profile::users::table
        .count()
        .get_result(&mut conn)
        .expect("a count");
    assert_eq!(users, 0);
    LOG.take();
}

#[test]
fn a_second_dependent_is_refused_by_the_unique_constraint() {
    let mut conn = fresh(on_the_profile::SCHEMA);
    let user = User::create(&mut conn, ada()).expect("a user");
    let mut second = user.profile(&mut conn).expect("a profile");
    second.greeting = "again".into();
    let new = on_the_profile::NewProfile {
        user_id: user.id,
        bio: None,
        greeting: "again".into(),
    };
    assert!(matches!(
        Profile::create(&mut conn, new),
        Err(Error::Query {
            model: Some("Profile"),
            ..
        })
    ));
    LOG.take();
}

/// The relation stands on the user: it needs a profile that exists.
mod on_the_user {
    use super::*;

    diesel::table! { cards (id) { id -> Integer, motto -> Text } }
    diesel::table! { holders (id) { id -> Integer, card_id -> Integer, backup_id -> Nullable<Integer> } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE cards (id {key}, motto TEXT NOT NULL);
        CREATE TABLE holders (id {key}, card_id INTEGER NOT NULL UNIQUE REFERENCES cards (id),
            backup_id INTEGER UNIQUE REFERENCES cards (id));
    ";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Card {
        pub(crate) id: i32,
        pub(crate) motto: String,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Holder {
        pub(crate) id: i32,
        #[hooks(one_to_one(Card, on_delete = Cascade, related_name = holder))]
        pub(crate) card_id: i32,
        #[hooks(one_to_one(Card, on_delete = Protect, accessor = spare))]
        pub(crate) backup_id: Option<i32>,
    }
}

use on_the_user::{Card, Holder, NewCard, NewHolder};

#[test]
fn with_the_relation_on_the_user_the_profile_comes_first_and_takes_the_user_along() {
    let mut conn = fresh(on_the_user::SCHEMA);
    let orphan = Holder::create(
        &mut conn,
        NewHolder {
            card_id: 1,
            backup_id: None,
        },
    );
    assert!(
        matches!(orphan, Err(Error::Query { .. })),
        "there is no card yet"
    );
    let card = Card::create(
        &mut conn,
        NewCard {
            motto: "first".into(),
        },
    )
    .expect("a card");
    let spare = Card::create(
        &mut conn,
        NewCard {
            motto: "spare".into(),
        },
    )
    .expect("a card");
    let new = NewHolder {
        card_id: card.id,
        backup_id: Some(spare.id),
    };
    let holder = Holder::create(&mut conn, new).expect("a holder");
    assert_eq!(card.holder(&mut conn).expect("a holder"), holder);
    assert_eq!(holder.card(&mut conn).expect("a card"), card);
    assert_eq!(
        holder.spare(&mut conn).expect("a card"),
        Some(spare.clone())
    );
    assert!(matches!(spare.delete(&mut conn), Err(Error::Protected(_))));
    assert_eq!(card.delete(&mut conn).expect("deleted").total, 2);
    assert_eq!(
        spare.delete(&mut conn).expect("nothing refers to it").total,
        1
    );
}

#[test]
fn an_optional_relation_that_refers_to_nothing_reads_nothing() {
    let mut conn = fresh(on_the_user::SCHEMA);
    let card = Card::create(
        &mut conn,
        NewCard {
            motto: "only".into(),
        },
    )
    .expect("a card");
    let holder = Holder::create(
        &mut conn,
        NewHolder {
            card_id: card.id,
            backup_id: None,
        },
    )
    .expect("a holder");
    assert_eq!(holder.spare(&mut conn).expect("read"), None);
}
