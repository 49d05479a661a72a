//! Models that refer to each other in circles, by keys and references of every shape.

use backends::TestConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use super::chosen::{default_fox, default_text, number, some_number, some_text};
use super::heard::{DELETES, EVERYTHING, SILENT};
use super::kind::{Cell, Cells, Kind};
use crate::model;

model! {
    #[hooks(foreign_key(Dog, columns(null_x, null_y), on_delete = SetNull, accessor = null_dog))]
    Ant made as NewAnt of ants { id } {
        tag: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Ant, on_delete = Cascade))]
        cascade_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Bee, on_delete = Restrict))]
        restrict_id: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Cat, on_delete = Protect))]
        protect_id: Option<i32> = [Nullable<Integer>],
        null_x: Option<i32> = [Nullable<Integer>],
        null_y: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Fox, on_delete = SetDefault, default = default_fox))]
        default_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Bee, on_delete = Set(some_text)))]
        set_id: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Ant, on_delete = DoNothing))]
        nothing_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Bee, on_delete = Database))]
        database_id: Option<String> = [Nullable<Text>],
    }
}

model! {
    #[hooks(foreign_key(Dog, columns(restrict_x, restrict_y), on_delete = Restrict, accessor = restrict_dog))]
    Bee of bees { name: String = [Text] } {
        #[hooks(foreign_key(Ant, on_delete = Cascade))]
        cascade_id: i32 = [Integer],
        #[hooks(foreign_key(Bee, on_delete = Cascade))]
        cascade2_id: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Ant, on_delete = Cascade, to = ants::tag, accessor = tagged))]
        ant_tag: Option<String> = [Nullable<Text>],
        restrict_x: Option<i32> = [Nullable<Integer>],
        restrict_y: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Bee, on_delete = SetDefault, default = default_text))]
        default_id: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Ant, on_delete = Set(number)))]
        set_id: i32 = [Integer],
        #[hooks(foreign_key(Fox, on_delete = SetNull))]
        null_id: Option<i32> = [Nullable<Integer>],
    }
}

model! {
    #[hooks(foreign_key(Dog, columns(cascade_x, cascade_y), on_delete = Cascade, accessor = cascade_dog))]
    Cat of cats {
        #[hooks(one_to_one(Ant, on_delete = Cascade, accessor = itself))]
        id: i32 = [Integer]
    } {
        #[hooks(foreign_key(Bee, on_delete = Cascade))]
        cascade_id: String = [Text],
        cascade_x: i32 = [Integer],
        cascade_y: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Ant, on_delete = Protect, to = ants::tag, accessor = tagged))]
        ant_tag: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Cat, on_delete = SetNull))]
        null_id: Option<i32> = [Nullable<Integer>],
        #[hooks(one_to_one(Fox, on_delete = SetNull))]
        null2_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Ant, on_delete = Database))]
        database_id: Option<i32> = [Nullable<Integer>],
    }
}

model! {
    #[hooks(foreign_key(Dog, columns(up_x, up_y), on_delete = Cascade, accessor = up))]
    Dog of dogs {
        #[hooks(foreign_key(Ant, on_delete = Cascade, accessor = owner))]
        x: i32 = [Integer],
        y: String = [Text]
    } {
        up_x: Option<i32> = [Nullable<Integer>],
        up_y: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Bee, on_delete = SetDefault, default = default_text))]
        default_id: String = [Text],
        #[hooks(foreign_key(Ant, on_delete = Restrict))]
        restrict_id: i32 = [Integer],
    }
}

diesel::table! {
    foxes (id) {
        id -> Integer,
        cascade_id -> Nullable<Integer>,
        set_id -> Nullable<Integer>,
        cascade2_id -> Nullable<Text>,
        den_x -> Nullable<Integer>,
        den_y -> Nullable<Text>,
        database_id -> Nullable<Integer>,
    }
}

model! {
    Fox over foxes { id: i32 } {
        #[hooks(foreign_key(Ant, on_delete = Cascade))]
        cascade_id: Option<i32>,
        #[hooks(foreign_key(Ant, on_delete = Set(some_number)))]
        set_id: Option<i32>
    }
}

// Its two references to a den share a column, as in a database of several tenants.
model! {
    #[hooks(foreign_key(Dog, columns(den_x, den_y), on_delete = Cascade, accessor = den))]
    Vixen over foxes { id: i32 } {
        #[hooks(foreign_key(Bee, on_delete = Cascade))]
        cascade2_id: Option<String>,
        #[hooks(foreign_key(Ant, on_delete = SetNull, accessor = den_owner))]
        den_x: Option<i32>,
        den_y: Option<String>,
        #[hooks(foreign_key(Fox, on_delete = Database))]
        database_id: Option<i32>
    }
}

pub(crate) fn kinds() -> Vec<Kind> {
    vec![
        Kind::of::<Ant>(EVERYTHING),
        Kind::of::<Bee>(EVERYTHING),
        Kind::of::<Cat>(SILENT),
        Kind::of::<Dog>(DELETES),
        Kind::of::<Fox>(SILENT),
        Kind::of::<Vixen>(EVERYTHING),
    ]
}
