use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { books (id) { id -> Integer, title -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct Book {
    id: i32,
    title: String,
}

fn main() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let deleted = books::table.delete_hooked(&mut conn);
}
