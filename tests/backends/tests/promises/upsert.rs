//! `upsert` inserts the row or updates the one that has its key, with that branch's signals, and leaves nothing
//! behind if it fails.

use backends::script::{LOG, heard, on_event};
use backends::{
    Database, LOCK_FOUND, TestConnection, Transactions, depth, fresh, insert, of_rows, panic_of,
    sequence, statements,
};
use diesel::connection::TransactionManager;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { books (isbn) { isbn -> Text, title -> Text, pages -> Nullable<Integer>, loans -> Integer } }
diesel::table! { seats (row, number) { row -> Text, number -> Integer, guest -> Nullable<Text> } }
diesel::table! { visits (seat, guest) { seat -> Integer, guest -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }

const SCHEMA: &str = "
    CREATE TABLE books (
        isbn TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, pages INTEGER,
        loans INTEGER NOT NULL DEFAULT 0 CHECK (loans < 100)
    );
    CREATE TABLE seats (row TEXT, number INTEGER, guest TEXT, PRIMARY KEY (row, number)) WITHOUT ROWID;
    CREATE TABLE visits (seat INTEGER, guest INTEGER, PRIMARY KEY (seat, guest));
    CREATE TABLE notes (id {key}, text TEXT NOT NULL);
";

/// Its generated insertable has no `loans`.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(isbn))]
struct Book {
    #[hooks(assigned)]
    isbn: String,
    title: String,
    pages: Option<i32>,
    #[diesel(skip_insertion)]
    loans: i32,
}

/// What it is created from is the application's own, and has no `loans` either.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = books, primary_key(isbn))]
#[hooks(new = Donation)]
struct Donated {
    #[hooks(assigned)]
    isbn: String,
    title: String,
    pages: Option<i32>,
    loans: i32,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = books, treat_none_as_default_value = false)]
struct Donation {
    isbn: String,
    #[diesel(column_name = title)]
    called: String,
    pages: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(row, number))]
#[hooks(new = Self)]
struct Seat {
    row: String,
    number: i32,
    guest: Option<String>,
}

/// Nothing but its key.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(seat, guest))]
struct Visit {
    seat: i32,
    guest: i32,
}

#[receiver]
fn pre_save(event: &PreSave<Book>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let what = match event {
        PreSave::Create(_) => "pre_save insert",
        PreSave::Update(_) => "pre_save update",
    };
    heard(what.into(), conn)
}

#[receiver]
fn pre_update(event: &mut PreUpdate<Book>) {
    let title = event.instance.title.trim();
    event.instance.title = title.to_owned();
}

#[receiver]
fn post_update(event: &PostUpdate<Book>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let columns = event.changed_columns().collect::<Vec<_>>().join(", ");
    heard(format!("post_update {columns}"), conn)
}

#[receiver]
fn post_save(event: &PostSave<Book>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let what = if event.created { "created" } else { "updated" };
    heard(format!("post_save {what}"), conn)
}

#[receiver]
fn donated(event: &PostSave<Donated>) {
    let columns = event.changed_columns().collect::<Vec<_>>().join(", ");
    LOG.push(format!("donated {columns}"));
}

fn database() -> TestConnection {
    fresh(SCHEMA)
}

fn new_book(title: &str) -> NewBook {
    NewBook {
        isbn: "1".into(),
        title: title.into(),
        pages: Some(474),
    }
}

fn books(conn: &mut TestConnection) -> Vec<Book> {
    books::table.load(conn).expect("books can be read")
}

#[test]
fn an_unused_key_is_inserted_with_the_signals_of_a_create() {
    let mut conn = database();
    let (book, created) = Book::upsert(&mut conn, new_book("Emma")).expect("a book");
    assert!(created);
    assert_eq!(LOG.take(), ["pre_save insert", "post_save created"]);
    assert_eq!(books(&mut conn), [book]);
}

#[test]
fn a_key_in_use_is_updated_with_the_signals_of_an_update_and_what_new_lacks_stays() {
    let mut conn = database();
    let (mut book, _) = Book::upsert(&mut conn, new_book("Emma")).expect("a book");
    book.update(&mut conn, |it| it.loans = 7).expect("lent");
    LOG.take();
    let new = NewBook {
        pages: None,
        ..new_book(" Emma ")
    };
    let (outcome, sent) = statements(&mut conn, |conn| Book::upsert(conn, new));
    let (updated, created) = outcome.expect("updated");
    assert!(!created);
    assert_eq!(
        updated,
        Book {
            pages: None,
            ..book
        }
    );
    assert_eq!(
        LOG.take(),
        ["pre_save update", "post_update pages", "post_save updated"]
    );
    assert_eq!(of_rows(&sent), sequence(&["SELECT", LOCK_FOUND, "UPDATE"]));
    assert_eq!(books(&mut conn), [updated]);
}

