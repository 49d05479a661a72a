//! Whatever SQLite's triggers and a table's shape do to a statement, an operation on a model that nobody listens
//! to happens as it says, or is an error that leaves nothing behind.
#![allow(missing_docs)]

mod common;

use common::{OnDisk, depth, memory};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { items (id) { id -> Integer, name -> Text } }
diesel::table! { audit (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Item {
    id: i32,
    name: String,
}

const SCHEMA: &str = "
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE audit (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
";

fn new_item(name: &str) -> NewItem {
    NewItem { name: name.into() }
}

type Rows = (Vec<Item>, Vec<(i32, String)>);

fn rows(conn: &mut SqliteConnection) -> Rows {
    (
        items::table.load(conn).expect("items can be read"),
        audit::table.load(conn).expect("the audit can be read"),
    )
}

type Operation = fn(&mut SqliteConnection, &mut Item) -> diesel_hooks::Result;

const OPERATIONS: [(&str, Operation); 6] = [
    ("INSERT", |conn, _| {
        Item::create(conn, new_item("new")).map(drop)
    }),
    ("INSERT", |conn, _| {
        Item::create_many(conn, vec![new_item("new"), new_item("newer")]).map(drop)
    }),
    ("UPDATE", |conn, item| item.save(conn)),
    ("UPDATE", |conn, item| {
        item.update(conn, |item| item.name = "new".into())
    }),
    ("UPDATE", |conn, item| {
        item.update_set(conn, items::name.eq("new"))
    }),
    ("DELETE", |conn, item| item.delete(conn).map(drop)),
];

/// What an operation leaves behind that a trigger stops after it wrote elsewhere.
fn stop_half_way(raise: &str, times: &str, statement: &str, operation: Operation, known: bool) {
    for in_transaction in [false, true] {
        let disk = OnDisk::new(SCHEMA);
        let mut conn = disk.connect();
        conn.batch_execute("INSERT INTO items VALUES (1, 'a')")
            .expect("a row");
        let mut item = Item::get(&mut conn, 1).expect("the row");
        if known {
            item.save(&mut conn)
                .expect("the table is looked at while it has no trigger");
        }
        conn.batch_execute(&format!(
            "CREATE TRIGGER half_way {times} {statement} ON items BEGIN
                INSERT INTO audit (text) VALUES ('half'); SELECT RAISE({raise}); END"
        ))
        .expect("the trigger is right");
        let (before, item_before) = (rows(&mut conn), item.clone());
        let outcome: diesel_hooks::Result = match in_transaction {
            true => conn.transaction(|conn| {
                let inner = operation(conn, &mut item);
                assert!(inner.is_err());
                // The application goes on as if nothing were.
                Ok(())
            }),
            false => operation(&mut conn, &mut item),
        };
        let place = format!(
            "RAISE({raise}) {times} {statement}, in a transaction: {in_transaction}, known: {known}"
        );
        assert_eq!(item, item_before, "{place}");
        assert_eq!(depth(&mut conn), 0, "{place}");
        if !known || in_transaction {
            assert_eq!(rows(&mut disk.connect()), before, "{place}: {outcome:?}");
        }
        conn.batch_execute("DROP TRIGGER half_way")
            .expect("the trigger is there");
        Item::create(&mut conn, new_item("after"))
            .unwrap_or_else(|error| panic!("{place}: {error}"));
    }
}

#[test]
fn a_trigger_that_stops_half_way_leaves_nothing() {
    for raise in ["ABORT, 'no'", "FAIL, 'no'", "ROLLBACK, 'no'"] {
        for times in ["BEFORE", "AFTER"] {
            for (statement, operation) in OPERATIONS {
                stop_half_way(raise, times, statement, operation, false);
            }
        }
    }
}

/// Outside a transaction nothing can be taken back that a trigger left which was made a moment ago.
#[test]
fn a_trigger_made_since_the_table_was_looked_at_keeps_the_transaction_from_committing() {
    for raise in ["ABORT, 'no'", "FAIL, 'no'", "ROLLBACK, 'no'"] {
        for (statement, operation) in OPERATIONS {
            stop_half_way(raise, "AFTER", statement, operation, true);
        }
    }
}

#[test]
fn a_row_that_cannot_be_read_back_is_taken_back_with_what_its_triggers_wrote() {
    let triggers = [
        "CREATE TRIGGER t AFTER INSERT ON items BEGIN UPDATE items SET id = 1000 + new.id WHERE id = new.id; END",
        "CREATE TRIGGER t AFTER INSERT ON items BEGIN INSERT INTO audit (text) VALUES ('made'); DELETE FROM items WHERE id = new.id; END",
        "CREATE TRIGGER t AFTER INSERT ON items BEGIN
            INSERT INTO audit (text) VALUES ('made'); UPDATE items SET name = x'00' WHERE id = new.id; END;
         CREATE TRIGGER stays BEFORE DELETE ON items BEGIN SELECT RAISE(ABORT, 'stays'); END",
    ];
    for trigger in triggers {
        for in_transaction in [false, true] {
            let disk = OnDisk::new(SCHEMA);
            let mut conn = disk.connect();
            conn.batch_execute(trigger).expect("the trigger is right");
            let create = |conn: &mut SqliteConnection| Item::create(conn, new_item("a"));
            let outcome = match in_transaction {
                true => conn
                    .transaction(|conn| -> diesel_hooks::Result<_> { Ok(create(conn)) })
                    .expect("committed"),
                false => create(&mut conn),
            };
            // SQLite reads a blob as text: such a row is as the database has it.
            let kept: Vec<Item> = outcome.into_iter().collect();
            let (items, audit) = rows(&mut disk.connect());
            assert_eq!(items, kept, "{trigger}");
            assert!(!kept.is_empty() || audit.is_empty(), "{trigger}");
            assert_eq!(depth(&mut conn), 0);
        }
    }
}

#[test]
fn after_a_trigger_ended_the_transaction_nothing_commits_by_itself() {
    let disk = OnDisk::new(SCHEMA);
    let mut conn = disk.connect();
    conn.batch_execute(
        "CREATE TRIGGER ends BEFORE INSERT ON items WHEN new.name = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'ended'); END",
    )
    .expect("the trigger is right");
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        Item::create(conn, new_item("before"))?;
        let error = Item::create(conn, new_item("bad")).expect_err("refused");
        assert!(
            matches!(&error, Error::TransactionLost { source: Some(_) }),
            "{error:?}"
        );
        assert!(error.to_string().contains("ended"), "{error}");
        let error = Item::create(conn, new_item("alone")).expect_err("the transaction is gone");
        assert!(
            matches!(error, Error::TransactionLost { source: None }),
            "{error:?}"
        );
        Ok(())
    });
    outcome.expect_err("there is nothing to commit");
    assert_eq!(rows(&mut disk.connect()).0, []);
    assert_eq!(depth(&mut conn), 0);
    Item::create(&mut conn, new_item("after")).expect("the connection works");
}

mod shadowed {
    diesel::table! { odd (id) { id -> Integer, name -> Text, #[sql_name = "_ROWID_"] shadow -> Nullable<Integer> } }
    diesel::table! { keyed (key) { #[sql_name = "_rowid_"] key -> Text, name -> Text } }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Hooks)]
#[diesel(table_name = shadowed::odd)]
struct Odd {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = shadowed::keyed, primary_key(key))]
#[hooks(new = NewKeyed)]
struct Keyed {
    key: String,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Insertable)]
#[diesel(table_name = shadowed::keyed)]
struct NewKeyed {
    key: String,
    name: String,
}

#[test]
fn a_column_called_like_the_rowid_does_not_lead_to_another_row() {
    let mut conn = memory(
        "CREATE TABLE odd (id INTEGER PRIMARY KEY, name TEXT NOT NULL, _ROWID_ INTEGER);
         INSERT INTO odd VALUES (1, 'old', 2);
         CREATE TABLE keyed (_rowid_ TEXT PRIMARY KEY, name TEXT NOT NULL);",
    );
    let odd = Odd::create(&mut conn, NewOdd { name: "new".into() }).expect("created");
    assert_eq!((odd.id, odd.name.as_str()), (2, "new"));
    let new = NewKeyed {
        key: "k".into(),
        name: "new".into(),
    };
    assert_eq!(Keyed::create(&mut conn, new).expect("created").key, "k");
}

diesel::table! { loose (id) { id -> Integer, name -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = loose)]
struct Loose {
    id: i32,
    name: String,
}

#[test]
fn a_key_that_several_rows_share_is_an_error_that_writes_none_of_them() {
    let disk = OnDisk::new(
        "CREATE TABLE loose (id INTEGER, name TEXT NOT NULL); INSERT INTO loose VALUES (1, 'a'), (1, 'b');",
    );
    let mut conn = disk.connect();
    let mut row = Loose::get(&mut conn, 1).expect("one of them");
    row.name = "c".into();
    let count = |outcome: diesel_hooks::Result| match outcome {
        Err(Error::RowCount {
            expected: 1,
            actual,
            ..
        }) => actual,
        other => panic!("{other:?}"),
    };
    for in_transaction in [false, true] {
        let (saved, updated, deleted) = match in_transaction {
            true => conn
                .transaction(|conn| -> diesel_hooks::Result<_> {
                    let mut other = row.clone();
                    Ok((
                        row.save(conn),
                        other.update(conn, |it| it.name = "d".into()),
                        row.delete(conn),
                    ))
                })
                .expect("committed"),
            false => {
                let mut other = row.clone();
                (
                    row.save(&mut conn),
                    other.update(&mut conn, |it| it.name = "d".into()),
                    row.delete(&mut conn),
                )
            }
        };
        assert_eq!(
            (count(saved), count(updated), count(deleted.map(drop))),
            (2, 2, 2)
        );
        let names: Vec<String> = loose::table
            .select(loose::name)
            .load(&mut disk.connect())
            .expect("names");
        assert_eq!(names, ["a", "b"]);
    }
}

#[test]
fn a_row_that_a_trigger_keeps_as_it_was_is_not_called_missing() {
    let mut conn = memory(SCHEMA);
    conn.batch_execute(
        "INSERT INTO items VALUES (1, 'a');
         CREATE TRIGGER keeps BEFORE UPDATE ON items BEGIN SELECT RAISE(IGNORE); END;
         CREATE TRIGGER stays BEFORE DELETE ON items BEGIN SELECT RAISE(IGNORE); END",
    )
    .expect("triggers");
    let mut item = Item::get(&mut conn, 1).expect("the row");
    item.name = "b".into();
    let kept = |outcome: diesel_hooks::Result| {
        assert!(
            matches!(outcome, Err(Error::RowCount { actual: 0, .. })),
            "{outcome:?}"
        );
    };
    kept(item.save(&mut conn));
    kept(item.update(&mut conn, |it| it.name = "c".into()));
    kept(item.update_set(&mut conn, items::name.eq("d")));
    kept(item.delete(&mut conn).map(drop));
    assert_eq!(rows(&mut conn).0[0].name, "a");
}

#[test]
fn a_table_that_lost_its_rowid_since_it_was_looked_at_keeps_no_row() {
    let disk = OnDisk::new(SCHEMA);
    let mut conn = disk.connect();
    Item::create(&mut conn, new_item("looked at")).expect("created");
    conn.batch_execute(
        "DROP TABLE items; CREATE TABLE items (id INTEGER PRIMARY KEY DEFAULT 7, name TEXT NOT NULL) WITHOUT ROWID;",
    )
    .expect("rebuilt");
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        let error = Item::create(conn, new_item("a")).expect_err("it has no rowid now");
        assert!(
            matches!(error, Error::TransactionLost { source: Some(_) }),
            "{error:?}"
        );
        Ok(())
    });
    outcome.expect_err("nothing to commit");
    assert_eq!(rows(&mut disk.connect()).0, []);
    let item = Item::create(&mut conn, new_item("b")).expect("it is looked at again");
    assert_eq!(item.id, 7);
}

#[test]
fn a_view_with_triggers_is_created_saved_and_deleted_or_left_as_it_was() {
    let disk = OnDisk::new(
        "CREATE TABLE stored (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE audit (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
         CREATE VIEW items AS SELECT id, name FROM stored;
         CREATE TRIGGER inserts INSTEAD OF INSERT ON items BEGIN INSERT INTO stored (name) VALUES (new.name); END;",
    );
    let mut conn = disk.connect();
    let outcome: diesel_hooks::Result = conn.transaction(|conn| {
        Item::create(conn, new_item("a")).expect_err("a view tells no key");
        Ok(())
    });
    outcome.expect("committed");
    assert_eq!(rows(&mut disk.connect()).0, []);
}
