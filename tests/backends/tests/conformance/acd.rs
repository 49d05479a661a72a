//! Django's cases of the profile that is created with its user, as they hold here; `docs/django.md` lists the others.

use crate::accounts::{LOG, Profile, SCHEMA, User, named, numbered, profiles, stored, users};
use backends::{
    READ_BACK, TestConnection, fresh, of_rows, on, restart_keys, sequence, statements, verbs,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

const ONE_CREATED: [&str; 6] = [
    "pre_save User",
    "pre_save Profile",
    "pre_save Settings",
    "created Settings 1",
    "created Profile 1",
    "created User 1",
];

/// A database that knows its tables.
fn database() -> TestConnection {
    let mut conn = fresh(SCHEMA);
    let user = User::create(&mut conn, named("first")).expect("a user");
    user.delete(&mut conn).expect("it goes");
    restart_keys(&mut conn);
    LOG.take();
    conn
}

mod idempotent {
    use super::*;

    diesel::table! { members (id) { id -> Integer, name -> Text } }
    diesel::table! { cards (id) { id -> Integer, member_id -> Integer } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE members (id {key}, name TEXT NOT NULL);
        CREATE TABLE cards (id {key}, member_id INTEGER NOT NULL UNIQUE REFERENCES members (id));
    ";

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Member {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    /// Makes the card on every save, unless it is there.
    #[receiver]
    fn card(event: &PostSave<Member>, conn: &mut TestConnection) -> diesel_hooks::Result {
        let its = cards::member_id.eq(event.instance.id);
        if diesel::select(diesel::dsl::exists(cards::table.filter(its))).get_result(conn)? {
            return Ok(());
        }
        diesel::insert_into(cards::table)
            .values(its)
            .execute(conn)?;
        Ok(())
    }
}

#[test]
fn acd_01_the_profile_is_created_with_the_user_in_one_transaction() {
    let mut conn = database();
    let (user, sent) = statements(&mut conn, |conn| User::create(conn, named("Ada")));
    let user = user.expect("a user");
    // Each row is read back, because somebody hears of it.
    assert_eq!(
        verbs(&sent),
        sequence(&[
            "BEGIN", "INSERT", READ_BACK, "INSERT", READ_BACK, "INSERT", READ_BACK, "COMMIT"
        ])
    );
    assert_eq!(LOG.take(), ONE_CREATED);
    let (profile, sent) = statements(&mut conn, |conn| user.profile(conn));
    assert_eq!(profile.expect("a profile").greeting, "Hello, Ada");
    assert_eq!(of_rows(&sent), ["SELECT"]);
}

#[test]
fn acd_02_saving_the_user_again_creates_nothing() {
    let mut conn = database();
    let mut user = User::create(&mut conn, named("Ada")).expect("a user");
    LOG.take();
    user.save(&mut conn).expect("saved");
    user.update(&mut conn, |it| it.name = "Ada Lovelace".into())
        .expect("updated");
    assert_eq!(
        LOG.take(),
        [
            "pre_save User",
            "updated User 1",
            "pre_save User",
            "updated User 1"
        ]
    );
    assert_eq!(stored(&mut conn), [1; 3]);
}

#[test]
fn acd_03_a_batch_of_users_gets_its_profiles_in_a_batch_and_older_users_get_theirs_later() {
    let mut conn = database();
    let (users, sent) = statements(&mut conn, |conn| User::create_many(conn, numbered(40)));
    assert_eq!(users.expect("users").len(), 40);
    let inserts = of_rows(&sent).iter().filter(|it| **it == "INSERT").count();
    // MySQL tells the key of one alone.
    assert_eq!(inserts, on(3, 3, 120), "one for the rows of each model");
    assert_eq!(stored(&mut conn), [40; 3]);

    for n in 0..5 {
        diesel::insert_into(users::table)
            .values(users::name.eq(format!("plain {n}")))
            .execute(&mut conn)
            .expect("plain Diesel tells nobody");
    }
    assert_eq!(stored(&mut conn), [45, 40, 40]);
    assert_eq!(User::ensure_profile(&mut conn).expect("profiles"), 5);
    assert_eq!(stored(&mut conn), [45; 3]);
}

#[test]
fn acd_04_finding_a_user_makes_no_profile_and_creating_one_makes_it_in_the_same_savepoint() {
    let mut conn = database();
    User::create(&mut conn, named("Ada")).expect("a user");
    LOG.take();
    let find = |conn: &mut TestConnection, name: &str| {
        User::get_or_create(conn, users::name.eq(name.to_owned()), named(name))
    };
    let (found, sent) = statements(&mut conn, |conn| find(conn, "Ada"));
    let (user, created) = found.expect("a user");
    assert_eq!((user.id, created), (1, false));
    assert_eq!(of_rows(&sent), ["SELECT"]);
    assert_eq!(LOG.take(), [""; 0]);

    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        let (_, created) = find(conn, "Grace")?;
        assert!(created);
        assert!(find(conn, "nobody").is_err());
        Ok(())
    });
    outcome.expect("what was refused is undone alone");
    assert_eq!(stored(&mut conn), [2; 3]);
}

#[test]
fn acd_05_a_profile_that_is_refused_takes_the_user_with_it() {
    let mut conn = database();
    let refused = User::create(&mut conn, named("nobody"));
    assert!(matches!(
        refused,
        Err(Error::Query {
            model: Some("Profile"),
            ..
        })
    ));
    assert_eq!(stored(&mut conn), [0; 3]);
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        User::create(conn, named("Ada"))?;
        assert!(User::create(conn, named("nobody")).is_err());
        Ok(())
    });
    outcome.expect("the transaction goes on");
    assert_eq!(stored(&mut conn), [1; 3]);
}

