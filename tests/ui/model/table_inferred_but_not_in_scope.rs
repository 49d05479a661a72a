#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[derive(Clone, Queryable, Hooks)]
struct Employee {
    id: i32,
    email: String,
}

fn main() {}
