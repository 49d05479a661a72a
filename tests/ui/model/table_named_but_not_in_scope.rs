#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = crate::people)]
struct User {
    id: i32,
    email: String,
}

fn main() {}
