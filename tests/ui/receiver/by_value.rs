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
fn by_value(event: PostSave<User>) {}

#[receiver]
fn connection_by_value(event: &PostSave<User>, conn: SqliteConnection) {}

#[receiver]
fn shared_connection(event: &PostSave<User>, conn: &SqliteConnection) {}

fn main() {}
