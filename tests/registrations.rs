//! Registrations that contradict each other are an error of the first operation, which names both.
#![allow(missing_docs)]

mod common;

use common::memory;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::error::RegistryError;
use diesel_hooks::prelude::*;

mod twice {
    use super::*;

    diesel::table! { bells (id) { id -> Integer, tone -> Text } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Bell {
        pub(crate) id: i32,
        pub(crate) tone: String,
    }

    #[receiver(dispatch_uid = "ring")]
    fn first(_: &PostCreate<Bell>) {}

    #[receiver(dispatch_uid = "ring")]
    fn second(_: &PostCreate<Bell>) {}

    // Of another signal it may be used again.
    #[receiver(dispatch_uid = "ring")]
    fn third(_: &PostDelete<Bell>) {}
}

#[test]
fn a_uid_used_twice_for_one_signal_names_both_places() {
    let mut conn = memory("CREATE TABLE bells (id INTEGER PRIMARY KEY, tone TEXT NOT NULL);");
    let error = twice::Bell::create(&mut conn, twice::NewBell { tone: "c".into() })
        .expect_err("used twice");
    let Error::Registry(RegistryError::DuplicateUid {
        uid: "ring",
        signal: "PostCreate",
        first,
        second,
        ..
    }) = &error
    else {
        panic!("{error:?}");
    };
    assert!(
        first.contains("tests/registrations.rs:")
            && second.contains("tests/registrations.rs:")
            && first != second
    );
    assert!(
        error.to_string().contains(first.as_str()) && error.to_string().contains(second.as_str())
    );
    assert_eq!(twice::bells::table.count().get_result(&mut conn), Ok(0));
}

mod endless {
    use super::*;

    diesel::table! { hens (id) { id -> Integer, egg_id -> Integer } }
    diesel::table! { eggs (id) { id -> Integer, hen_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Hen {
        pub(crate) id: i32,
        #[hooks(one_to_one(Egg, on_delete = Cascade, auto_create))]
        pub(crate) egg_id: i32,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Egg {
        pub(crate) id: i32,
        #[hooks(one_to_one(Hen, on_delete = Cascade, auto_create))]
        pub(crate) hen_id: i32,
    }
}

#[test]
fn rows_that_create_one_another_without_end_are_refused() {
    let mut conn = memory("");
    let error =
        endless::Hen::create(&mut conn, endless::NewHen { egg_id: 1 }).expect_err("never ends");
    assert_eq!(
        error.to_string(),
        "auto_create never ends: Egg -> Hen -> Egg; let one of these relations be created by a receiver instead"
    );
}

mod other_key {
    use super::*;

    diesel::table! { roads (id) { id -> Integer } }
    diesel::table! { signs (id) { id -> Integer, road_id -> Integer } }

    #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
    #[hooks(new = Self)]
    pub(crate) struct Road {
        pub(crate) id: i32,
    }

    #[derive(
        Debug,
        Clone,
        PartialEq,
        Eq,
        Hash,
        diesel::deserialize::FromSqlRow,
        diesel::expression::AsExpression,
    )]
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub(crate) struct RoadId(pub(crate) i32);

    impl diesel::deserialize::FromSql<diesel::sql_types::Integer, diesel::sqlite::Sqlite> for RoadId {
        fn from_sql(
            value: diesel::sqlite::SqliteValue<'_, '_, '_>,
        ) -> diesel::deserialize::Result<Self> {
            <i32 as diesel::deserialize::FromSql<
                diesel::sql_types::Integer,
                diesel::sqlite::Sqlite,
            >>::from_sql(value)
            .map(RoadId)
        }
    }

    impl diesel::serialize::ToSql<diesel::sql_types::Integer, diesel::sqlite::Sqlite> for RoadId {
        fn to_sql<'b>(
            &'b self,
            out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
        ) -> diesel::serialize::Result {
            diesel::serialize::ToSql::<diesel::sql_types::Integer, diesel::sqlite::Sqlite>::to_sql(
                &self.0, out,
            )
        }
    }

    /// Over the same table, with a key of another type than the one that signs refer to.
    #[derive(Debug, Clone, Queryable, Insertable, Hooks)]
    #[diesel(table_name = roads)]
    #[hooks(new = Self)]
    pub(crate) struct TypedRoad {
        pub(crate) id: RoadId,
    }

    #[derive(Debug, Clone, Queryable, Hooks)]
    pub(crate) struct Sign {
        pub(crate) id: i32,
        #[hooks(one_to_one(Road, on_delete = Protect))]
        pub(crate) road_id: i32,
    }
}

#[test]
fn a_struct_with_another_key_type_than_its_tables_relations_is_refused() {
    let mut conn = memory("CREATE TABLE roads (id INTEGER PRIMARY KEY);");
    other_key::Road::create(&mut conn, other_key::Road { id: 1 }).expect("this one fits");
    let road = other_key::TypedRoad {
        id: other_key::RoadId(1),
    };
    let error = road
        .delete(&mut conn)
        .expect_err("the relation cannot be honoured");
    assert!(matches!(
        &error,
        Error::Registry(RegistryError::KeyType { relation, parent: "TypedRoad", .. }) if relation == "Sign.road_id"
    ));
}

#[test]
fn the_registry_lists_models_relations_and_receivers() {
    let registry = diesel_hooks::registry();
    let mut models: Vec<_> = registry.models().map(|model| model.name).collect();
    models.sort_unstable();
    assert_eq!(models, ["Bell", "Egg", "Hen", "Road", "Sign", "TypedRoad"]);
    let mut relations: Vec<_> = registry
        .relations()
        .map(|it| (it.child.name, it.field, it.parent.name))
        .collect();
    relations.sort_unstable();
    assert_eq!(
        relations,
        [
            ("Egg", "hen_id", "Hen"),
            ("Hen", "egg_id", "Egg"),
            ("Sign", "road_id", "Road")
        ]
    );
    assert_eq!(registry.receivers().count(), 3);
    registry.assert_receivers(["ring"]).expect("linked");
}
