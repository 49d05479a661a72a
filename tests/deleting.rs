//! A delete takes the rows that a relation says must go too, and stops at those that it protects.
#![allow(missing_docs)]

mod common;

use common::script::counted;
use common::{Log, memory};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { houses (id) { id -> Integer, owner_id -> Integer } }
diesel::table! { gardens (id) { id -> Integer, house_id -> Integer } }
diesel::table! { deeds (id) { id -> Integer, house_id -> Integer } }
diesel::table! { keys (id) { id -> Integer, owner_id -> Nullable<Integer> } }

const SCHEMA: &str = "
    CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE houses (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners);
    CREATE TABLE gardens (id INTEGER PRIMARY KEY, house_id INTEGER NOT NULL UNIQUE REFERENCES houses);
    CREATE TABLE deeds (id INTEGER PRIMARY KEY, house_id INTEGER NOT NULL UNIQUE REFERENCES houses);
    CREATE TABLE keys (id INTEGER PRIMARY KEY, owner_id INTEGER UNIQUE REFERENCES owners);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct House {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = house))]
    owner_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Garden {
    id: i32,
    #[hooks(one_to_one(House, on_delete = Cascade, related_name = garden))]
    house_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Deed {
    id: i32,
    #[hooks(one_to_one(House, on_delete = Protect, related_name = deed))]
    house_id: i32,
}

/// Nobody listens to it, and nothing depends on it.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Key {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = spare_key))]
    owner_id: Option<i32>,
}

static LOG: Log = Log::new();

macro_rules! log_deletes {
    ($($before:ident $after:ident $model:ident $table:ident;)*) => {$(
        #[receiver]
        fn $before(event: &PreDelete<$model>, conn: &mut SqliteConnection) {
            let left: i64 = $table::table.count().get_result(conn).expect("rows can be counted");
            LOG.push(format!("pre {} {} of {left}", stringify!($model), event.instance.id));
        }

        #[receiver]
        fn $after(event: &PostDelete<$model>, conn: &mut SqliteConnection) {
            let left: i64 = $table::table.count().get_result(conn).expect("rows can be counted");
            LOG.push(format!("post {} {}, {left} left", stringify!($model), event.instance.id));
        }
    )*};
}

log_deletes! {
    pre_owner post_owner Owner owners;
    pre_house post_house House houses;
    pre_garden post_garden Garden gardens;
}

fn estate(conn: &mut SqliteConnection) -> (Owner, House) {
    let owner = Owner::create(conn, NewOwner { name: "Ada".into() }).expect("an owner");
    let house = House::create(conn, NewHouse { owner_id: owner.id }).expect("a house");
    Garden::create(conn, NewGarden { house_id: house.id }).expect("a garden");
    Key::create(
        conn,
        NewKey {
            owner_id: Some(owner.id),
        },
    )
    .expect("a key");
    Key::create(conn, NewKey { owner_id: None }).expect("a key of nobody");
    LOG.take();
    (owner, house)
}

fn counts(conn: &mut SqliteConnection) -> [i64; 5] {
    [
        owners::table.count().get_result(conn),
        houses::table.count().get_result(conn),
        gardens::table.count().get_result(conn),
        deeds::table.count().get_result(conn),
        keys::table.count().get_result(conn),
    ]
    .map(|count| count.expect("rows can be counted"))
}

#[test]
fn cascades_go_children_first_with_their_signals_and_counts() {
    let mut conn = memory(SCHEMA);
    let (owner, _) = estate(&mut conn);
    let deleted = owner.delete(&mut conn).expect("deleted");
    assert_eq!(
        LOG.take(),
        [
            "pre Garden 1 of 1",
            "pre House 1 of 1",
            "pre Owner 1 of 1",
            "post Garden 1, 0 left",
            "post House 1, 0 left",
            "post Owner 1, 0 left",
        ]
    );
    assert_eq!(deleted.total, 4);
    let by_model: Vec<_> = deleted.by_model.into_iter().collect();
    assert_eq!(
        by_model,
        [("Garden", 1), ("House", 1), ("Key", 1), ("Owner", 1)]
    );
    assert_eq!(
        counts(&mut conn),
        [0, 0, 0, 0, 1],
        "a key of nobody belongs to no owner"
    );
}

