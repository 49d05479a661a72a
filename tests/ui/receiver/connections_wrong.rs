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
use diesel_hooks::RawConnection;

#[receiver(connections(SqliteConnection))]
fn not_generic(event: &PostSave<User>, conn: &mut SqliteConnection) {}

#[receiver(connections(SqliteConnection))]
fn without_connection(event: &PostSave<User>) {}

#[receiver]
fn not_named<C: RawConnection>(event: &PostSave<User>, conn: &mut C) {}

#[receiver(connections(SqliteConnection, PooledConnection<ConnectionManager<SqliteConnection>>))]
fn without_hooks<C: Connection>(event: &PostSave<User>, conn: &mut C) {}

#[receiver(connections(SqliteConnection), senders(User))]
fn model_only<M: Model>(event: &PostSave<M>, conn: &mut SqliteConnection) {}

#[receiver(connections(SqliteConnection), senders(User))]
fn connection_only<C: RawConnection>(event: &PostSave<User>, conn: &mut C) {}

#[receiver(connections(SqliteConnection))]
fn inside<C: RawConnection>(event: &PostSave<User>, conn: &mut Option<C>) {}

#[receiver(connections())]
fn none<C: RawConnection>(event: &PostSave<User>, conn: &mut C) {}

#[receiver(connection(SqliteConnection))]
fn misspelt<C: RawConnection>(event: &PostSave<User>, conn: &mut C) {}

fn main() {}
