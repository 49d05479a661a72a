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

diesel::table! {
    seats (hall, number) { hall -> Integer, number -> Integer }
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(primary_key(hall, number))]
struct Seat {
    hall: i32,
    number: i32,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(Seat, columns(id, user_id, bio), on_delete = Cascade, accessor = seat))]
struct A {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
#[hooks(foreign_key(Seat, columns(id, bio), on_delete = Cascade, accessor = seat))]
struct B {
    id: i32,
    user_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profiles)]
struct C {
    id: i32,
    #[hooks(foreign_key(Seat, on_delete = Cascade))]
    user_id: i32,
    bio: Option<String>,
}

fn main() {}
