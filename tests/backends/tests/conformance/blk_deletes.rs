//! Django's cases of deletes in bulk, and of what is done past the library, as they hold here.

use backends::script::{LOG, counted};
use backends::{TestConnection, fresh, insert, model, of_rows, rows, statements, verbs};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

model!(Plain of plains { name: String = [Text] });

model!(Shelf of shelves { name: String = [Text] });
model!(Book of books {
    #[hooks(foreign_key(Shelf, on_delete = Cascade))]
    shelf_id: i32 = [Integer],
});

model!(Rack of racks { name: String = [Text] });
model!(Label of labels {
    #[hooks(foreign_key(Rack, on_delete = Database))]
    rack_id: i32 = [Integer],
});

/// Receivers that write down what becomes of each row, but take no connection: that would cost statements.
macro_rules! heard {
    ($($model:ident $saving:ident $saved:ident $going:ident $gone:ident;)*) => {$(
        #[receiver]
        fn $saving(_: &PreSave<$model>) {
            LOG.push(concat!("pre_save ", stringify!($model)));
        }

        #[receiver]
        fn $saved(event: &PostSave<$model>) {
            LOG.push(format!("post_save {} {}", stringify!($model), event.instance.id));
        }

        #[receiver]
        fn $going(event: &PreDelete<$model>) {
            LOG.push(format!("pre_delete {} {}", stringify!($model), event.instance.id));
        }

        #[receiver]
        fn $gone(event: &PostDelete<$model>) {
            LOG.push(format!("post_delete {} {}", stringify!($model), event.instance.id));
        }
    )*};
}

heard! {
    Shelf shelf_saving shelf_saved shelf_going shelf_gone;
    Book book_saving book_saved book_going book_gone;
    Rack rack_saving rack_saved rack_going rack_gone;
    Label label_saving label_saved label_going label_gone;
}

const SCHEMA: &str = "
    CREATE TABLE plains (id {key}, name TEXT NOT NULL);
    CREATE TABLE shelves (id {key}, name TEXT NOT NULL);
    CREATE TABLE books (id {key}, shelf_id INTEGER NOT NULL REFERENCES shelves (id));
    CREATE TABLE racks (id {key}, name TEXT NOT NULL);
    CREATE TABLE labels (id {key}, rack_id INTEGER NOT NULL REFERENCES racks (id) ON DELETE CASCADE);
";

fn database(rows: &str) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, rows);
    conn
}

#[test]
fn blk_09_a_query_of_rows_that_are_heard_of_sends_the_signals_of_each_and_of_what_goes_with_them() {
    let mut conn = database(
        "INSERT INTO shelves VALUES (1, 'a'), (2, 'b'), (3, 'c');
         INSERT INTO books VALUES (10, 1), (11, 1), (12, 2), (13, 3);",
    );
    let matched = shelves::table.filter(shelves::id.le(2)).order(shelves::id);
    let (deleted, sent) = statements(&mut conn, |conn| matched.delete_hooked::<Shelf>(conn));
    let deleted = counted(deleted.expect("deleted"));
    assert_eq!(deleted, (5, vec![("Book", 3), ("Shelf", 2)]));
    assert_eq!(
        LOG.take(),
        [
            "pre_delete Book 10",
            "pre_delete Book 11",
            "pre_delete Book 12",
            "pre_delete Shelf 1",
            "pre_delete Shelf 2",
            "post_delete Book 10",
            "post_delete Book 11",
            "post_delete Book 12",
            "post_delete Shelf 1",
            "post_delete Shelf 2"
        ]
    );
    // The keys that the query names, the rows with them, and their books.
    assert_eq!(
        of_rows(&sent),
        ["SELECT", "SELECT", "SELECT", "DELETE", "DELETE"]
    );
    let begun = verbs(&sent).iter().filter(|it| **it == "BEGIN").count();
    assert_eq!(begun, 1);
    assert_eq!(rows(&mut conn, "shelves"), ["3 c"]);
    assert_eq!(rows(&mut conn, "books"), ["13 3"]);
}

