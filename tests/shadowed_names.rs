//! What the macros write means the same in a module whose names mean something else, and holds no unsafe
//! code.
#![allow(missing_docs)]
#![forbid(unsafe_code)]
#![deny(warnings)]

mod common;

mod shadowed {
    #![allow(
        dead_code,
        non_camel_case_types,
        reason = "the names are there to be in the way"
    )]

    use diesel::prelude::{Insertable, Queryable, SqliteConnection};
    use diesel_hooks::prelude::{Hooks, PostSave, PreCreate, receiver};

    pub(crate) struct Option;
    pub(crate) struct Result;
    pub(crate) struct String;
    pub(crate) struct Vec;
    pub(crate) struct Box;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Default;
    pub(crate) struct Clone;
    pub(crate) struct Debug;
    pub(crate) struct Into;
    pub(crate) struct Model;

    diesel::table! { seeds (id) { id -> Integer, weight -> Integer, note -> Nullable<Integer> } }
    diesel::table! { plants (id) { id -> Integer, seed_id -> Integer } }

    #[derive(::std::clone::Clone, ::std::fmt::Debug, Queryable, Hooks)]
    pub(crate) struct Seed {
        pub(crate) id: i32,
        pub(crate) weight: i32,
        pub(crate) note: ::std::option::Option<i32>,
    }

    #[derive(::std::clone::Clone, ::std::fmt::Debug, Queryable, Insertable, Hooks)]
    #[hooks(new = NewPlantByHand)]
    pub(crate) struct Plant {
        pub(crate) id: i32,
        #[hooks(one_to_one(Seed, on_delete = Cascade, related_name = plant, auto_create))]
        pub(crate) seed_id: i32,
    }

    #[derive(::std::default::Default, Insertable)]
    #[diesel(table_name = plants)]
    pub(crate) struct NewPlantByHand {
        pub(crate) seed_id: i32,
    }

    #[receiver(order = -1, dispatch_uid = "heavier")]
    fn heavier(event: &mut PreCreate<Seed>) {
        event.new.weight += 1;
    }

    #[receiver]
    fn fine(
        _: &PostSave<Seed>,
        _: &mut SqliteConnection,
    ) -> ::std::result::Result<(), &'static ::std::primitive::str> {
        ::std::result::Result::Ok(())
    }
}

#[test]
fn the_macros_name_everything_in_full() {
    use diesel_hooks::prelude::Model as _;
    use shadowed::{NewSeed, Seed};

    let mut conn = common::memory(
        "CREATE TABLE seeds (id INTEGER PRIMARY KEY, weight INTEGER NOT NULL, note INTEGER);
         CREATE TABLE plants (id INTEGER PRIMARY KEY, seed_id INTEGER NOT NULL UNIQUE REFERENCES seeds);",
    );
    let mut seed = Seed::create(
        &mut conn,
        NewSeed {
            weight: 1,
            note: Some(2),
        },
    )
    .expect("a seed");
    assert_eq!(seed.weight, 2);
    seed.update(&mut conn, |seed| seed.note = None)
        .expect("updated");
    assert_eq!(
        seed.plant(&mut conn)
            .expect("a plant")
            .seed(&mut conn)
            .expect("a seed")
            .note,
        None
    );
    assert_eq!(seed.delete(&mut conn).expect("deleted").total, 2);
}
