//! Models that refer only to those before them, some heard and some not, so that whole subtrees go without
//! being loaded.

use backends::TestConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use super::chosen::{default_elm, default_kelp, default_text, some_number};
use super::heard::{EVERYTHING, SILENT};
use super::kind::{Cell, Cells, Kind};
use crate::model;

model! {
    Oak made as NewOak of oaks { id } {
        tag: Option<String> = [Nullable<Text>],
    }
}

model! {
    Elm of elms { id: i32 = [Integer] } {
        #[hooks(foreign_key(Oak, on_delete = Cascade))]
        cascade_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Oak, on_delete = Cascade))]
        cascade2_id: i32 = [Integer],
        #[hooks(foreign_key(Oak, on_delete = Restrict))]
        restrict_id: Option<i32> = [Nullable<Integer>],
        #[hooks(one_to_one(Oak, on_delete = SetNull))]
        null_id: Option<i32> = [Nullable<Integer>],
    }
}

model! {
    Fir of firs { name: String = [Text] } {
        #[hooks(foreign_key(Elm, on_delete = Cascade))]
        cascade_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Oak, on_delete = Cascade, to = oaks::tag, accessor = tagged))]
        oak_tag: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Elm, on_delete = SetDefault, default = default_elm))]
        default_id: i32 = [Integer],
        #[hooks(foreign_key(Elm, on_delete = Protect))]
        protect_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Oak, on_delete = Database))]
        database_id: Option<i32> = [Nullable<Integer>],
    }
}

model! {
    Gum of gums {
        #[hooks(foreign_key(Fir, on_delete = Cascade, accessor = fir))]
        x: String = [Text],
        y: i32 = [Integer]
    } {
        #[hooks(foreign_key(Fir, on_delete = SetNull))]
        null_id: Option<String> = [Nullable<Text>],
        #[hooks(foreign_key(Oak, on_delete = Set(some_number)))]
        set_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Elm, on_delete = Restrict))]
        restrict_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Elm, on_delete = DoNothing))]
        nothing_id: Option<i32> = [Nullable<Integer>],
    }
}

// Nothing depends on it, and one relation leads to it.
model! {
    Hop of hops {
        #[hooks(one_to_one(Fir, on_delete = Cascade, accessor = fir))]
        name: String = [Text]
    } {
        tag: Option<i32> = [Nullable<Integer>],
    }
}

model! {
    #[hooks(foreign_key(Gum, columns(cascade_x, cascade_y), on_delete = Cascade, accessor = gum))]
    Ivy of ivies { id: i32 = [Integer] } {
        cascade_x: Option<String> = [Nullable<Text>],
        cascade_y: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Oak, on_delete = Cascade))]
        cascade_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Fir, on_delete = SetDefault, default = default_text))]
        default_id: Option<String> = [Nullable<Text>],
    }
}

model! {
    #[hooks(foreign_key(Gum, columns(cascade_x, cascade_y), on_delete = Cascade, accessor = gum))]
    Kelp of kelps { id: i32 = [Integer] } {
        #[hooks(foreign_key(Ivy, on_delete = Cascade))]
        cascade_id: i32 = [Integer],
        cascade_x: Option<String> = [Nullable<Text>],
        cascade_y: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Ivy, on_delete = Protect))]
        protect_id: Option<i32> = [Nullable<Integer>],
        #[hooks(foreign_key(Oak, on_delete = Restrict))]
        restrict_id: Option<i32> = [Nullable<Integer>],
    }
}

diesel::table! {
    mosses (id) {
        id -> Integer,
        default_id -> Nullable<Integer>,
        null_id -> Nullable<Integer>,
        set_id -> Nullable<Integer>,
        protect_id -> Nullable<Integer>,
        restrict_x -> Nullable<Text>,
        restrict_y -> Nullable<Integer>,
        nothing_id -> Nullable<Integer>,
        cascade_id -> Nullable<Integer>,
    }
}

model! {
    #[hooks(foreign_key(Gum, columns(restrict_x, restrict_y), on_delete = Restrict, accessor = gum))]
    Moss over mosses { id: i32 } {
        #[hooks(foreign_key(Kelp, on_delete = SetDefault, default = default_kelp))]
        default_id: Option<i32>,
        #[hooks(foreign_key(Kelp, on_delete = SetNull))]
        null_id: Option<i32>,
        #[hooks(foreign_key(Ivy, on_delete = Set(some_number)))]
        set_id: Option<i32>,
        #[hooks(foreign_key(Kelp, on_delete = Protect))]
        protect_id: Option<i32>,
        restrict_x: Option<String>,
        restrict_y: Option<i32>,
        #[hooks(foreign_key(Ivy, on_delete = DoNothing))]
        nothing_id: Option<i32>
    }
}

model! {
    Lichen over mosses { id: i32 } {
        #[hooks(foreign_key(Oak, on_delete = Cascade))]
        cascade_id: Option<i32>
    }
}

pub(crate) fn kinds() -> Vec<Kind> {
    vec![
        Kind::of::<Oak>(EVERYTHING),
        Kind::of::<Elm>(SILENT),
        Kind::of::<Fir>(EVERYTHING),
        Kind::of::<Gum>(SILENT),
        Kind::of::<Hop>(EVERYTHING),
        Kind::of::<Ivy>(SILENT),
        Kind::of::<Kelp>(SILENT),
        Kind::of::<Moss>(SILENT),
        Kind::of::<Lichen>(EVERYTHING),
    ]
}
