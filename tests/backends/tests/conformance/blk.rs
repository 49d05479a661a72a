//! Django's cases of bulk creation, as they hold here; `docs/django.md` lists the others.

use crate::accounts::{LOG, SCHEMA, User, named, numbered, stored};
use crate::letters::{Letter, NewParcel, Parcel, new_letter};
use backends::{System, TestConnection, fresh, of_rows, on, rows, statements, system, verbs};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { marks (id) { id -> Integer, name -> Text } }

/// Where a mark of the same name is ignored; MySQL has nothing for that.
fn marks() -> &'static str {
    on(
        "CREATE TABLE marks (id {key}, name TEXT NOT NULL UNIQUE ON CONFLICT IGNORE);",
        "CREATE TABLE marks (id {key}, name TEXT NOT NULL UNIQUE);
        {trigger ignore BEFORE INSERT ON marks:
            IF EXISTS (SELECT FROM marks WHERE name = NEW.name) THEN RETURN NULL; END IF;}",
        "CREATE TABLE marks (id {key}, name TEXT NOT NULL UNIQUE);",
    )
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Mark {
    id: i32,
    name: String,
}

/// Marks whose keys the application may choose.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = marks)]
#[hooks(new = MaybeMark)]
struct ChosenMark {
    id: i32,
    name: String,
}

#[derive(Insertable)]
#[diesel(table_name = marks)]
struct MaybeMark {
    id: Option<i32>,
    name: String,
}

#[receiver]
fn marked(event: &PostCreate<Mark>) {
    LOG.push(format!("marked {}", event.instance.name));
}

fn new_marks(names: &[&str]) -> Vec<NewMark> {
    names
        .iter()
        .map(|name| NewMark {
            name: (*name).into(),
        })
        .collect()
}

#[test]
fn blk_01_many_rows_are_one_insert_with_signals_for_each_and_their_keys() {
    let mut conn = fresh(crate::letters::SCHEMA);
    Letter::create(&mut conn, new_letter("first")).expect("the table is known");
    crate::letters::LOG.take();
    let new = ["a", "b", "c"].map(new_letter);
    let (made, sent) = statements(&mut conn, |conn| Letter::create_many(conn, new.into()));
    let made = made.expect("letters");
    let rows: Vec<_> = made.iter().map(|it| (it.id, &*it.text)).collect();
    assert_eq!(rows, [(2, "a"), (3, "b"), (4, "c")]);
    let expected: &[_] = on(
        // The last key that there was, the rows, and the rows as the database has them.
        &["BEGIN", "SELECT", "INSERT", "SELECT", "COMMIT"],
        &["BEGIN", "INSERT", "COMMIT"],
        // Nobody says which keys it makes for several.
        &[
            "BEGIN", "INSERT", "SELECT", "INSERT", "SELECT", "INSERT", "SELECT", "COMMIT",
        ],
    );
    assert_eq!(verbs(&sent), expected);
    let log = crate::letters::LOG.take();
    for (event, times) in [("pre_create", 3), ("post_create", 3)] {
        assert_eq!(
            log.iter().filter(|it| *it == event).count(),
            times,
            "{log:?}"
        );
    }
    let mut first = made.into_iter().next().expect("a letter");
    first.text = "saved".into();
    first.save(&mut conn).expect("it counts as saved");
}

#[test]
fn blk_02_rows_with_and_without_a_key_go_in_by_one_transaction_in_their_order() {
    let mut conn = fresh(marks());
    let new = [(Some(9), "a"), (None, "b"), (Some(5), "c"), (None, "d")];
    let new = new.map(|(id, name)| MaybeMark {
        id,
        name: name.into(),
    });
    ChosenMark::create(
        &mut conn,
        MaybeMark {
            id: None,
            name: "first".into(),
        },
    )
    .expect("the table is known");
    let (made, sent) = statements(&mut conn, |conn| ChosenMark::create_many(conn, new.into()));
    if system() == System::Mysql {
        // It tells only the keys that it makes.
        assert!(made.is_err());
        assert_eq!(rows(&mut conn, "marks"), ["1 first"]);
        return;
    }
    let made = made.expect("marks");
    let made: Vec<_> = made.iter().map(|it| (it.id, &*it.name)).collect();
    // PostgreSQL's sequence knows of no key but its own.
    let [b, d] = on([10, 11], [2, 3], [0, 0]);
    assert_eq!(made, [(9, "a"), (b, "b"), (5, "c"), (d, "d")]);
    let begun = verbs(&sent).iter().filter(|it| **it == "BEGIN").count();
    assert_eq!(begun, 1);
}

#[test]
fn blk_03_what_is_too_much_for_one_statement_goes_in_several_and_one_transaction() {
    let mut conn = fresh(SCHEMA);
    User::create(&mut conn, named("first")).expect("the tables are known");
    let (made, sent) = statements(&mut conn, |conn| User::create_many(conn, numbered(100)));
    assert_eq!(made.expect("users").len(), 100);
    let inserts = of_rows(&sent).iter().filter(|it| **it == "INSERT").count();
    // On MySQL, which tells the key of one, each row has its own.
    assert_eq!(inserts, on(6, 3, 300), "two for the rows of each model");
    let begun = verbs(&sent).iter().filter(|it| **it == "BEGIN").count();
    assert_eq!(begun, 1);
    LOG.take();

    let mut new = numbered(200).split_off(100);
    new[99].name = "nobody".into();
    User::create_many(&mut conn, new).expect_err("the last profile is refused");
    assert_eq!(stored(&mut conn), [101; 3]);
}

#[test]
fn blk_04_no_rows_are_no_statement_and_no_signal() {
    let mut conn = fresh(SCHEMA);
    let (made, sent) = statements(&mut conn, |conn| User::create_many(conn, Vec::new()));
    assert!(made.expect("nothing").is_empty());
    assert_eq!(sent, [""; 0]);
    assert_eq!(LOG.take(), [""; 0]);
}

#[test]
fn blk_05_a_row_that_the_schema_ignores_is_an_error_and_never_an_event_with_a_key_that_is_not_there()
 {
    let mut conn = fresh(marks());
    Mark::create(&mut conn, new_marks(&["taken"]).remove(0)).expect("a mark");
    assert_eq!(LOG.take(), ["marked taken"]);
    let ignored = Mark::create_many(&mut conn, new_marks(&["a", "taken", "b"]));
    let error = ignored.expect_err("one is not there");
    match system() {
        System::Mysql => assert!(matches!(error, Error::Query { .. }), "{error:?}"),
        System::Sqlite | System::Postgres => {
            assert!(
                matches!(error, Error::RowCount { model: "Mark", .. }),
                "{error:?}"
            );
        }
    }
    assert_eq!(LOG.take(), [""; 0]);
    let stored: i64 = marks::table.count().get_result(&mut conn).expect("a count");
    assert_eq!(stored, 1);

    let mut conn = fresh(crate::letters::SCHEMA);
    conn.batch_execute("INSERT INTO parcels VALUES ('taken', '')")
        .expect("a parcel");
    let new = ["a", "taken", "b"].map(|code| NewParcel {
        code: code.into(),
        content: "books".into(),
    });
    crate::letters::LOG.take();
    let refused = Parcel::create_many(&mut conn, new.into());
    assert!(matches!(
        refused,
        Err(Error::Query {
            model: Some("Parcel"),
            ..
        })
    ));
    assert!(
        !crate::letters::LOG
            .take()
            .iter()
            .any(|it| it.starts_with("post"))
    );
}
