#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
struct User {
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users, primary_key(id, tenant))]
struct Tenant {
    id: i32,
    email: String,
}

fn main() {}
