//! A crate that knows Diesel and nothing of hooks.
#![forbid(unsafe_code)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// The table, as Diesel's command line prints it.
#[allow(missing_docs, reason = "`table!` takes no docs for what it makes")]
pub mod schema {
    diesel::table! {
        books (id) {
            id -> Integer,
            title -> Text,
            copies -> Integer,
        }
    }
}

pub use schema::books;

/// What can be borrowed.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = books)]
pub struct Book {
    /// Made by the database.
    pub id: i32,
    /// As it stands on the cover.
    pub title: String,
    /// How many there are.
    pub copies: i32,
}

/// Creates the table in an empty database.
pub fn create_tables(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(
        "CREATE TABLE books (id INTEGER NOT NULL PRIMARY KEY, title TEXT NOT NULL, copies INTEGER NOT NULL);",
    )
}

/// Adds copies of a book.
pub fn restock(conn: &mut SqliteConnection, id: i32, copies: i32) -> QueryResult<Book> {
    diesel::update(books::table.find(id))
        .set(books::copies.eq(books::copies + copies))
        .returning(Book::as_returning())
        .get_result(conn)
}
