#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

diesel::table! {
    profiles (id) { id -> Integer, user_id -> Integer, bio -> Nullable<Text> }
}

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    email: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
struct B {
    id: i32,
    #[hooks(foreign_key(User, on_delete = Cascade, to = users::name))]
    user_id: i32,
    bio: Option<String>,
}

fn main() {}