#[test]
fn acd_07_a_receiver_that_inserts_what_is_missing_costs_one_statement_on_each_save() {
    use idempotent::{Member, NewMember, SCHEMA, cards};

    let mut conn = fresh(SCHEMA);
    let new = |name: &str| NewMember { name: name.into() };
    Member::create(&mut conn, new("first")).expect("a member");
    let (member, sent) = statements(&mut conn, |conn| Member::create(conn, new("Ada")));
    assert_eq!(
        of_rows(&sent),
        sequence(&["INSERT", READ_BACK, "SELECT", "INSERT"])
    );
    let mut member = member.expect("a member");
    let (saved, sent) = statements(&mut conn, |conn| member.save(conn));
    saved.expect("saved");
    assert_eq!(of_rows(&sent), ["UPDATE", "SELECT"]);
    let count: i64 = cards::table.count().get_result(&mut conn).expect("a count");
    assert_eq!(count, 2);
}

#[test]
fn acd_08_what_is_nested_is_finished_before_the_outer_goes_on() {
    let mut conn = database();
    User::create(&mut conn, named("Ada")).expect("a user");
    assert_eq!(LOG.take(), ONE_CREATED);
}

#[test]
fn acd_09_deleting_the_user_takes_the_chain() {
    let mut conn = database();
    let user = User::create(&mut conn, named("Ada")).expect("a user");
    LOG.take();
    let deleted = user.delete(&mut conn).expect("it goes");
    assert_eq!(deleted.total, 3);
    let counts: Vec<_> = deleted.by_model.into_iter().collect();
    assert_eq!(counts, [("Profile", 1), ("Settings", 1), ("User", 1)]);
    let log = LOG.take();
    assert!(log[..3].iter().all(|it| it.starts_with("pre_delete")));
    assert_eq!(
        log[3..],
        [
            "post_delete Settings 1",
            "post_delete Profile 1",
            "post_delete User 1"
        ]
    );
    assert_eq!(stored(&mut conn), [0; 3]);
}

#[test]
fn acd_10_every_way_to_create_a_user_makes_the_profile() {
    let mut conn = database();
    User::create(&mut conn, named("by the form")).expect("a user");
    User::create_many(&mut conn, numbered(3)).expect("users by a command");
    conn.transaction(|conn| User::create(conn, named("by a login")))
        .expect("a user");
    conn.batch_execute("DELETE FROM settings; DELETE FROM profiles WHERE id = 1;")
        .expect("one lacks it");
    let user = User::get(&mut conn, 1).expect("a user");
    assert!(matches!(
        user.profile(&mut conn),
        Err(Error::NotFound { .. })
    ));
    let with: i64 = profiles::table
        .count()
        .get_result(&mut conn)
        .expect("a count");
    assert_eq!(with, 4);
    Profile::create(
        &mut conn,
        crate::accounts::NewProfile {
            user_id: 1,
            greeting: "by hand".into(),
        },
    )
    .expect("made by hand, with its settings");
    assert_eq!(stored(&mut conn), [5, 5, 1]);
}
