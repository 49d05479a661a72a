use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[receiver]
const NOT_CALLABLE: i32 = 1;

#[receiver]
fn of_nothing() {}

fn main() {}
