//! A dependent of `auto_create` is made exactly once with its parent, and never else.

use std::sync::Barrier;

use crate::accounts::{LOG, SCHEMA, User, named, numbered, stored, users};
use backends::{Database, TestConnection, fresh};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

/// The same rows, with keys that the application gives.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(table_name = users)]
#[hooks(connection(TestConnection), new = Self)]
struct KeyedUser {
    #[hooks(assigned)]
    id: i32,
    name: String,
}

#[test]
fn each_created_row_has_exactly_one() {
    let mut conn = fresh(SCHEMA);
    User::create(&mut conn, named("Ada")).expect("a user");
    let users = User::create_many(&mut conn, numbered(130)).expect("users");
    assert_eq!(stored(&mut conn), [131; 3]);
    for user in users {
        let profile = user.profile(&mut conn).expect("a profile");
        assert_eq!(profile.user_id, user.id);
        let settings = profile.settings(&mut conn).expect("settings");
        assert_eq!(settings.profile_id, profile.id);
    }
}

#[test]
fn an_update_makes_none() {
    let mut conn = fresh(SCHEMA);
    let mut user = User::create(&mut conn, named("Ada")).expect("a user");
    user.profile(&mut conn)
        .expect("a profile")
        .delete(&mut conn)
        .expect("it goes");
    user.save(&mut conn).expect("saved");
    user.update(&mut conn, |it| it.name = "Ada Lovelace".into())
        .expect("updated");
    user.update_set(&mut conn, users::name.eq("Countess"))
        .expect("updated");
    assert_eq!(stored(&mut conn), [1, 0, 0]);
}

#[test]
fn finding_a_row_makes_none() {
    let mut conn = fresh(SCHEMA);
    let user = User::create(&mut conn, named("Ada")).expect("a user");
    user.profile(&mut conn)
        .expect("a profile")
        .delete(&mut conn)
        .expect("it goes");
    let is_ada = || users::name.eq("Ada");
    let (_, created) = User::get_or_create(&mut conn, is_ada(), named("Ada")).expect("a user");
    assert!(!created);
    let (found, created) = User::update_or_create(&mut conn, is_ada(), named("Ada"), |it| {
        it.name = "Countess".into();
    })
    .expect("a user");
    assert_eq!((found.id, created), (user.id, false));
    assert_eq!(stored(&mut conn), [1, 0, 0]);
}

#[test]
fn an_upsert_makes_one_for_a_new_row_and_none_for_one_that_is_there() {
    let mut conn = fresh(SCHEMA);
    let named = |name: &str| KeyedUser {
        id: 7,
        name: name.into(),
    };
    let (_, created) = KeyedUser::upsert(&mut conn, named("Ada")).expect("a user");
    assert!(created);
    assert_eq!(stored(&mut conn), [1; 3]);
    let user = User::get(&mut conn, 7).expect("there");
    user.profile(&mut conn)
        .expect("a profile")
        .delete(&mut conn)
        .expect("it goes");
    let (_, created) = KeyedUser::upsert(&mut conn, named("Countess")).expect("a user");
    assert!(!created);
    assert_eq!(stored(&mut conn), [1, 0, 0]);
}

#[test]
fn loading_fixtures_makes_none() {
    let mut conn = fresh(SCHEMA);
    let made = conn.loading_fixtures(|conn| {
        User::create(conn, named("Ada"))?;
        User::create_many(conn, numbered(3))
    });
    assert_eq!(made.expect("users").len(), 3);
    assert_eq!(stored(&mut conn), [4, 0, 0]);
    assert_eq!(
        LOG.take()
            .iter()
            .filter(|it| it.starts_with("created User"))
            .count(),
        4
    );
}

#[test]
fn a_user_that_is_refused_leaves_none() {
    let mut conn = fresh(SCHEMA);
    User::create(&mut conn, named("user 60")).expect("a user");
    User::create(&mut conn, named("user 60")).expect_err("the name is taken");
    User::create_many(&mut conn, numbered(70)).expect_err("the name is taken");
    assert_eq!(stored(&mut conn), [1; 3]);
}

/// Four connections create the same users, and a fifth fills in what is missing: of each name there is one user,
/// and it has one profile.
#[test]
fn connections_at_once_make_one_for_each() {
    const CONNECTIONS: usize = 4;
    let disk = Database::new(SCHEMA);
    let start = Barrier::new(CONNECTIONS + 1);
    let create = &|mut conn: TestConnection| {
        start.wait();
        let mut made = 0;
        for new in numbered(40) {
            match User::create(&mut conn, new) {
                Ok(_) => made += 1,
                Err(Error::Query {
                    model: Some("User"),
                    ..
                }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        made
    };
    let ensure = &|mut conn: TestConnection| {
        start.wait();
        (0..40)
            .map(|_| User::ensure_profile(&mut conn).expect("none or some"))
            .sum::<usize>()
    };
    let connections: Vec<_> = (0..CONNECTIONS).map(|_| disk.connect()).collect();
    let one_more = disk.connect();
    let (made, ensured) = std::thread::scope(|scope| {
        let creators = connections.into_iter();
        let creators: Vec<_> = creators
            .map(|conn| scope.spawn(move || create(conn)))
            .collect();
        let ensured = scope.spawn(move || ensure(one_more));
        let made: i32 = creators
            .into_iter()
            .map(|it| it.join().expect("no panic"))
            .sum();
        (made, ensured.join().expect("no panic"))
    });
    assert_eq!((made, ensured), (40, 0));
    assert_eq!(stored(&mut disk.connect()), [40; 3]);
}
