#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(new, connection, crate = 1)]
struct User {
    #[hooks(assigned = true)]
    id: i32,
    #[hooks("generated")]
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = users)]
#[hooks(new = "NewUser", new = User, new = Self)]
#[hooks]
struct Person {
    #[hooks(assigned, generated)]
    id: i32,
    #[hooks(assigned)]
    email: String,
}

fn main() {}
