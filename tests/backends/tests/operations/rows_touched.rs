//! A delete says how many rows went, and is an error that undoes itself where that is not what it set out to delete.

use backends::script::counted;
use backends::{Log, TestConnection, fresh, insert, on};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { jars (id) { id -> Integer, label -> Text } }
diesel::table! { lids (id) { id -> Integer, jar_id -> Integer } }

const SCHEMA: &str = "
    CREATE TABLE jars (id {key}, label TEXT NOT NULL);
    CREATE TABLE lids (id {key}, jar_id INTEGER NOT NULL REFERENCES jars (id));
    INSERT INTO jars VALUES (1, 'jam'); INSERT INTO lids VALUES (1, 1), (2, 1);
";

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection))]
#[hooks(new = Self)]
struct Jar {
    id: i32,
    label: String,
}

/// Nobody listens to it.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Lid {
    id: i32,
    #[hooks(one_to_one(Jar, on_delete = Cascade))]
    jar_id: i32,
}

static LOG: Log = Log::new();

#[receiver]
fn empty(event: &PreDelete<Jar>) {
    LOG.push(format!("pre {}", event.instance.label));
}

fn rows(conn: &mut TestConnection) -> (Vec<Jar>, Vec<Lid>) {
    (
        jars::table.load(conn).expect("jars"),
        lids::table.load(conn).expect("lids"),
    )
}

/// Where nothing in the schema keeps lids and jars together.
fn without_foreign_key() -> TestConnection {
    fresh(&SCHEMA.replace(" REFERENCES jars (id)", ""))
}

fn jam() -> Jar {
    Jar {
        id: 1,
        label: "jam".into(),
    }
}

/// Has a trigger keep lids, which on MySQL it can only by an error.
fn keep_lids(conn: &mut TestConnection, which: &str, statements: &str) {
    let keep = on("RAISE IGNORE", "RAISE IGNORE", "RAISE ABORT 'kept'");
    insert(
        conn,
        &format!("{{trigger keep BEFORE DELETE ON lids WHEN {which}: {statements} {keep};}}"),
    );
}

fn refused(error: &Error, text: &str) {
    assert!(matches!(error, Error::RowCount { .. }), "{error:?}");
    assert!(error.to_string().starts_with(text), "{error}");
}

/// What is told of rows that a trigger keeps.
fn kept(error: &Error, text: &str) {
    match on(false, false, true) {
        true => {
            assert!(matches!(error, Error::Query { .. }), "{error:?}");
            assert!(error.to_string().contains("kept"), "{error}");
        }
        false => refused(error, text),
    }
}

#[test]
fn a_row_that_a_trigger_keeps_is_an_error_that_undoes_what_the_trigger_did() {
    for in_transaction in [false, true] {
        let mut conn = fresh(SCHEMA);
        keep_lids(
            &mut conn,
            "old.id > 0",
            "INSERT INTO jars VALUES (2, 'kept');",
        );
        let before = rows(&mut conn);
        let lid = Lid { id: 1, jar_id: 1 };
        let error = match in_transaction {
            true => conn
                .transaction(|conn| QueryResult::Ok(lid.delete(conn)))
                .expect("the application goes on"),
            false => lid.delete(&mut conn),
        };
        kept(
            &error.expect_err("kept"),
            "delete of Lid touched 0 rows instead of 1",
        );
        assert_eq!(rows(&mut conn), before);
    }
}

#[test]
fn a_delete_by_key_that_touches_two_rows_is_an_error_and_undone() {
    for in_transaction in [false, true] {
        let mut conn = fresh(
            "CREATE TABLE jars (id {key}, label TEXT NOT NULL);
             CREATE TABLE lids (id INTEGER NOT NULL, jar_id INTEGER NOT NULL);
             INSERT INTO lids VALUES (1, 1), (1, 2);",
        );
        let lid = Lid { id: 1, jar_id: 1 };
        let error = match in_transaction {
            true => conn
                .transaction(|conn| QueryResult::Ok(lid.delete(conn)))
                .expect("the application goes on"),
            false => lid.delete(&mut conn),
        };
        refused(
            &error.expect_err("two rows"),
            "delete of Lid touched 2 rows instead of 1",
        );
        assert_eq!(rows(&mut conn).1.len(), 2);
    }
}

#[test]
fn silent_children_that_a_trigger_keeps_are_an_error_even_if_some_went() {
    for (which, text) in [
        ("old.id > 0", "delete of Lid touched 0 rows instead of 2"),
        ("old.id = 2", "delete of Lid touched 1 rows instead of 2"),
    ] {
        let mut conn = without_foreign_key();
        keep_lids(&mut conn, which, "");
        let before = rows(&mut conn);
        kept(&jam().delete(&mut conn).expect_err("kept"), text);
        assert_eq!(rows(&mut conn), before);
        assert_eq!(LOG.take(), ["pre jam"]);
    }
}

#[test]
fn receivers_get_the_row_as_it_is_and_not_as_the_caller_remembers_it() {
    let mut conn = fresh(SCHEMA);
    diesel::update(jars::table)
        .set(jars::label.eq("honey"))
        .execute(&mut conn)
        .expect("plain Diesel");
    let deleted = jam().delete(&mut conn).expect("deleted");
    assert_eq!(LOG.take(), ["pre honey"]);
    assert_eq!(counted(deleted), (3, vec![("Jar", 1), ("Lid", 2)]));
}

#[test]
fn a_row_that_is_gone_is_not_heard_of_and_nothing_else_goes() {
    let mut conn = without_foreign_key();
    diesel::delete(jars::table)
        .execute(&mut conn)
        .expect("plain Diesel");
    let deleted = jam().delete(&mut conn).expect("gone already");
    assert_eq!(counted(deleted), (0, vec![]));
    assert!(LOG.take().is_empty());
    assert_eq!(rows(&mut conn).1.len(), 2);
}