#[test]
fn a_hand_written_new_updates_the_columns_that_it_inserts() {
    let mut conn = database();
    let donation = |called: &str, pages| Donation {
        isbn: "1".into(),
        called: called.into(),
        pages,
    };
    let (mut book, created) =
        Donated::upsert(&mut conn, donation("Emma", Some(474))).expect("a book");
    assert!(created);
    book.update(&mut conn, |it| it.loans = 7).expect("lent");
    LOG.take();
    let (outcome, sent) = statements(&mut conn, |conn| {
        Donated::upsert(conn, donation("Emma, revised", None))
    });
    let (updated, created) = outcome.expect("updated");
    assert!(!created);
    assert_eq!(
        (updated.title.as_str(), updated.pages, updated.loans),
        ("Emma, revised", None, 7)
    );
    assert_eq!(LOG.take(), ["donated title, pages"]);
    assert_eq!(
        of_rows(&sent),
        sequence(&["SELECT", LOCK_FOUND, "UPDATE", "SELECT"])
    );
    assert_eq!(
        Donated::get(&mut conn, "1".into()).expect("it is there"),
        updated
    );
}

#[test]
fn a_model_that_is_its_own_insertable_is_upserted_by_a_key_of_several_columns() {
    let mut conn = database();
    let seat = |guest: Option<&str>| Seat {
        row: "A".into(),
        number: 1,
        guest: guest.map(Into::into),
    };
    assert!(Seat::upsert(&mut conn, seat(None)).expect("a seat").1);
    let (ada, created) = Seat::upsert(&mut conn, seat(Some("Ada"))).expect("taken");
    assert_eq!((&ada, created), (&seat(Some("Ada")), false));
    let stored: Vec<Seat> = seats::table.load(&mut conn).expect("seats can be read");
    assert_eq!(stored, [ada]);
}

#[test]
fn a_row_of_nothing_but_its_key_is_upserted() {
    let mut conn = database();
    let visit = || NewVisit { seat: 1, guest: 2 };
    assert!(Visit::upsert(&mut conn, visit()).expect("a visit").1);
    assert!(!Visit::upsert(&mut conn, visit()).expect("the visit").1);
    assert_eq!(visits::table.count().get_result(&mut conn), Ok(1_i64));
}

/// Each receiver of each branch fails once, and once it panics.
#[test]
fn a_receiver_that_fails_in_either_branch_leaves_nothing_behind() {
    let steps = [
        (false, "pre_save insert"),
        (false, "post_save created"),
        (true, "pre_save update"),
        (true, "post_update title"),
        (true, "post_save updated"),
    ];
    for (exists, step) in steps {
        for panics in [false, true] {
            for inside in [false, true] {
                fails_at(exists, step, panics, inside);
            }
        }
    }
}

fn fails_at(exists: bool, step: &'static str, panics: bool, inside: bool) {
    let mut conn = database();
    if exists {
        Book::upsert(&mut conn, new_book("before")).expect("a book");
    }
    let before = books(&mut conn);
    if inside {
        Transactions::begin_transaction(&mut conn).expect("a transaction");
    }
    let entry = depth(&mut conn);
    on_event(move |event, conn| {
        diesel::insert_into(notes::table)
            .values(notes::text.eq(event))
            .execute(conn)?;
        match event == step {
            true if panics => panic!("at {event}"),
            true => Err(Error::Instrumentation),
            false => Ok(()),
        }
    });
    match panics {
        true => {
            let said = panic_of(|| Book::upsert(&mut conn, new_book("after")));
            assert_eq!(said, format!("at {step}"));
        }
        false => {
            let outcome = Book::upsert(&mut conn, new_book("after"));
            assert!(matches!(outcome, Err(Error::Receiver(_))), "{step}");
        }
    }
    assert_eq!(depth(&mut conn), entry, "{step}");
    assert_eq!(books(&mut conn), before, "{step}");
    assert_eq!(
        notes::table.count().get_result(&mut conn),
        Ok(0_i64),
        "{step}"
    );
    on_event(|_, _| Ok(()));
    let (_, created) = Book::upsert(&mut conn, new_book("later")).expect("the connection works");
    assert_eq!(created, !exists);
    LOG.take();
}

#[test]
fn a_refused_value_leaves_the_row_as_it_was() {
    let mut conn = database();
    let taken = Donation {
        isbn: "1".into(),
        called: "Emma".into(),
        pages: None,
    };
    Donated::upsert(&mut conn, taken.clone()).expect("a book");
    insert(
        &mut conn,
        "{trigger no_more BEFORE UPDATE ON books: RAISE ABORT 'full';}",
    );
    let before = books(&mut conn);
    let refused = Donated::upsert(&mut conn, taken);
    assert!(matches!(
        refused,
        Err(Error::Query {
            model: Some("Donated"),
            ..
        })
    ));
    assert_eq!(books(&mut conn), before);
    LOG.take();
}

#[test]
fn of_two_connections_that_upsert_one_key_exactly_one_creates_it() {
    let disk = Database::new(SCHEMA);
    for key in 0..50 {
        let seat = move || Seat {
            row: "A".into(),
            number: key,
            guest: None,
        };
        let start = std::sync::Barrier::new(2);
        let created = std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| {
                let (mut conn, start) = (disk.connect(), &start);
                scope.spawn(move || {
                    start.wait();
                    Seat::upsert(&mut conn, seat()).expect("a seat").1
                })
            });
            threads.map(|thread| thread.join().expect("no panic"))
        });
        assert_eq!(created.iter().filter(|created| **created).count(), 1);
    }
    let count = seats::table.count().get_result(&mut disk.connect());
    assert_eq!(count, Ok(50_i64));
}
