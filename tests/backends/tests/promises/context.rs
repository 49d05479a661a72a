//! A value set with `with_context` is the connection's, typed, and gone when its scope ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use backends::{Database, TestConnection, fresh};
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;

diesel::table! { pages (id) { id -> Integer, title -> Text } }
diesel::table! { audits (id) { id -> Integer, actor -> Text } }

const SCHEMA: &str = "
    CREATE TABLE pages (id {key}, title TEXT NOT NULL);
    CREATE TABLE audits (id {key}, actor TEXT NOT NULL);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Page {
    id: i32,
    title: String,
}

#[derive(Debug, PartialEq)]
struct Actor(&'static str);

#[derive(Debug, PartialEq)]
struct Request(u64);

#[receiver]
fn audit(_: &PostSave<Page>, conn: &mut TestConnection) -> QueryResult<()> {
    let actor = conn.context::<Actor>();
    let actor = actor.as_ref().map_or("nobody", |actor| actor.0);
    diesel::insert_into(audits::table)
        .values(audits::actor.eq(actor))
        .execute(conn)
        .map(drop)
}

fn actors(conn: &mut TestConnection) -> Vec<String> {
    let actors = audits::table.select(audits::actor).order(audits::id);
    actors.load(conn).expect("audits can be read")
}

fn create(conn: &mut TestConnection) -> diesel_hooks::Result {
    let title = "page".to_owned();
    Page::create(conn, NewPage { title }).map(drop)
}

#[test]
fn a_receiver_learns_who_acts() {
    let mut conn = fresh(SCHEMA);
    conn.with_context(Actor("ada"), |conn| {
        create(conn)?;
        conn.with_context(Actor("grace"), create)?;
        create(conn)
    })
    .expect("three pages");
    create(&mut conn).expect("a page");
    assert_eq!(actors(&mut conn), ["ada", "grace", "ada", "nobody"]);
}

#[test]
fn values_of_different_types_do_not_hide_each_other() {
    let mut conn = fresh(SCHEMA);
    conn.with_context(Actor("ada"), |conn| {
        conn.with_context(Request(7), |conn| {
            assert_eq!(conn.context(), Some(Arc::new(Actor("ada"))));
            assert_eq!(conn.context(), Some(Arc::new(Request(7))));
            Ok::<_, DieselError>(())
        })?;
        assert_eq!(conn.context::<Request>(), None);
        Ok::<_, DieselError>(())
    })
    .expect("nothing fails");
}

#[test]
fn an_error_restores_what_was_set_outside_and_is_the_applications() {
    let mut conn = fresh(SCHEMA);
    conn.with_context(Actor("ada"), |conn| {
        let outcome = conn.with_context(Actor("grace"), |_| Err::<(), _>(DieselError::NotFound));
        assert_eq!(outcome, Err(DieselError::NotFound));
        create(conn)
    })
    .expect("a page");
    assert_eq!(actors(&mut conn), ["ada"]);
}

#[test]
fn a_panic_restores_what_was_set_outside_and_goes_on() {
    let mut conn = fresh(SCHEMA);
    conn.with_context(Actor("ada"), |conn| {
        let panicking = AssertUnwindSafe(|| {
            conn.with_context(Actor("grace"), |conn| -> diesel_hooks::Result {
                create(conn)?;
                panic!("inside the scope")
            })
        });
        assert!(catch_unwind(panicking).is_err());
        create(conn)
    })
    .expect("a page");
    assert_eq!(actors(&mut conn), ["grace", "ada"]);
    assert_eq!(conn.context::<Actor>(), None);
}

#[test]
fn a_rolled_back_transaction_inside_keeps_the_scope() {
    let mut conn = fresh(SCHEMA);
    conn.with_context(Actor("ada"), |conn| {
        conn.transaction(|conn| {
            create(conn)?;
            Err::<(), diesel_hooks::Error>(DieselError::RollbackTransaction.into())
        })
        .expect_err("it rolls back");
        create(conn)
    })
    .expect("a page");
    assert_eq!(actors(&mut conn), ["ada"]);
}

#[test]
fn a_value_outlives_its_scope_only_in_the_hands_of_who_asked() {
    let mut conn = fresh(SCHEMA);
    let actor = conn
        .with_context(Actor("ada"), |conn| {
            Ok::<_, DieselError>(conn.context::<Actor>())
        })
        .expect("nothing fails");
    assert_eq!(actor.as_deref(), Some(&Actor("ada")));
    assert_eq!(conn.context::<Actor>(), None);
}

#[test]
fn another_connection_sees_nothing() {
    let (mut one, mut other) = (fresh(SCHEMA), fresh(SCHEMA));
    one.with_context(Actor("ada"), |_| create(&mut other))
        .expect("a page");
    assert_eq!(actors(&mut other), ["nobody"]);
}

#[test]
fn the_next_user_of_a_pooled_connection_sees_nothing() {
    let database = Database::new("");
    let pool = Pool::builder()
        .max_size(1)
        .build(ConnectionManager::<TestConnection>::new(database.url()))
        .expect("a pool");
    let mut conn = pool.get().expect("a connection");
    conn.with_context(Actor("ada"), |conn| {
        assert_eq!(conn.context(), Some(Arc::new(Actor("ada"))));
        Ok::<_, DieselError>(())
    })
    .expect("nothing fails");
    drop(conn);
    let mut conn = pool.get().expect("the same connection");
    assert_eq!(conn.context::<Actor>(), None);
}

#[test]
fn an_instrumentation_that_leaves_no_room_is_an_error_before_anything_runs() {
    let mut conn = fresh(SCHEMA);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    assert_eq!(conn.context::<Actor>(), None);
    let outcome = conn.with_context(Actor("ada"), create);
    assert!(matches!(outcome, Err(diesel_hooks::Error::Instrumentation)));
    assert!(actors(&mut conn).is_empty());
}

#[test]
fn an_instrumentation_set_inside_the_scope_is_an_error_before_a_receiver_runs() {
    let mut conn = fresh(SCHEMA);
    let outcome = conn.with_context(Actor("ada"), |conn| {
        conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        create(conn)
    });
    assert!(matches!(outcome, Err(diesel_hooks::Error::Instrumentation)));
    assert!(actors(&mut conn).is_empty());
}

#[test]
fn a_scope_ends_with_its_closure_wherever_the_connection_went() {
    let (mut one, mut other) = (fresh(SCHEMA), fresh(SCHEMA));
    one.with_context(Actor("ada"), |conn| {
        std::mem::swap(conn, &mut other);
        assert_eq!(other.context(), Some(Arc::new(Actor("ada"))));
        Ok::<_, DieselError>(())
    })
    .expect("nothing fails");
    for conn in [&mut one, &mut other] {
        create(conn).expect("a page");
        assert_eq!(actors(conn), ["nobody"]);
    }
    one.without_hooks(|conn| {
        std::mem::swap(conn, &mut other);
        create(conn)
    })
    .expect("a page");
    for conn in [&mut one, &mut other] {
        let before = actors(conn).len();
        create(conn).expect("a page");
        assert_eq!(actors(conn).len(), before + 1, "its receiver runs again");
    }
}
