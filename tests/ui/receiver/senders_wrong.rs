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

struct Person;

trait Named {}

#[receiver(senders(User))]
fn not_generic(event: &PostSave<User>) {}

#[receiver(senders(User, Person))]
fn no_model<M>(event: &PostSave<M>, conn: &mut SqliteConnection)
where
    M: Model,
{
}

#[receiver(senders(User))]
fn bound<M: Model + Named>(event: &PostSave<M>) {}

#[receiver(senders(User, User))]
fn twice<M: Model>(event: &PostSave<M>) {}

#[receiver(senders)]
fn none<M: Model>(event: &PostSave<M>) {}

#[receiver(senders("User"))]
fn string<M: Model>(event: &PostSave<M>) {}

#[receiver]
fn not_named<M: Model>(event: &PostSave<M>, conn: &mut SqliteConnection) {}

#[receiver(senders(User))]
fn not_in_the_signal<M: Model>(event: &PostSave<User>) {}

#[receiver(senders(User))]
fn two<M: Model, N: Model>(event: &(PostSave<M>, PostSave<N>)) {}

#[receiver(senders(User))]
fn constant<M: Model, const N: usize>(event: &PostSave<M>) {}

#[receiver(sender(User))]
fn misspelt<M: Model>(event: &PostSave<M>) {}

fn main() {}
