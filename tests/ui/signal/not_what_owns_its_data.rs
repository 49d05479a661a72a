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
struct Borrows<'a> {
    name: &'a str,
}

#[derive(Signal)]
union Either {
    one: i32,
    other: u32,
}

#[derive(Signal)]
fn nothing() {}

fn main() {}
