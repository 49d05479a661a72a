//! `get`, `refresh` and `load_hooked` send `PostLoad`; what an operation reads for itself does not.

use backends::{Log, TestConnection, depth, fresh};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { authors (id) { id -> Integer, name -> Text } }
diesel::table! { books (id) { id -> Integer, author_id -> Integer, title -> Text } }
diesel::joinable!(books -> authors (author_id));
diesel::allow_tables_to_appear_in_same_query!(authors, books);

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Author {
    id: i32,
    name: String,
}

static LOG: Log = Log::new();

#[receiver]
fn one_by_one(event: &PostLoad<Author>) {
    LOG.push(format!("loaded {}", event.instance.name));
}

#[receiver]
fn all_at_once(
    events: &[PostLoad<Author>],
    _conn: &mut TestConnection,
) -> Result<(), &'static str> {
    LOG.push(format!("{} at once", events.len()));
    match events.iter().any(|event| event.instance.name == "Banned") {
        true => Err("banned"),
        false => Ok(()),
    }
}

const SCHEMA: &str = "
    CREATE TABLE authors (id {key}, name TEXT NOT NULL);
    CREATE TABLE books (id {key}, author_id INTEGER NOT NULL, title TEXT NOT NULL);
    INSERT INTO authors VALUES (1, 'Austen'), (2, 'Borges');
    INSERT INTO books VALUES (1, 1, 'Emma'), (2, 1, 'Persuasion'), (3, 2, 'Ficciones');
";

fn names(authors: &[Author]) -> Vec<&str> {
    authors.iter().map(|author| author.name.as_str()).collect()
}

#[test]
fn get_and_refresh_send_it_for_one_row() {
    let mut conn = fresh(SCHEMA);
    let mut author = Author::get(&mut conn, 1).expect("a row");
    assert_eq!(LOG.take(), ["1 at once", "loaded Austen"]);
    author.refresh(&mut conn).expect("still there");
    assert_eq!(LOG.take(), ["1 at once", "loaded Austen"]);
}

#[test]
fn a_query_sends_it_for_all_rows_and_to_a_batch_receiver_once() {
    let mut conn = fresh(SCHEMA);
    let authors = authors::table
        .order(authors::name.desc())
        .load_hooked::<Author>(&mut conn)
        .expect("two rows");
    assert_eq!(names(&authors), ["Borges", "Austen"]);
    assert_eq!(LOG.take(), ["2 at once", "loaded Borges", "loaded Austen"]);
}

#[test]
fn a_row_that_a_join_repeats_is_loaded_once() {
    let mut conn = fresh(SCHEMA);
    let authors = authors::table
        .inner_join(books::table)
        .order(books::id)
        .load_hooked::<Author>(&mut conn)
        .expect("two rows");
    assert_eq!(names(&authors), ["Austen", "Borges"]);
    assert_eq!(LOG.take().len(), 3);
}

#[test]
fn a_boxed_query_and_no_rows_work() {
    let mut conn = fresh(SCHEMA);
    let nobody = authors::table
        .into_boxed()
        .filter(authors::name.eq("nobody"))
        .load_hooked::<Author>(&mut conn)
        .expect("no row");
    assert!(nobody.is_empty());
    assert!(LOG.take().is_empty());
}

#[test]
fn what_an_operation_reads_for_itself_sends_nothing() {
    let mut conn = fresh(SCHEMA);
    let mut author = Author::create(
        &mut conn,
        NewAuthor {
            name: "Calvino".into(),
        },
    )
    .expect("created");
    author.save(&mut conn).expect("saved");
    author
        .update_set(&mut conn, authors::name.eq("Italo"))
        .expect("updated");
    author.delete(&mut conn).expect("deleted");
    assert!(LOG.take().is_empty());
}

#[test]
fn a_receiver_that_fails_keeps_the_row_back() {
    let mut conn = fresh(SCHEMA);
    let mut author = Author::create(
        &mut conn,
        NewAuthor {
            name: "Banned".into(),
        },
    )
    .expect("created");
    let before = author.clone();
    assert!(Author::get(&mut conn, author.pk()).is_err());
    assert!(author.refresh(&mut conn).is_err());
    assert_eq!(author, before);
    assert!(authors::table.load_hooked::<Author>(&mut conn).is_err());
    assert_eq!(depth(&mut conn), 0);
    LOG.take();
}
