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

#[receiver(before = first)]
fn a_path(event: &PostSave<User>) {}

#[receiver(before = 7)]
fn a_number(event: &PostSave<User>) {}

#[receiver(before("first", second))]
fn a_path_in_a_list(event: &PostSave<User>) {}

#[receiver(after)]
fn nothing(event: &PostSave<User>) {}

#[receiver(after())]
fn an_empty_list(event: &PostSave<User>) {}

#[receiver(after = "")]
fn an_empty_uid(event: &PostSave<User>) {}

#[receiver(aftr = "first")]
fn misspelt(event: &PostSave<User>) {}

fn main() {}
