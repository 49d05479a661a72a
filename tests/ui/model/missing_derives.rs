#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

/// The key of a user.
#[derive(Clone)]
struct UserId(i32);

#[derive(Queryable, Hooks)]
struct User {
    id: UserId,
    email: String,
}

fn main() {}
