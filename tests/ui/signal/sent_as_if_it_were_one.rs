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

use diesel::r2d2::{ConnectionManager, PooledConnection};

struct Plain;

#[derive(Signal)]
struct Changed;

#[receiver]
fn hear(event: &Plain) {}

#[receiver]
fn change(event: &mut Changed) {}

#[receiver]
fn batch(events: &[Changed]) {}

#[receiver]
fn on_a_pooled_connection(event: &Changed, conn: &mut PooledConnection<ConnectionManager<SqliteConnection>>) {}

fn send(conn: &mut SqliteConnection) {
    Plain.send(conn).unwrap();
}

fn main() {}
