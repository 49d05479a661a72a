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

#[receiver]
async fn later(event: &PostSave<User>) {}

#[receiver]
fn any<M: Model>(event: &PostSave<M>) {}

#[receiver]
fn anything(event: &impl diesel_hooks::signal::Signal) {}

#[receiver]
fn anywhere(event: &PostSave<User>, conn: &mut impl HookConnection) {}

fn main() {}
