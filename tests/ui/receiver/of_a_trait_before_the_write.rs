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

#[receiver]
fn hear(event: &PreSave<dyn AnyModel>) {}

#[receiver]
fn change(event: &mut PreUpdate<dyn AnyModel>) {}

fn main() {}
