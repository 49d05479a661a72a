use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { books (id) { id -> Integer, title -> Text } }
diesel::table! { pens (id) { id -> Integer, title -> Text } }

#[derive(Clone, Queryable, Hooks)]
struct Book {
    id: i32,
    title: String,
}

fn emma() -> NewBook {
    NewBook { title: "Emma".into() }
}

fn main() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let book = Book::get_or_create(&mut conn, pens::title.eq("Emma"), emma());
    let book = Book::get_or_create(&mut conn, books::title, emma());
    let book = Book::get_or_create(&mut conn, diesel::dsl::max(books::id).gt(1), emma());
    let book = Book::update_or_create(&mut conn, "Emma", emma(), |it| it.title.clear());
}
