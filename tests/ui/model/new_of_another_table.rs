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
#[hooks(new = NewProfile)]
struct User {
    id: i32,
    email: String,
}

#[derive(Insertable)]
#[diesel(table_name = profiles)]
struct NewProfile {
    user_id: i32,
}

fn create(conn: &mut SqliteConnection, new: NewProfile) {
    let _ = User::create(conn, new);
}

fn main() {}
