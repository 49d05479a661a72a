#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable)]
struct User {
    id: i32,
    email: String,
}

fn delete(conn: &mut SqliteConnection, user: User) {
    let _ = Model::delete(&user, conn);
}

fn main() {}
