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
struct A {
    id: i32,
    #[hooks(foreign_key(User, columns(user_id), on_delete = Cascade))]
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(User, on_delete = Cascade))]
struct B {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(User, columns(user_id, owner), on_delete = Cascade, accessor = user))]
struct C {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(User, columns(user_id, id), to = users::email, on_delete = Cascade, accessor = user))]
struct D {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(User, columns(), on_delete = Cascade, accessor = user))]
struct E {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(User, columns(user_id), on_delete = Cascade))]
struct F {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

fn main() {}
