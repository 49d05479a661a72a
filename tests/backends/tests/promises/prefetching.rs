//! What refers to many rows is read by one query, in the order of the rows.

use backends::{TestConnection, fresh, insert, keys_at_once, many, of_rows, statements};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { authors (id) { id -> Integer, name -> Text } }
diesel::table! { books (id) { id -> Integer, author_id -> Integer, title -> Text } }
diesel::table! { portraits (id) { id -> Integer, author_id -> Integer } }
diesel::allow_tables_to_appear_in_same_query!(authors, books);

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
#[hooks(connection(TestConnection))]
struct Author {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Associations, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(belongs_to(Author))]
struct Book {
    id: i32,
    #[hooks(foreign_key(Author, on_delete = Cascade, related_name = books))]
    author_id: i32,
    title: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Associations, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(belongs_to(Author))]
struct Portrait {
    id: i32,
    #[hooks(one_to_one(Author, on_delete = Cascade, related_name = portrait))]
    author_id: i32,
}

const SCHEMA: &str = "
    CREATE TABLE authors (id {key}, name TEXT NOT NULL);
    CREATE TABLE books (id {key}, author_id INTEGER NOT NULL REFERENCES authors (id), title TEXT NOT NULL);
    CREATE TABLE portraits (id {key}, author_id INTEGER NOT NULL UNIQUE REFERENCES authors (id));
    INSERT INTO authors VALUES (1, 'Ada'), (2, 'Bea'), (3, 'Cid');
    INSERT INTO books VALUES (1, 3, 'x'), (2, 1, 'y'), (3, 3, 'z');
    INSERT INTO portraits VALUES (1, 2), (2, 1);
";

fn authors_by(conn: &mut TestConnection, ids: &[i32]) -> Vec<Author> {
    let author = |id: &i32| Author::get(conn, *id).expect("an author");
    ids.iter().map(author).collect()
}

fn ids(books: &[Vec<Book>]) -> Vec<Vec<i32>> {
    let of = |books: &Vec<Book>| books.iter().map(|it| it.id).collect();
    books.iter().map(of).collect()
}

#[test]
fn the_children_of_many_come_in_the_order_of_their_parents_by_one_query() {
    let mut conn = fresh(SCHEMA);
    let authors = authors_by(&mut conn, &[3, 2, 1]);
    let (books, sent) = statements(&mut conn, |conn| Author::prefetch_books(conn, &authors));
    assert_eq!(ids(&books.expect("read")), [vec![1, 3], vec![], vec![2]]);
    assert_eq!(of_rows(&sent), ["SELECT"]);
    let (portraits, sent) = statements(&mut conn, |conn| Author::prefetch_portrait(conn, &authors));
    let portraits: Vec<_> = portraits
        .expect("read")
        .into_iter()
        .map(|it| it.map(|it| it.id))
        .collect();
    assert_eq!(portraits, [None, Some(1), Some(2)]);
    assert_eq!(of_rows(&sent), ["SELECT"]);
}

#[test]
fn a_parent_that_comes_twice_has_its_children_twice() {
    let mut conn = fresh(SCHEMA);
    let authors = authors_by(&mut conn, &[3, 1, 3]);
    let (books, sent) = statements(&mut conn, |conn| Author::prefetch_books(conn, &authors));
    assert_eq!(
        ids(&books.expect("read")),
        [vec![1, 3], vec![2], vec![1, 3]]
    );
    assert_eq!(of_rows(&sent), ["SELECT"]);
    let portraits =
        Author::prefetch_portrait(&mut conn, &authors_by(&mut conn2(), &[1, 1])).expect("read");
    assert_eq!(portraits[0], portraits[1]);
    assert_eq!(portraits[0].as_ref().map(|it| it.id), Some(2));
}

/// Another database with the same rows.
fn conn2() -> TestConnection {
    fresh(SCHEMA)
}

#[test]
fn no_parents_have_no_children_and_ask_nothing() {
    let mut conn = fresh(SCHEMA);
    let (books, sent) = statements(&mut conn, |conn| Author::prefetch_books(conn, &[]));
    assert_eq!(books.expect("read").len(), 0);
    assert_eq!(sent, [""; 0]);
}

