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

diesel::table! {
    articles (id) { id -> Integer, title -> Text }
}

#[receiver(changed(users::email))]
fn a_batch(events: &[PostSave<User>]) {}

#[receiver(changed(users::id, articles::title))]
fn another_table(event: &PostSave<User>) {}

#[receiver(changed("email"))]
fn a_string(event: &PostSave<User>) {}

#[receiver(changed = users::email)]
fn another_form(event: &PostSave<User>) {}

#[receiver(changed)]
fn no_columns(event: &PostSave<User>) {}

#[receiver(changed(users::email))]
fn about_to_be_created(event: &PreCreate<User>) {}

#[receiver(changed(users::email))]
fn deleted(event: &PostDelete<User>) {}

#[receiver(change(users::email))]
fn misspelt(event: &PostSave<User>) {}

fn main() {}
