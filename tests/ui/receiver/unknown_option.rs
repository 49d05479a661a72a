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

#[receiver(ordr = 1)]
fn unknown(event: &PostSave<User>) {}

#[receiver(order = 1, order = 2)]
fn repeated(event: &PostSave<User>) {}

#[receiver(order = "first", dispatch_uid = 7)]
fn values(event: &PostSave<User>) {}

#[receiver(dispatch_uid = "")]
fn empty(event: &PostSave<User>) {}

#[receiver(order = 99999999999)]
fn large(event: &PostSave<User>) {}

fn main() {}