#[test]
fn rows_that_nobody_listens_to_go_without_being_loaded() {
    let mut conn = memory(SCHEMA);
    let (owner, _) = estate(&mut conn);
    let (_, seen) = common::statements(&mut conn, |conn| owner.delete(conn));
    let keys: Vec<_> = seen.iter().filter(|sql| sql.contains("`keys`")).collect();
    assert_eq!(keys, ["DELETE FROM `keys` WHERE `keys`.`owner_id` = ?"]);
    LOG.take();
}

#[test]
fn a_protected_row_stops_the_delete_before_anything_is_sent_or_written() {
    let mut conn = memory(SCHEMA);
    let (owner, house) = estate(&mut conn);
    Deed::create(&mut conn, NewDeed { house_id: house.id }).expect("a deed");
    let before = counts(&mut conn);
    for (error, text) in [
        (
            house.delete(&mut conn).expect_err("protected"),
            "House 1 is protected by Deed 1 (through Deed.house_id)",
        ),
        (
            owner.delete(&mut conn).expect_err("protected"),
            "Owner 1 is protected by Deed 1 (through House.owner_id, Deed.house_id)",
        ),
    ] {
        assert_eq!(error.to_string(), text);
        let Error::Protected(protected) = error else {
            panic!("{error:?}")
        };
        let [blocker] = protected.blockers() else {
            panic!("{protected:?}")
        };
        assert_eq!(
            (blocker.model, blocker.relation.as_str(), blocker.more),
            ("Deed", "Deed.house_id", 0)
        );
        assert_eq!(blocker.keys[0].reveal(), "1");
    }
    assert!(LOG.take().is_empty());
    assert_eq!(counts(&mut conn), before);

    house
        .deed(&mut conn)
        .expect("a deed")
        .delete(&mut conn)
        .expect("nothing protects it");
    owner
        .delete(&mut conn)
        .expect("nothing protects it any more");
    assert_eq!(counts(&mut conn), [0, 0, 0, 0, 1]);
    LOG.take();
}

#[test]
fn a_protected_delete_leaves_a_transaction_around_it_usable() {
    let mut conn = memory(SCHEMA);
    conn.transaction(|conn| -> diesel_hooks::Result {
        let (owner, house) = estate(conn);
        Deed::create(conn, NewDeed { house_id: house.id })?;
        assert!(matches!(owner.delete(conn), Err(Error::Protected(_))));
        Ok(())
    })
    .expect("committed");
    assert_eq!(counts(&mut conn), [1, 1, 1, 1, 2]);
}

mod many {
    use super::*;

