//! A delete takes the rows that a relation says must go too, and stops at those that it protects.

use backends::{Log, TestConnection, fresh, insert, statements};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { houses (id) { id -> Integer, owner_id -> Integer } }
diesel::table! { gardens (id) { id -> Integer, house_id -> Integer } }
diesel::table! { deeds (id) { id -> Integer, house_id -> Integer } }
diesel::table! { keys (id) { id -> Integer, owner_id -> Nullable<Integer> } }

const SCHEMA: &str = "
    CREATE TABLE owners (id {key}, name TEXT NOT NULL);
    CREATE TABLE houses (id {key}, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners (id));
    CREATE TABLE gardens (id {key}, house_id INTEGER NOT NULL UNIQUE REFERENCES houses (id));
    CREATE TABLE deeds (id {key}, house_id INTEGER NOT NULL UNIQUE REFERENCES houses (id));
    CREATE TABLE {q}keys{q} (id {key}, owner_id INTEGER UNIQUE REFERENCES owners (id));
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct House {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = house))]
    owner_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Garden {
    id: i32,
    #[hooks(one_to_one(House, on_delete = Cascade, related_name = garden))]
    house_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Deed {
    id: i32,
    #[hooks(one_to_one(House, on_delete = Protect, related_name = deed))]
    house_id: i32,
}

/// Nobody listens to it, and nothing depends on it.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Key {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = spare_key))]
    owner_id: Option<i32>,
}

static LOG: Log = Log::new();

macro_rules! log_deletes {
    ($($before:ident $after:ident $model:ident $table:ident;)*) => {$(
        #[receiver]
        fn $before(event: &PreDelete<$model>, conn: &mut TestConnection) {
            let left: i64 = $table::table.count().get_result(conn).expect("rows can be counted");
            LOG.push(format!("pre {} {} of {left}", stringify!($model), event.instance.id));
        }

        #[receiver]
        fn $after(event: &PostDelete<$model>, conn: &mut TestConnection) {
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

fn estate(conn: &mut TestConnection) -> (Owner, House) {
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

fn counts(conn: &mut TestConnection) -> [i64; 5] {
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
    let mut conn = fresh(SCHEMA);
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
    let mut conn = fresh(SCHEMA);
    let (owner, _) = estate(&mut conn);
    let (_, seen) = statements(&mut conn, |conn| owner.delete(conn));
    let keys: Vec<_> = seen.iter().filter(|sql| sql.contains("`keys`")).collect();
    assert_eq!(keys, ["DELETE FROM `keys` WHERE `keys`.`owner_id` = ?"]);
    LOG.take();
}

#[test]
fn a_protected_row_stops_the_delete_before_anything_is_sent_or_written() {
    let mut conn = fresh(SCHEMA);
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
    let mut conn = fresh(SCHEMA);
    conn.transaction(|conn| -> diesel_hooks::Result {
        let (owner, house) = estate(conn);
        Deed::create(conn, NewDeed { house_id: house.id })?;
        assert!(matches!(owner.delete(conn), Err(Error::Protected(_))));
        Ok(())
    })
    .expect("committed");
    assert_eq!(counts(&mut conn), [1, 1, 1, 1, 2]);
}

/// Wagons in a row, and seals that keep them.
mod trains {
    use super::*;

    diesel::table! { wagons (id) { id -> Integer, ahead_id -> Nullable<Integer> } }
    diesel::table! { seals (id) { id -> Integer, wagon_id -> Integer } }

    /// Without the unique constraint on seals that a one-to-one relation should have.
    pub(crate) const SCHEMA: &str = "
        CREATE TABLE wagons (id {key}, ahead_id INTEGER UNIQUE REFERENCES wagons (id));
        CREATE TABLE seals (id {key}, wagon_id INTEGER NOT NULL REFERENCES wagons (id));
    ";

    /// Depends on the one ahead of it.
    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Wagon {
        pub(crate) id: i32,
        #[hooks(one_to_one(Wagon, on_delete = Cascade, related_name = behind))]
        pub(crate) ahead_id: Option<i32>,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Seal {
        pub(crate) id: i32,
        #[hooks(one_to_one(Wagon, on_delete = Protect))]
        pub(crate) wagon_id: i32,
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

use trains::{NewSeal, NewWagon, Seal, Wagon};

/// A train of so many wagons, of which this is the first.
fn train(conn: &mut TestConnection, wagons: i32) -> Wagon {
    let ahead = (0..wagons).map(|ahead| (ahead > 0).then_some(ahead));
    for ahead_id in ahead {
        Wagon::create(conn, NewWagon { ahead_id }).expect("a wagon");
    }
    Wagon::get(conn, 1).expect("a wagon")
}

#[test]
fn a_chain_of_rows_of_one_model_goes_from_its_end() {
    let mut conn = fresh(trains::SCHEMA);
    let first = train(&mut conn, 4);
    assert_eq!(first.behind(&mut conn).expect("a wagon").id, 2);
    assert_eq!(first.delete(&mut conn).expect("deleted").total, 4);
    assert_eq!(
        LOG.take(),
        [
            "pre 4", "pre 3", "pre 2", "pre 1", "post 4", "post 3", "post 2", "post 1"
        ]
    );
}

#[test]
fn an_error_lists_at_most_a_hundred_blockers_and_says_how_many_more() {
    let mut conn = fresh(trains::SCHEMA);
    let wagon = train(&mut conn, 1);
    let seals = (0..130).map(|_| NewSeal { wagon_id: 1 }).collect();
    Seal::create_many(&mut conn, seals).expect("seals");
    let error = wagon.delete(&mut conn).expect_err("sealed");
    assert!(
        error
            .to_string()
            .ends_with("100 and 30 more (through Seal.wagon_id)"),
        "{error}"
    );
}

#[test]
fn blockers_are_told_with_the_relations_that_lead_to_them() {
    let mut conn = fresh(trains::SCHEMA);
    let wagon = train(&mut conn, 3);
    insert(&mut conn, "INSERT INTO seals VALUES (4, 1), (5, 3);");
    let error = wagon.delete(&mut conn).expect_err("sealed");
    assert_eq!(
        error.to_string(),
        "Wagon 1 is protected by Seal 4 (through Seal.wagon_id); Seal 5 (through Wagon.ahead_id, Seal.wagon_id)"
    );
    assert!(LOG.take().is_empty());
}

mod strict {
    use super::*;

    diesel::table! { kings (id) { id -> Integer, name -> Text } }
    diesel::table! { heirs (id) { id -> Integer, king_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct King {
        pub(crate) id: i32,
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
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

    let mut conn = fresh(
        "CREATE TABLE kings (id {key}, name TEXT NOT NULL);
         CREATE TABLE heirs (id {key}, king_id INTEGER NOT NULL UNIQUE REFERENCES kings (id));",
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
