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
fn batch(events: &[PostSave<dyn AnyModel>]) {}

#[receiver]
fn change(event: &mut PostSave<dyn AnyModel>) {}

#[receiver(changed(users::email))]
fn changed(event: &PostSave<dyn AnyModel>) {}

#[receiver(after_commit(merged))]
fn merged(event: &PostSave<dyn AnyModel>) {}

#[derive(Signal)]
struct Told<T: ?Sized + 'static>(Box<T>);

#[receiver]
fn of_my_own(event: &Told<dyn AnyModel>) {}

fn main() {}
