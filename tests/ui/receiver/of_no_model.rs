#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

struct User;

#[receiver]
fn hear(event: &PostSave<User>) {}

#[receiver]
fn hear_with_connection(event: &PostSave<User>, conn: &mut SqliteConnection) {}

fn main() {}
