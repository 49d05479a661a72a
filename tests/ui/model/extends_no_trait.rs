#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    users (id) { id -> Integer, email -> Text }
}

struct NoTrait;

#[derive(Clone, Queryable, Hooks)]
#[hooks(extends(NoTrait, Missing))]
struct User {
    id: i32,
    email: String,
}

fn main() {}
