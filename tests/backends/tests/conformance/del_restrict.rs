//! Django's cases of deleting, as they hold here: what restricts a delete, and what lifts that.

use backends::script::counted;
use backends::{TestConnection, fresh, insert, model, rows};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Author of authors { name: String = [Text] });
model!(Book of books {
    #[hooks(foreign_key(Author, on_delete = Cascade))]
    author_id: i32 = [Integer],
});
model!(Edition of editions {
    #[hooks(foreign_key(Author, on_delete = Cascade))]
    author_id: i32 = [Integer],
    #[hooks(foreign_key(Author, on_delete = Restrict))]
    owner_id: i32 = [Integer],
});
model!(Review of reviews {
    #[hooks(foreign_key(Book, on_delete = Cascade))]
    book_id: i32 = [Integer],
    #[hooks(foreign_key(Author, on_delete = Restrict))]
    author_id: i32 = [Integer],
});
model!(Reply of replies {
    #[hooks(foreign_key(Review, on_delete = Restrict))]
    review_id: i32 = [Integer],
    #[hooks(foreign_key(Edition, on_delete = Cascade))]
    edition_id: i32 = [Integer],
});

const SCHEMA: &str = "
    CREATE TABLE authors (id {key}, name TEXT NOT NULL);
    CREATE TABLE books (id {key}, author_id INTEGER NOT NULL REFERENCES authors (id));
    CREATE TABLE editions (id {key},
        author_id INTEGER NOT NULL REFERENCES authors (id), owner_id INTEGER NOT NULL REFERENCES authors (id));
    CREATE TABLE reviews (id {key},
        book_id INTEGER NOT NULL REFERENCES books (id), author_id INTEGER NOT NULL REFERENCES authors (id));
    CREATE TABLE replies (id {key},
        review_id INTEGER NOT NULL REFERENCES reviews (id), edition_id INTEGER NOT NULL REFERENCES editions (id));
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

fn first_author(conn: &mut TestConnection) -> Author {
    Author::get(conn, 1).expect("an author")
}

const AUTHORS: &str = "INSERT INTO authors VALUES (1, 'first'), (2, 'second');";

#[test]
fn del_15_a_restricting_row_that_goes_too_does_not_restrict_directly() {
    let mut conn = database(AUTHORS);
    conn.batch_execute("INSERT INTO editions VALUES (1, 1, 1), (2, 2, 1)")
        .expect("editions");
    let error = first_author(&mut conn)
        .delete(&mut conn)
        .expect_err("restricted");
    assert_eq!(
        error.to_string(),
        "Author 1 is restricted by Edition 2 (through Edition.owner_id)"
    );
    assert_eq!(rows(&mut conn, "editions"), ["1 1 1", "2 2 1"]);
    diesel::delete(editions::table.find(2))
        .execute(&mut conn)
        .expect("deleted");
    let deleted = counted(first_author(&mut conn).delete(&mut conn).expect("lifted"));
    assert_eq!(deleted, (2, vec![("Author", 1), ("Edition", 1)]));
    assert_eq!(rows(&mut conn, "authors"), ["2 second"]);
}

#[test]
fn del_15_a_restricting_row_that_goes_too_does_not_restrict_indirectly() {
    let mut conn = database(AUTHORS);
    conn.batch_execute(
        "INSERT INTO books VALUES (1, 1), (2, 2); INSERT INTO reviews VALUES (1, 1, 1), (2, 2, 1)",
    )
    .expect("books and reviews");
    let error = first_author(&mut conn)
        .delete(&mut conn)
        .expect_err("restricted");
    assert_eq!(
        error.to_string(),
        "Author 1 is restricted by Review 2 (through Review.author_id)"
    );
    diesel::delete(reviews::table.find(2))
        .execute(&mut conn)
        .expect("deleted");
    let deleted = counted(first_author(&mut conn).delete(&mut conn).expect("lifted"));
    assert_eq!(
        deleted,
        (3, vec![("Author", 1), ("Book", 1), ("Review", 1)])
    );
    assert_eq!(rows(&mut conn, "books"), ["2 2"]);
}

#[test]
fn del_15_a_restricting_row_that_goes_by_the_other_side_of_a_diamond_does_not_restrict() {
    let mut conn = database(AUTHORS);
    conn.batch_execute(
        "INSERT INTO books VALUES (1, 1); INSERT INTO reviews VALUES (1, 1, 2);
        INSERT INTO editions VALUES (1, 1, 2), (2, 2, 2);
        INSERT INTO replies VALUES (1, 1, 1), (2, 1, 2);",
    )
    .expect("a diamond");
    let error = first_author(&mut conn)
        .delete(&mut conn)
        .expect_err("restricted");
    assert_eq!(
        error.to_string(),
        "Author 1 is restricted by Reply 2 (through Book.author_id, Review.book_id, Reply.review_id)"
    );
    diesel::delete(replies::table.find(2))
        .execute(&mut conn)
        .expect("deleted");
    let deleted = first_author(&mut conn).delete(&mut conn).expect("lifted");
    assert_eq!(deleted.total, 5);
    assert_eq!(rows(&mut conn, "replies"), [""; 0]);
    assert_eq!(rows(&mut conn, "editions"), ["2 2 2"]);
}

#[test]
fn del_43_the_outcome_counts_each_model_and_leaves_out_those_without_a_row() {
    let mut conn = database(AUTHORS);
    conn.batch_execute(
        "INSERT INTO books VALUES (1, 1), (2, 1); INSERT INTO reviews VALUES (1, 1, 1);",
    )
    .expect("books");
    let deleted = counted(first_author(&mut conn).delete(&mut conn).expect("deleted"));
    assert_eq!(
        deleted,
        (4, vec![("Author", 1), ("Book", 2), ("Review", 1)])
    );
}

#[test]
fn del_14_the_path_to_a_restricting_row_is_told() {
    let mut conn = database(AUTHORS);
    conn.batch_execute(
        "INSERT INTO books VALUES (1, 1); INSERT INTO reviews VALUES (1, 1, 2);
        INSERT INTO editions VALUES (2, 2, 2); INSERT INTO replies VALUES (1, 1, 2);",
    )
    .expect("rows");
    let Err(Error::Restricted(why)) = first_author(&mut conn).delete(&mut conn) else {
        panic!("it is restricted");
    };
    assert_eq!(
        why.blockers()[0].path,
        ["Book.author_id", "Review.book_id", "Reply.review_id"]
    );
}
