//! Muted receivers and fixtures: who is not heard, and what happens all the same.

use backends::{Log, TestConnection, fresh};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::error::RegistryError;
use diesel_hooks::prelude::*;

diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { collars (id) { id -> Integer, owner_id -> Integer } }
diesel::table! { debts (id) { id -> Integer, owner_id -> Integer } }

pub(crate) const SCHEMA: &str = "
    CREATE TABLE owners (id {key}, name TEXT NOT NULL);
    CREATE TABLE collars (id {key}, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners (id));
    CREATE TABLE debts (id {key}, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners (id));
";

pub(crate) static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Owner {
    pub(crate) id: i32,
    pub(crate) name: String,
}

/// It comes and goes with its owner, and nobody hears of it.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Collar {
    pub(crate) id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, auto_create))]
    pub(crate) owner_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Debt {
    pub(crate) id: i32,
    #[hooks(one_to_one(Owner, on_delete = Protect))]
    pub(crate) owner_id: i32,
}

#[derive(Debug, Signal)]
struct Called;

fn write(entry: &str, raw: bool) {
    LOG.push(if raw {
        format!("{entry} raw")
    } else {
        entry.to_owned()
    });
}

#[receiver(dispatch_uid = "pre_save")]
fn pre_save(event: &mut PreSave<Owner>) {
    let raw = match event {
        PreSave::Create(event) => event.raw,
        PreSave::Update(event) => event.raw,
    };
    write("pre_save", raw);
}

#[receiver(dispatch_uid = "pre_create")]
fn pre_create(event: &PreCreate<Owner>) {
    write("pre_create", event.raw);
}

#[receiver(dispatch_uid = "pre_update")]
fn pre_update(event: &PreUpdate<Owner>) {
    write("pre_update", event.raw);
}

#[receiver(dispatch_uid = "post_create")]
fn post_create(event: &PostCreate<Owner>, _: &mut TestConnection) {
    write("post_create", event.raw);
}

#[receiver(dispatch_uid = "post_update")]
fn post_update(event: &PostUpdate<Owner>, _: &mut TestConnection) {
    write("post_update", event.raw);
}

#[receiver(dispatch_uid = "veto")]
fn veto(event: &PostSave<Owner>) -> Result<(), &'static str> {
    write("post_save", event.raw);
    match event.instance.name.as_str() {
        "vetoed" => Err("not this one"),
        _ => Ok(()),
    }
}

#[receiver(dispatch_uid = "batch")]
fn whole_batch(events: &[PostSave<Owner>]) {
    write("batch", events.iter().all(|event| event.raw));
}

#[receiver(dispatch_uid = "any")]
fn any_loaded(_: &PostLoad<dyn AnyModel>) {
    write("post_load", false);
}

#[receiver(dispatch_uid = "deleted")]
fn pre_delete(_: &PreDelete<Owner>) {
    write("pre_delete", false);
}

#[receiver(dispatch_uid = "deleted")]
fn post_delete(_: &PostDelete<Owner>) {
    write("post_delete", false);
}

#[receiver(dispatch_uid = "later", after_commit)]
fn committed(event: &PostCreate<Owner>) {
    write("committed", event.raw);
}

#[receiver(dispatch_uid = "merged", after_commit(merged))]
fn merged(event: &PostSave<Owner>) {
    write("merged", event.raw);
}

#[receiver(dispatch_uid = "called")]
fn called(_: &Called) {
    write("called", false);
}

pub(crate) fn owner(conn: &mut TestConnection, name: &str) -> diesel_hooks::Result<Owner> {
    Owner::create(conn, NewOwner { name: name.into() })
}

/// Everything that the receivers above can hear.
fn live_a_life(conn: &mut TestConnection) -> diesel_hooks::Result {
    let mut ada = owner(conn, "Ada")?;
    ada.update(conn, |it| it.name = "Ada L".into())?;
    ada.refresh(conn)?;
    Called.send(conn)?;
    ada.delete(conn).map(drop)
}

pub(crate) const A_LIFE: [&str; 17] = [
    "pre_save",
    "pre_create",
    "post_create",
    "batch",
    "post_save",
    "committed",
    "merged",
    "pre_save",
    "pre_update",
    "post_update",
    "batch",
    "post_save",
    "merged",
    "post_load",
    "called",
    "pre_delete",
    "post_delete",
];

pub(crate) fn assert_all_are_heard(conn: &mut TestConnection) {
    live_a_life(conn).expect("a life");
    assert_eq!(LOG.take(), A_LIFE);
}

/// How many owners, collars and debts there are.
pub(crate) fn counts(conn: &mut TestConnection) -> (i64, i64, i64) {
    let owners = owners::table.count().get_result(conn);
    let collars = collars::table.count().get_result(conn);
    let debts = debts::table.count().get_result(conn);
    (
        owners.expect("a count"),
        collars.expect("a count"),
        debts.expect("a count"),
    )
}

#[test]
fn without_hooks_no_receiver_of_any_kind_runs() {
    let mut conn = fresh(SCHEMA);
    let guard = conn.connect(|_: &PostSave<Owner>, _: &mut TestConnection| LOG.push("connected"));
    conn.without_hooks(|conn| {
        live_a_life(conn)?;
        owner(conn, "vetoed").map(drop)
    })
    .expect("nobody says no");
    assert!(LOG.take().is_empty());
    assert_eq!(counts(&mut conn), (1, 1, 0));
    drop(guard.expect("there is room"));
    assert_all_are_heard(&mut conn);
    owner(&mut conn, "vetoed").expect_err("somebody says no");
    LOG.take();
}

