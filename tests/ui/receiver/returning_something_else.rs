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
fn count(event: &PostSave<User>) -> usize {
    1
}

#[receiver]
fn fails(event: &PostSave<User>) -> Result<(), User> {
    Ok(())
}

fn main() {}
