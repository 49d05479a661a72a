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

use diesel::r2d2::{ConnectionManager, PooledConnection};

#[receiver]
fn hear(event: &PostSave<User>, conn: &mut PooledConnection<ConnectionManager<SqliteConnection>>) {}

fn main() {}
