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

#[receiver(after_commit(merged))]
fn deleted(event: &PreDelete<User>) {}

#[receiver(after_commit)]
fn about_to_be_created(event: &PreCreate<User>) {}

#[derive(Signal)]
struct Finished {
    by: i32,
}

#[receiver(after_commit)]
fn not_clone(event: &Finished) {}

#[receiver(after_rollback)]
fn no_signal(event: &User) {}

#[receiver(after_commit(merged))]
fn not_of_a_row(event: &Finished) {}

fn main() {}