#[test]
fn blk_09_a_query_of_rows_that_nobody_hears_of_loads_none_until_somebody_listens() {
    let mut conn = database("INSERT INTO plains VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');");
    let (deleted, sent) = statements(&mut conn, |conn| {
        plains::table
            .filter(plains::id.le(2))
            .delete_hooked::<Plain>(conn)
    });
    assert_eq!(deleted.expect("deleted").total, 2);
    assert_eq!(of_rows(&sent), ["DELETE"]);
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "plains"), ["3 c", "4 d"]);

    let guard = conn.connect(|event: &PostDelete<Plain>, _: &mut TestConnection| {
        LOG.push(format!("gone: {}", event.instance.name));
    });
    let guard = guard.expect("there is room");
    let (deleted, sent) = statements(&mut conn, |conn| plains::table.delete_hooked::<Plain>(conn));
    drop(guard);
    assert_eq!(deleted.expect("deleted").total, 2);
    // The keys, the rows with them, and which of these are left when receivers had the connection.
    assert_eq!(of_rows(&sent), ["SELECT", "SELECT", "SELECT", "DELETE"]);
    assert_eq!(LOG.take(), ["gone: c", "gone: d"]);
    assert_eq!(rows(&mut conn, "plains"), [""; 0]);
}

#[test]
fn blk_10_plain_sql_and_plain_diesel_are_heard_by_nobody() {
    let mut conn = database("INSERT INTO shelves VALUES (1, 'a'), (2, 'b'), (3, 'c');");
    conn.batch_execute(
        "INSERT INTO books VALUES (10, 1); UPDATE shelves SET name = 'B' WHERE id = 2; DELETE FROM shelves WHERE id = 3;",
    )
    .expect("the statements are right");
    let made = diesel::insert_into(books::table).values((books::id.eq(11), books::shelf_id.eq(2)));
    assert_eq!(made.execute(&mut conn), Ok(1));
    let moved = diesel::update(books::table.find(11)).set(books::shelf_id.eq(1));
    assert_eq!(moved.execute(&mut conn), Ok(1));
    let gone = diesel::delete(books::table.find(10)).execute(&mut conn);
    assert_eq!(gone, Ok(1));
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "shelves"), ["1 a", "2 B"]);
    assert_eq!(rows(&mut conn, "books"), ["11 1"]);

    let mut book = Book::get(&mut conn, 11).expect("it is there");
    book.shelf_id = 2;
    book.save(&mut conn).expect("saved");
    assert_eq!(LOG.take(), ["pre_save Book", "post_save Book 11"]);
}

#[test]
fn blk_10_what_the_database_does_by_itself_is_heard_by_nobody() {
    let mut conn = database(
        "INSERT INTO racks VALUES (1, 'a'), (2, 'b'); INSERT INTO labels VALUES (20, 1), (21, 2);
         {trigger bring AFTER INSERT ON racks:
            INSERT INTO labels VALUES (22, NEW.id); UPDATE labels SET rack_id = NEW.id WHERE id = 21;}",
    );
    let rack = NewRack { name: "c".into() };
    assert_eq!(Rack::create(&mut conn, rack).expect("a rack").id, 3);
    assert_eq!(LOG.take(), ["pre_save Rack", "post_save Rack 3"]);
    assert_eq!(rows(&mut conn, "labels"), ["20 1", "21 3", "22 3"]);

    let rack = Rack::get(&mut conn, 3).expect("it is there");
    let (deleted, sent) = statements(&mut conn, |conn| rack.delete(conn));
    let deleted = counted(deleted.expect("deleted"));
    assert_eq!(deleted, (1, vec![("Rack", 1)]));
    assert!(!sent.iter().any(|sql| sql.contains("`labels`")), "{sent:?}");
    assert_eq!(LOG.take(), ["pre_delete Rack 3", "post_delete Rack 3"]);
    assert_eq!(rows(&mut conn, "racks"), ["1 a", "2 b"]);
    assert_eq!(rows(&mut conn, "labels"), ["20 1"]);
}
