#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

trait Activity {
    fn line(&self) -> String;
}

trait Cloned: Clone {}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(extends(Activity))]
struct NotImplemented {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(extends(Cloned))]
struct NotDyn {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(extends)]
struct Nothing {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(extends = Activity)]
struct AnotherForm {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(extend(Activity))]
struct Misspelt {
    id: i32,
    email: String,
}

impl Cloned for NotDyn {}

fn main() {}
