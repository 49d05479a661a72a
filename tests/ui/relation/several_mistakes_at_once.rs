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

#[derive(Clone, Queryable, Hooks)]
#[hooks(news = NewProfile)]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, related_name = profile))]
    user_id: i32,
    #[hooks(genrated)]
    bio: Option<String>,
}

fn used(conn: &mut SqliteConnection, user: &User, new: NewProfile) -> diesel_hooks::Result<Profile> {
    Profile::create(conn, new)?;
    user.profile(conn)
}

fn main() {}
