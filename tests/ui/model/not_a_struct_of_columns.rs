#![allow(dead_code, unused_variables)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[derive(Clone, Hooks)]
enum Status {
    Open,
}

#[derive(Clone, Hooks)]
struct Nothing;

#[derive(Clone, Queryable, Hooks)]
struct Borrowed<'a> {
    id: i32,
    email: &'a str,
}

#[derive(Clone, Queryable, Hooks)]
struct Generic<T> {
    id: i32,
    email: T,
}

fn main() {}
