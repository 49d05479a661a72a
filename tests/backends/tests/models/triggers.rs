//! What triggers do beside a statement, or keep it from doing, is known: no operation says `Ok` of what did not happen,
//! and none that fails leaves what a trigger wrote.

use std::cell::RefCell;

use backends::{Database, TestConnection, count};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::sessions::{on_mysql, run};

const TABLES: &str = "
    CREATE TABLE racks (id {key}, label VARCHAR(20) NOT NULL);
    CREATE TABLE bottles (id {key}, rack_id INTEGER NOT NULL, FOREIGN KEY (rack_id) REFERENCES racks (id));
    CREATE TABLE corks (id {key}, rack_id INTEGER NOT NULL, FOREIGN KEY (rack_id) REFERENCES racks (id));
    CREATE TABLE labels (id {key}, cork_id INTEGER NOT NULL,
        FOREIGN KEY (cork_id) REFERENCES corks (id) ON DELETE CASCADE);
    CREATE TABLE log (text VARCHAR(20) NOT NULL);
    CREATE TABLE twins (id INTEGER NOT NULL, name VARCHAR(20) NOT NULL);
";

diesel::table! { racks (id) { id -> Integer, label -> Text } }
diesel::table! { bottles (id) { id -> Integer, rack_id -> Integer } }
diesel::table! { corks (id) { id -> Integer, rack_id -> Integer } }
diesel::table! { twins (id) { id -> Integer, name -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Rack {
    id: i32,
    label: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Bottle {
    id: i32,
    #[hooks(foreign_key(Rack, on_delete = Cascade))]
    rack_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Cork {
    id: i32,
    #[hooks(foreign_key(Rack, on_delete = Cascade))]
    rack_id: i32,
}

/// Its key is none in the schema.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
struct Twin {
    id: i32,
    name: String,
}

thread_local! {
    static GONE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[receiver]
fn a_bottle_went(event: &PostDelete<Bottle>) {
    GONE.with_borrow_mut(|gone| gone.push(format!("bottle {}", event.instance.id)));
}

/// A trigger for each row, which writes, and then keeps the row as it was; on MariaDB it can only refuse. On
/// PostgreSQL this is what its function does, where `END` is for the others.
fn keeps(conn: &mut TestConnection, what: &str, table: &str) {
    let sqlite = format!(
        "CREATE TRIGGER keeps BEFORE {what} ON {table} BEGIN
            INSERT INTO log VALUES ('kept'); SELECT RAISE(IGNORE); END"
    );
    let postgres = format!(
        "CREATE FUNCTION keeps() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO log VALUES ('kept'); RETURN NULL; END $$;
        CREATE TRIGGER keeps BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION keeps()"
    );
    let mysql = format!(
        "CREATE TRIGGER keeps BEFORE {what} ON {table} FOR EACH ROW BEGIN
            INSERT INTO log VALUES ('kept'); SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept'; END"
    );
    run(conn, &sqlite, &postgres, &mysql);
}

/// A trigger that runs this when a row of the table is deleted.
fn after_delete(conn: &mut TestConnection, table: &str, sql: &str) {
    let other =
        format!("CREATE TRIGGER also AFTER DELETE ON {table} FOR EACH ROW BEGIN {sql}; END");
    let postgres = format!(
        "CREATE FUNCTION also() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN {sql}; RETURN NULL; END $$;
        CREATE TRIGGER also AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION also()"
    );
    run(conn, &other, &postgres, &other);
}

fn filled(conn: &mut TestConnection) -> Rack {
    let new = NewRack {
        label: "red".into(),
    };
    let it = Rack::create(conn, new).expect("created");
    for _ in 0..3 {
        Bottle::create(conn, NewBottle { rack_id: it.id }).expect("created");
        Cork::create(conn, NewCork { rack_id: it.id }).expect("created");
    }
    it
}

/// The error where a trigger keeps rows: one that only refuses tells so itself.
fn is_kept(error: &Error) -> bool {
    match on_mysql() {
        true => matches!(error, Error::Query { .. }),
        false => matches!(error, Error::RowCount { .. }),
    }
}

/// What each of these comes to, by itself and inside a transaction, which goes on.
fn alone_and_inside<T>(
    conn: &mut TestConnection,
    mut operation: impl FnMut(&mut TestConnection) -> Result<T, Error>,
) -> [Result<T, Error>; 2] {
    let alone = operation(conn);
    let inside = conn.transaction(|conn| {
        let outcome = operation(conn);
        count(conn, "log");
        Ok::<_, diesel::result::Error>(outcome)
    });
    [alone, inside.expect("the transaction goes on")]
}

#[test]
fn a_row_that_a_trigger_keeps_from_a_silent_delete_is_an_error() {
    let (database, mut conn) = Database::open(TABLES);
    filled(&mut conn);
    keeps(&mut conn, "DELETE", "corks");
    let mut conn = database.connect();
    let cork: Cork = corks::table.first(&mut conn).expect("read");
    for refused in alone_and_inside(&mut conn, |conn| cork.delete(conn)) {
        assert!(refused.as_ref().is_err_and(is_kept), "{refused:?}");
    }
    let all = |conn: &mut TestConnection| corks::table.delete_hooked::<Cork>(conn);
    for refused in alone_and_inside(&mut conn, all) {
        assert!(refused.as_ref().is_err_and(is_kept), "{refused:?}");
    }
    assert_eq!((count(&mut conn, "corks"), count(&mut conn, "log")), (3, 0));
}

#[test]
fn a_save_that_a_trigger_keeps_from_the_row_leaves_nothing_of_the_trigger() {
    let (database, mut conn) = Database::open(TABLES);
    let mut it = filled(&mut conn);
    keeps(&mut conn, "UPDATE", "racks");
    let mut conn = database.connect();
    it.label = "green".into();
    for refused in alone_and_inside(&mut conn, |conn| it.save(conn)) {
        assert!(refused.is_err());
    }
    assert_eq!(count(&mut conn, "log"), 0);
    assert_eq!(Rack::get(&mut conn, it.id).expect("there").label, "red");
}

#[test]
fn a_save_by_a_key_that_two_rows_have_changes_neither() {
    let (_database, mut conn) = Database::open(TABLES);
    conn.batch_execute("INSERT INTO twins VALUES (1, 'romulus'), (1, 'remus')")
        .expect("the schema has no key");
    let mut it = Twin {
        id: 1,
        name: "both".into(),
    };
    for refused in alone_and_inside(&mut conn, |conn| it.save(conn)) {
        assert!(matches!(refused, Err(Error::RowCount { actual: 2, .. })));
    }
    let both = twins::table.filter(twins::name.eq("both"));
    assert_eq!(both.count().get_result(&mut conn), Ok(0_i64));
}

#[test]
fn rows_of_a_delete_that_a_trigger_takes_first_are_no_error() {
    for (from, to) in [("bottles", "corks"), ("corks", "bottles")] {
        let (database, mut conn) = Database::open(TABLES);
        let it = filled(&mut conn);
        let all_of_rack = format!("DELETE FROM {to} WHERE rack_id = OLD.rack_id");
        after_delete(&mut conn, from, &all_of_rack);
        it.delete(&mut database.connect()).expect("deleted");
        for table in ["racks", "bottles", "corks"] {
            assert_eq!(count(&mut conn, table), 0, "{from}");
        }
        // What the trigger took, nobody says of that it went by this delete.
        let told = GONE.take().len();
        assert!([0, 3].contains(&told), "{told} by {from}");
    }
}

#[test]
fn a_trigger_on_a_table_that_the_database_deletes_from_counts_as_well() {
    let (database, mut conn) = Database::open(TABLES);
    let it = filled(&mut conn);
    conn.batch_execute("INSERT INTO labels (cork_id) SELECT id FROM corks")
        .expect("inserted");
    after_delete(&mut conn, "labels", "DELETE FROM bottles");
    it.delete(&mut database.connect()).expect("deleted");
    for table in ["racks", "bottles", "labels", "corks"] {
        assert_eq!(count(&mut conn, table), 0);
    }
    // On MariaDB what a foreign key does fires no trigger.
    assert_eq!(GONE.take().len(), if on_mysql() { 3 } else { 0 });
}
