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

#[receiver(after_commit)]
fn with_connection(event: &PostSave<User>, conn: &mut SqliteConnection) {}

#[receiver(after_rollback)]
fn with_connection_too(event: &PostSave<User>, conn: &mut SqliteConnection) {}

#[receiver(after_commit)]
fn change(event: &mut PreSave<User>) {}

#[receiver(after_commit(merged))]
fn batch(events: &[PostSave<User>]) {}

#[receiver(after_commit, after_rollback)]
fn either(event: &PostSave<User>) {}

#[receiver(after_commit(merge))]
fn unknown_word(event: &PostSave<User>) {}

#[receiver(after_commit = true)]
fn value(event: &PostSave<User>) {}

#[receiver(after_rollback(merged))]
fn undone(event: &PostSave<User>) {}

#[receiver(after_comit)]
fn misspelt(event: &PostSave<User>) {}

fn main() {}
