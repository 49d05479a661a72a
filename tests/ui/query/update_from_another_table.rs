use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { books (id) { id -> Integer, title -> Text } }
diesel::table! { pens (id) { id -> Integer, title -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct Book {
    id: i32,
    title: String,
}

fn main() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let books = pens::table.update_hooked::<Book>(&mut conn, |it| it.title.clear());
}
