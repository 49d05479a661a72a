use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { books (isbn) { isbn -> Text, title -> Text } }

#[derive(Clone, Queryable, Hooks)]
#[diesel(primary_key(isbn))]
#[hooks(new = Donation)]
struct Book {
    #[hooks(assigned)]
    isbn: String,
    title: String,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = books)]
struct Donation {
    #[diesel(column_name = isbn)]
    number: String,
    title: String,
}

fn main() {}