    diesel::table! { hubs (id) { id -> Integer } }
    diesel::table! { spokes (id) { id -> Integer, hub_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
    #[hooks(new = Self)]
    pub(crate) struct Hub {
        pub(crate) id: i32,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Spoke {
        pub(crate) id: i32,
        #[hooks(one_to_one(Hub, on_delete = Protect))]
        pub(crate) hub_id: i32,
    }
}

#[test]
fn an_error_lists_at_most_a_hundred_blockers_and_says_how_many_more() {
    // Without the unique constraint that a one-to-one relation should have.
    let mut conn = memory(
        "CREATE TABLE hubs (id INTEGER PRIMARY KEY); CREATE TABLE spokes (id INTEGER PRIMARY KEY, hub_id INTEGER NOT NULL);",
    );
    let hub = many::Hub::create(&mut conn, many::Hub { id: 1 }).expect("a hub");
    let spokes = (0..130).map(|_| many::NewSpoke { hub_id: 1 }).collect();
    many::Spoke::create_many(&mut conn, spokes).expect("spokes");
    let error = hub.delete(&mut conn).expect_err("protected");
    assert!(
        error
            .to_string()
            .ends_with("100 and 30 more (through Spoke.hub_id)"),
        "{error}"
    );
}

mod chained {
    use super::*;

    diesel::table! { wagons (id) { id -> Integer, ahead_id -> Nullable<Integer> } }

    /// Depends on the one ahead of it.
    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Wagon {
        pub(crate) id: i32,
        #[hooks(one_to_one(Wagon, on_delete = Cascade, related_name = behind))]
        pub(crate) ahead_id: Option<i32>,
    }

    #[receiver]
    fn uncouple(event: &PreDelete<Wagon>) {
        LOG.push(format!("pre {}", event.instance.id));
    }

    #[receiver]
    fn scrap(event: &PostDelete<Wagon>) {
        LOG.push(format!("post {}", event.instance.id));
    }
}

#[test]
fn a_chain_of_rows_of_one_model_goes_from_its_end() {
    use chained::{NewWagon, Wagon};

    let mut conn = memory(
        "CREATE TABLE wagons (id INTEGER PRIMARY KEY, ahead_id INTEGER UNIQUE REFERENCES wagons);",
    );
    let first = Wagon::create(&mut conn, NewWagon { ahead_id: None }).expect("a wagon");
    for ahead in 1..4 {
        Wagon::create(
            &mut conn,
            NewWagon {
                ahead_id: Some(ahead),
            },
        )
        .expect("a wagon");
    }
    assert_eq!(first.behind(&mut conn).expect("a wagon").id, 2);
    assert_eq!(first.delete(&mut conn).expect("deleted").total, 4);
    assert_eq!(
        LOG.take(),
        [
            "pre 4", "pre 3", "pre 2", "pre 1", "post 4", "post 3", "post 2", "post 1"
        ]
    );
}

mod strict {
    use super::*;

    diesel::table! { kings (id) { id -> Integer, name -> Text } }
    diesel::table! { heirs (id) { id -> Integer, king_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct King {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Heir {
        pub(crate) id: i32,
        #[hooks(one_to_one(King, on_delete = Cascade))]
        pub(crate) king_id: i32,
    }

    #[receiver]
    fn mourn(events: &[PostDelete<King>]) {
        LOG.push(format!("post King {}", events[0].instance.id));
    }

    #[receiver]
    fn exile(events: &[PreDelete<Heir>]) {
        LOG.push(format!("pre Heir {}", events[0].instance.id));
    }
}

#[test]
fn a_batch_receiver_is_not_called_for_no_rows() {
    use strict::{King, NewKing};

    let mut conn = memory(
        "CREATE TABLE kings (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE heirs (id INTEGER PRIMARY KEY, king_id INTEGER NOT NULL UNIQUE REFERENCES kings);",
    );
    let king = King::create(
        &mut conn,
        NewKing {
            name: "Lear".into(),
        },
    )
    .expect("a king");
    assert_eq!(king.delete(&mut conn).expect("deleted").total, 1);
    assert_eq!(king.delete(&mut conn).expect("gone already").total, 0);
    assert_eq!(LOG.take(), ["post King 1"]);
}

mod counts {
    use super::*;

    diesel::table! { jars (id) { id -> Integer, label -> Text } }
    diesel::table! { lids (id) { id -> Integer, jar_id -> Integer } }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE jars (id INTEGER PRIMARY KEY, label TEXT NOT NULL);
        CREATE TABLE lids (id INTEGER PRIMARY KEY, jar_id INTEGER NOT NULL REFERENCES jars);
        INSERT INTO jars VALUES (1, 'jam'); INSERT INTO lids VALUES (1, 1), (2, 1);
    ";

    #[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
    #[hooks(new = Self)]
    pub(crate) struct Jar {
        pub(crate) id: i32,
        pub(crate) label: String,
    }

    /// Nobody listens to it.
    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    pub(crate) struct Lid {
        pub(crate) id: i32,
        #[hooks(one_to_one(Jar, on_delete = Cascade))]
        pub(crate) jar_id: i32,
    }

    #[receiver]
    fn empty(event: &PreDelete<Jar>) {
        LOG.push(format!("pre {}", event.instance.label));
    }

    pub(crate) fn rows(conn: &mut SqliteConnection) -> (Vec<Jar>, Vec<Lid>) {
        (
            jars::table.load(conn).expect("jars"),
            lids::table.load(conn).expect("lids"),
        )
    }
}

use counts::{Jar, Lid};

fn jam() -> Jar {
    Jar {
        id: 1,
        label: "jam".into(),
    }
}

fn refused(error: Error, text: &str) {
    assert!(matches!(error, Error::RowCount { .. }), "{error:?}");
    assert!(error.to_string().starts_with(text), "{error}");
}

#[test]
fn a_row_that_a_trigger_keeps_is_an_error_that_undoes_what_the_trigger_did() {
    for in_transaction in [false, true] {
        let mut conn = memory(counts::SCHEMA);
        conn.batch_execute(
            "CREATE TRIGGER keep BEFORE DELETE ON lids BEGIN
                 INSERT INTO jars VALUES (2, 'kept'); SELECT RAISE(IGNORE);
             END",
        )
        .expect("the trigger is right");
        let before = counts::rows(&mut conn);
        let lid = Lid { id: 1, jar_id: 1 };
        let error = match in_transaction {
            true => conn
                .transaction(|conn| QueryResult::Ok(lid.delete(conn)))
                .expect("the application goes on"),
            false => lid.delete(&mut conn),
        };
        refused(
            error.expect_err("kept"),
            "delete of Lid touched 0 rows instead of 1",
        );
        assert_eq!(counts::rows(&mut conn), before);
    }
}

#[test]
fn a_delete_by_key_that_touches_two_rows_is_an_error_and_undone() {
    for in_transaction in [false, true] {
        let mut conn = memory(
            "CREATE TABLE jars (id INTEGER PRIMARY KEY, label TEXT NOT NULL);
             CREATE TABLE lids (id INTEGER NOT NULL, jar_id INTEGER NOT NULL);
             INSERT INTO lids VALUES (1, 1), (1, 2);",
        );
        let lid = Lid { id: 1, jar_id: 1 };
        let error = match in_transaction {
            true => conn
                .transaction(|conn| QueryResult::Ok(lid.delete(conn)))
                .expect("the application goes on"),
            false => lid.delete(&mut conn),
        };
        refused(
            error.expect_err("two rows"),
            "delete of Lid touched 2 rows instead of 1",
        );
        assert_eq!(counts::rows(&mut conn).1.len(), 2);
    }
}

#[test]
fn silent_children_that_a_trigger_keeps_are_an_error_even_if_some_went() {
    for (kept, text) in [
        ("1", "delete of Lid touched 0 rows instead of 2"),
        ("old.id = 2", "delete of Lid touched 1 rows instead of 2"),
    ] {
        let mut conn = memory(&format!(
            "PRAGMA foreign_keys = OFF; {}
             CREATE TRIGGER keep BEFORE DELETE ON lids WHEN {kept} BEGIN SELECT RAISE(IGNORE); END",
            counts::SCHEMA
        ));
        let before = counts::rows(&mut conn);
        refused(jam().delete(&mut conn).expect_err("kept"), text);
        assert_eq!(counts::rows(&mut conn), before);
        assert_eq!(LOG.take(), ["pre jam"]);
    }
}

#[test]
fn receivers_get_the_row_as_it_is_and_not_as_the_caller_remembers_it() {
    let mut conn = memory(counts::SCHEMA);
    diesel::update(counts::jars::table)
        .set(counts::jars::label.eq("honey"))
        .execute(&mut conn)
        .expect("plain Diesel");
    let deleted = jam().delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["pre honey"]);
    assert_eq!(counted(deleted), (3, vec![("Jar", 1), ("Lid", 2)]));
}

#[test]
fn a_row_that_is_gone_is_not_heard_of_and_nothing_else_goes() {
    let mut conn = memory(&format!("PRAGMA foreign_keys = OFF; {}", counts::SCHEMA));
    diesel::delete(counts::jars::table)
        .execute(&mut conn)
        .expect("plain Diesel");
    let deleted = jam().delete(&mut conn).expect("gone already");
    assert_eq!(counted(deleted), (0, vec![]));
    assert!(LOG.take().is_empty());
    assert_eq!(counts::rows(&mut conn).1.len(), 2);
}

#[test]
fn blockers_are_told_with_the_relations_that_lead_to_them() {
    use chained_and_protected::Car;

    let mut conn = memory(
        "CREATE TABLE cars (id INTEGER PRIMARY KEY, ahead_id INTEGER REFERENCES cars);
         CREATE TABLE seals (id INTEGER PRIMARY KEY, car_id INTEGER NOT NULL REFERENCES cars);
         INSERT INTO cars VALUES (1, NULL), (2, 1), (3, 2); INSERT INTO seals VALUES (4, 1), (5, 3);",
    );
    let car = Car::get(&mut conn, 1).expect("a car");
    let error = car.delete(&mut conn).expect_err("sealed");
    assert_eq!(
        error.to_string(),
        "Car 1 is protected by Seal 4 (through Seal.car_id); Seal 5 (through Car.ahead_id, Seal.car_id)"
    );
}

mod chained_and_protected {
    use super::*;

    diesel::table! { cars (id) { id -> Integer, ahead_id -> Nullable<Integer> } }
    diesel::table! { seals (id) { id -> Integer, car_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Car {
        pub(crate) id: i32,
        #[hooks(one_to_one(Car, on_delete = Cascade))]
        pub(crate) ahead_id: Option<i32>,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Seal {
        pub(crate) id: i32,
        #[hooks(one_to_one(Car, on_delete = Protect))]
        pub(crate) car_id: i32,
    }
}
