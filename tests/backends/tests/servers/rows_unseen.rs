//! A child that a transaction cannot see is told by its relation, whatever its table is called in SQL.

use backends::{Database, TestConnection};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::sessions::{connect, on_mysql, on_postgres};

const TABLES: &str = "
    CREATE TABLE shelves (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE {q}shelf.books{q} (
        id {key}, shelf_id INTEGER NOT NULL, FOREIGN KEY (shelf_id) REFERENCES shelves (id)
    );
";

diesel::table! { shelves (id) { id -> Integer, name -> Text } }
diesel::table! {
    #[sql_name = "shelf.books"]
    books (id) { id -> Integer, shelf_id -> Integer }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = shelves)]
struct Shelf {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Book {
    id: i32,
    #[hooks(foreign_key(Shelf, on_delete = Cascade))]
    shelf_id: i32,
}

#[receiver]
fn a_book_goes(_event: &PreDelete<Book>) {}

#[test]
fn a_delete_that_a_child_is_in_the_way_of_may_be_done_again() {
    let database = Database::new(TABLES);
    let mut conn = connect(&database, "REPEATABLE READ");
    let name = "top".into();
    let shelf = Shelf::create(&mut conn, NewShelf { name }).expect("created");
    let mut other = connect(&database, "REPEATABLE READ");
    let deleted = conn.transaction(|conn| {
        // What it sees from now on does not change.
        Shelf::get(conn, shelf.id)?;
        let shelf_id = shelf.id;
        Book::create(&mut other, NewBook { shelf_id })?;
        shelf.delete(conn)
    });
    match deleted {
        // There a delete sees what was committed.
        Ok(deleted) => assert!(on_mysql() && deleted.total == 2),
        Err(Error::ChildAppeared { model, relation }) => {
            assert_eq!((model, &*relation), ("Book", "Book.shelf_id"));
        }
        Err(error) => assert!(!on_postgres() && error.is_retryable(), "{error:?}"),
    }
    shelf.delete(&mut conn).expect("at last");
}
