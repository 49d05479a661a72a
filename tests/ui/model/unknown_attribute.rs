#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(nwe = NewUser)]
struct User {
    #[hooks(generate)]
    id: i32,
    #[hooks(autonow)]
    email: String,
}

fn main() {}
