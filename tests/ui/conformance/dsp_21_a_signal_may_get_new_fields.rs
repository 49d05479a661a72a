use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[receiver]
fn every_field(event: &PostCreate<User>) {
    let PostCreate { instance, raw } = event;
    let _ = (instance, raw);
}

#[receiver]
fn the_fields_of_today(event: &PostCreate<User>) {
    let PostCreate { instance, .. } = event;
    let _ = instance;
}

fn main() {}
