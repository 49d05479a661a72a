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

#[receiver(changed(users::mail))]
fn no_column(event: &PostSave<User>) {}

#[receiver(changed(articles::title))]
fn no_table(event: &PostSave<User>) {}

fn main() {}
