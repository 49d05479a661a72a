#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

use diesel::r2d2::{ConnectionManager, PooledConnection};

/// Has hooks on no connection that this program turned on.
#[derive(Clone, Queryable, Hooks)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct User {
    id: i32,
    email: String,
}

fn create(conn: &mut SqliteConnection, new: NewUser) {
    let _ = User::create(conn, new);
}

fn delete(conn: &mut PooledConnection<ConnectionManager<SqliteConnection>>, user: User) {
    let _ = user.delete(conn);
}

fn main() {}
