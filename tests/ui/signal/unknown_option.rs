#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    email: String,
}

#[derive(Signal)]
#[signal(krate = diesel_hooks)]
struct Unknown;

#[derive(Signal)]
#[signal(crate = "diesel_hooks")]
struct Text;

#[derive(Signal)]
#[signal]
struct Nothing;

fn main() {}