#[test]
fn without_hooks_dependents_are_created_protected_and_deleted_all_the_same() {
    let mut conn = fresh(SCHEMA);
    conn.without_hooks(|conn| {
        let ada = owner(conn, "Ada")?;
        let debt = Debt::create(conn, NewDebt { owner_id: ada.id })?;
        assert_eq!(counts(conn), (1, 1, 1));
        let refused = ada.delete(conn).expect_err("the debt protects her");
        assert!(matches!(refused, Error::Protected(_)));
        assert_eq!(counts(conn), (1, 1, 1));
        debt.delete(conn)?;
        assert_eq!(ada.delete(conn)?.by_model["Collar"], 1);
        Ok::<_, Error>(())
    })
    .expect("it goes");
    assert_eq!(counts(&mut conn), (0, 0, 0));
    assert!(LOG.take().is_empty());
}

#[test]
fn without_receiver_that_one_is_silent_in_all_its_signals() {
    let mut conn = fresh(SCHEMA);
    conn.without_receiver("deleted", live_a_life)
        .expect("a life");
    assert_eq!(LOG.take(), A_LIFE[..15]);
    for uid in [
        "batch", "later", "merged", "any", "called", "pre_save", "veto",
    ] {
        conn.without_receiver(uid, live_a_life).expect("a life");
        let name = match uid {
            "later" => "committed",
            "any" => "post_load",
            "veto" => "post_save",
            uid => uid,
        };
        let mut expected = A_LIFE.to_vec();
        expected.retain(|it| *it != name);
        assert_eq!(LOG.take(), expected, "without {uid}");
    }
    conn.without_receiver("veto", |conn| owner(conn, "vetoed"))
        .expect("nobody says no");
    LOG.take();
    assert_all_are_heard(&mut conn);
}

#[test]
fn without_a_receiver_that_nobody_knows_is_an_error_and_nothing_runs() {
    let mut conn = fresh(SCHEMA);
    let outcome = conn.without_receiver("nobody", |conn| {
        LOG.push("it ran");
        owner(conn, "Ada")
    });
    let Err(Error::Registry(RegistryError::Missing { uids, .. })) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(uids, ["nobody"]);
    assert!(LOG.take().is_empty());
    assert_all_are_heard(&mut conn);
}

#[test]
fn fixtures_are_raw_in_every_signal_of_a_save_and_nothing_is_created_with_them() {
    let mut conn = fresh(SCHEMA);
    conn.loading_fixtures(|conn| {
        let mut ada = owner(conn, "Ada")?;
        ada.update(conn, |it| it.name = "Ada L".into())?;
        ada.save(conn)?;
        ada.update_set(conn, owners::name.eq("Ada B"))?;
        let new = vec![
            NewOwner { name: "Bob".into() },
            NewOwner { name: "Cy".into() },
        ];
        Owner::create_many(conn, new).map(drop)
    })
    .expect("loaded");
    let log = LOG.take();
    assert!(log.iter().all(|it| it.ends_with(" raw")), "{log:?}");
    assert_eq!(log.len(), 7 + 3 * 6 + 2 * 6 + 1);
    assert_eq!(counts(&mut conn), (3, 0, 0));
    owner(&mut conn, "Dan").expect("an owner");
    assert_eq!(LOG.take(), A_LIFE[..7]);
    assert_eq!(counts(&mut conn), (4, 1, 0));
}

#[test]
fn scopes_nest_and_end_from_the_inside() {
    let mut conn = fresh(SCHEMA);
    let heard = |conn: &mut TestConnection| {
        owner(conn, "any").expect("an owner");
        LOG.take()
    };
    conn.without_receiver("batch", |conn| {
        conn.without_receiver("merged", |conn| {
            assert_eq!(
                heard(conn),
                [
                    "pre_save",
                    "pre_create",
                    "post_create",
                    "post_save",
                    "committed"
                ]
            );
            let outcome = conn.without_hooks(|conn| {
                assert!(heard(conn).is_empty());
                conn.loading_fixtures(|conn| {
                    assert!(heard(conn).is_empty(), "an inner scope opens no outer one");
                    Ok::<_, Error>(())
                })
            });
            assert!(!heard(conn).contains(&"merged".to_owned()));
            outcome
        })?;
        assert!(heard(conn).contains(&"merged".to_owned()));
        assert!(!heard(conn).contains(&"batch".to_owned()));
        conn.without_receiver("batch", |_| Ok::<_, Error>(()))?;
        assert!(
            !heard(conn).contains(&"batch".to_owned()),
            "it was muted twice"
        );
        conn.loading_fixtures(|conn| {
            assert!(heard(conn).iter().all(|it| it.ends_with(" raw")));
            Ok::<_, Error>(())
        })
    })
    .expect("all is well");
    assert_all_are_heard(&mut conn);
}

#[test]
fn what_is_deleted_in_silence_is_no_longer_told_after_the_commit() {
    let mut conn = fresh(SCHEMA);
    conn.transaction(|conn| {
        let ada = owner(conn, "Ada")?;
        LOG.take();
        conn.without_hooks(|conn| ada.delete(conn))
    })
    .expect("it commits");
    assert_eq!(
        LOG.take(),
        ["committed"],
        "the merged one has nothing to tell"
    );
}