#[test]
fn more_parents_than_a_statement_names_are_read_in_batches() {
    let mut conn = fresh(SCHEMA);
    insert(
        &mut conn,
        &many("authors", 2 * keys_at_once() + 1, "9 + i, 'many'"),
    );
    diesel::sql_query("INSERT INTO books SELECT id, id, 'one' FROM authors WHERE id >= 10")
        .execute(&mut conn)
        .expect("books");
    let authors = authors::table
        .filter(authors::id.ge(10))
        .order(authors::id.desc())
        .load_hooked::<Author>(&mut conn)
        .expect("read");
    let (books, sent) = statements(&mut conn, |conn| Author::prefetch_books(conn, &authors));
    let expected: Vec<_> = authors.iter().map(|it| vec![it.id]).collect();
    assert_eq!(ids(&books.expect("read")), expected);
    assert_eq!(of_rows(&sent), ["SELECT"; 3]);
}

#[test]
fn diesels_associations_work_on_the_same_structs() {
    let mut conn = fresh(SCHEMA);
    let authors = authors_by(&mut conn, &[3, 2, 1]);
    let books = Book::belonging_to(&authors)
        .order(books::id)
        .select(Book::as_select())
        .load(&mut conn)
        .expect("read");
    let grouped = books.grouped_by(&authors);
    assert_eq!(
        grouped,
        Author::prefetch_books(&mut conn, &authors).expect("read")
    );
    let of_one = Book::belonging_to(&authors[0])
        .load_hooked::<Book>(&mut conn)
        .expect("read");
    assert_eq!(of_one, authors[0].books(&mut conn).expect("read"));
    let deleted = Book::belonging_to(&authors[0]).delete_hooked::<Book>(&mut conn);
    assert_eq!(deleted.expect("deleted").total, 2);
    let portrait = Portrait::belonging_to(&authors[2])
        .first::<Portrait>(&mut conn)
        .expect("read");
    assert_eq!(portrait, authors[2].portrait(&mut conn).expect("read"));
}

#[test]
fn a_missing_row_at_the_other_end_names_both_models() {
    let mut conn = fresh(SCHEMA);
    let cid = &authors_by(&mut conn, &[3])[0];
    let error = cid.portrait(&mut conn).expect_err("none");
    assert!(matches!(
        error,
        Error::NotFound {
            model: "Portrait",
            related_to: Some("Author"),
            ..
        }
    ));
    assert_eq!(error.to_string(), "there is no Portrait for Author 3");
    let orphan = Book {
        id: 9,
        author_id: 99,
        title: String::new(),
    };
    let error = orphan.author(&mut conn).expect_err("none");
    assert_eq!(error.to_string(), "there is no Author for Book 9");
}

/// Keys that the database compares without case.
mod without_case {
    use super::*;

    diesel::table! { tags (name) { name -> Text } }
    diesel::table! { uses (id) { id -> Integer, tag -> Text } }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(primary_key(name))]
    pub(crate) struct Tag {
        #[hooks(assigned)]
        pub(crate) name: String,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    #[diesel(table_name = uses)]
    pub(crate) struct Use {
        pub(crate) id: i32,
        #[hooks(foreign_key(Tag, on_delete = Cascade, related_name = uses, accessor = tagged))]
        pub(crate) tag: String,
    }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE tags (name TEXT PRIMARY KEY COLLATE NOCASE);
        CREATE TABLE uses (id {key}, tag TEXT NOT NULL COLLATE NOCASE REFERENCES tags (name));
        INSERT INTO tags VALUES ('Rust'), ('sql'), ('none');
        INSERT INTO uses VALUES (1, 'Rust'), (2, 'sql'), (3, 'Rust');
    ";
}

#[test]
fn keys_that_the_database_compares_without_case_find_their_children() {
    use without_case::{Tag, Use};

    let mut conn = fresh(without_case::SCHEMA);
    let tags = ["sql", "none", "Rust"].map(|name| Tag::get(&mut conn, name.into()).expect("a tag"));
    let prefetch = |conn: &mut TestConnection| {
        let (uses, sent) = statements(conn, |conn| Tag::prefetch_uses(conn, &tags));
        let uses = uses.expect("read");
        let uses: Vec<Vec<_>> = uses
            .iter()
            .map(|uses| uses.iter().map(|it| it.id).collect())
            .collect();
        (uses, of_rows(&sent).len())
    };
    assert_eq!(prefetch(&mut conn), (vec![vec![2], vec![], vec![1, 3]], 1));
    diesel::sql_query("INSERT INTO uses VALUES (4, 'RUST'), (5, 'SQL')")
        .execute(&mut conn)
        .expect("uses");
    let (uses, _) = prefetch(&mut conn);
    assert_eq!(uses, [vec![2, 5], vec![], vec![1, 3, 4]]);
    let shouted = Use::get(&mut conn, 4).expect("a use");
    assert_eq!(shouted.tagged(&mut conn).expect("a tag"), tags[2]);
    assert_eq!(tags[2].delete(&mut conn).expect("deleted").total, 4);
}
