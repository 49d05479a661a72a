//! An update names columns of its own table.

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { cities (id) { id -> Integer, name -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = cities)]
struct City {
    id: i32,
    name: String,
}

#[receiver]
fn renamed(event: &PostSave<User>) -> Result<(), String> {
    match event.changed(cities::name) {
        true => Err("no".into()),
        false => Ok(()),
    }
}

fn main() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let mut user = User::get(&mut conn, 1).unwrap();
    user.update_set(&mut conn, cities::name.eq("Turin")).unwrap();
}
