//! A delete takes few statements, none of them too long, and loads only what somebody hears of or what leads
//! there.
#![allow(missing_docs)]

mod common;

use backends::model;
use common::script::{LOG, counted};
use common::{memory, of_rows, rows, statements};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Store of stores { name: String = [Text] });
model!(Order of orders {
    #[hooks(foreign_key(Store, on_delete = Cascade))]
    store_id: i32 = [Integer],
});
model!(Line of lines {
    #[hooks(foreign_key(Order, on_delete = Cascade))]
    order_id: i32 = [Integer],
});
model!(Scan of scans {
    #[hooks(foreign_key(Line, on_delete = Cascade))]
    line_id: i32 = [Integer],
});
model!(Visitor of visitors {
    #[hooks(foreign_key(Store, on_delete = SetNull))]
    store_id: Option<i32> = [Nullable<Integer>],
});

#[receiver]
fn store_goes(event: &PreDelete<Store>) {
    LOG.push(format!("pre {}", event.instance.name));
}

model!(Choir of choirs { name: String = [Text] });
model!(Singer of singers {
    #[hooks(foreign_key(Choir, on_delete = Cascade))]
    choir_id: i32 = [Integer],
});
model!(Score of scores {
    #[hooks(foreign_key(Singer, on_delete = Cascade))]
    singer_id: i32 = [Integer],
});
model!(Award of awards {
    #[hooks(foreign_key(Singer, on_delete = Cascade))]
    singer_id: i32 = [Integer],
});

#[receiver]
fn singers_go(events: &[PreDelete<Singer>]) {
    LOG.push(format!("{} singers go", events.len()));
}

#[receiver]
fn scores_went(events: &[PostDelete<Score>]) {
    LOG.push(format!("{} scores went", events.len()));
}

const SCHEMA: &str = "
    CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores);
    CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders);
    CREATE TABLE scans (id INTEGER PRIMARY KEY, line_id INTEGER NOT NULL REFERENCES lines);
    CREATE TABLE visitors (id INTEGER PRIMARY KEY, store_id INTEGER REFERENCES stores);
    CREATE TABLE choirs (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE singers (id INTEGER PRIMARY KEY, choir_id INTEGER NOT NULL REFERENCES choirs);
    CREATE TABLE scores (id INTEGER PRIMARY KEY, singer_id INTEGER NOT NULL REFERENCES singers);
    CREATE TABLE awards (id INTEGER PRIMARY KEY, singer_id INTEGER NOT NULL REFERENCES singers);
    CREATE INDEX orders_store ON orders (store_id); CREATE INDEX lines_order ON lines (order_id);
    CREATE INDEX scans_line ON scans (line_id); CREATE INDEX singers_choir ON singers (choir_id);
    CREATE INDEX scores_singer ON scores (singer_id); CREATE INDEX awards_singer ON awards (singer_id);
    INSERT INTO stores VALUES (1, 'one'), (2, 'two'); INSERT INTO choirs VALUES (1, 'one'), (2, 'two');
";

/// A database with so many rows in each of these tables, the i-th of which refers to the `i % parents + 1`-th.
fn database(tables: &[(&str, usize, usize)]) -> SqliteConnection {
    let mut conn = memory(SCHEMA);
    for (table, count, parents) in tables {
        conn.batch_execute(&format!(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO {table} SELECT i, i % {parents} + 1 FROM n;"
        ))
        .expect("the rows are right");
    }
    conn
}

fn choir(conn: &mut SqliteConnection) -> Choir {
    Choir::get(conn, 1).expect("a choir")
}

/// How many keys one statement names.
const BATCH: usize = 250;

/// Of a statement about rows; what asks for the schema has its own.
fn most_parameters(sent: &[String]) -> usize {
    let of_rows = sent.iter().filter(|sql| !sql.contains("pragma_"));
    let parameters = of_rows.map(|sql| sql.matches('?').count());
    parameters.max().unwrap_or_default()
}

#[test]
fn a_level_that_is_heard_costs_one_select_and_one_delete_for_each_relation() {
    let mut conn = database(&[
        ("singers", 200, 1),
        ("scores", 200, 200),
        ("awards", 200, 200),
    ]);
    let choir = choir(&mut conn);
    let (deleted, sent) = statements(&mut conn, |conn| choir.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 601);
    // The singers and their scores are read; the awards go unseen.
    let expected = ["SELECT", "SELECT", "DELETE", "DELETE", "DELETE", "DELETE"];
    assert_eq!(of_rows(&sent), expected, "{sent:#?}");
    assert_eq!(LOG.take(), ["200 singers go", "200 scores went"]);
}

#[test]
fn a_silent_subtree_goes_by_nested_subqueries_whatever_its_size() {
    for count in [1, 3_000] {
        let tables = [
            ("orders", count, 2),
            ("lines", count, count),
            ("scans", count, count),
        ];
        let mut conn = database(&tables);
        diesel::sql_query("UPDATE orders SET store_id = 1")
            .execute(&mut conn)
            .expect("moved");
        let store = Store::get(&mut conn, 1).expect("a store");
        let (deleted, sent) = statements(&mut conn, |conn| store.delete(conn));
        assert_eq!(deleted.expect("deleted").total, 3 * count + 1);
        let expected = ["SELECT", "UPDATE", "DELETE", "DELETE", "DELETE", "DELETE"];
        assert_eq!(of_rows(&sent), expected, "{sent:#?}");
        let scans = sent
            .iter()
            .find(|sql| sql.starts_with("DELETE FROM `scans`"));
        assert_eq!(
            scans.map(|sql| sql.matches("(SELECT ").count()),
            Some(2),
            "{scans:?}"
        );
        assert_eq!(LOG.take(), ["pre one"]);
        assert_eq!(rows(&mut conn, "scans"), [""; 0]);
    }
}

#[test]
fn a_hundred_thousand_rows_go_without_a_statement_that_is_too_long() {
    const COUNT: usize = 100_000;
    let mut conn = database(&[("singers", COUNT, 1), ("awards", COUNT, COUNT)]);
    let choir = choir(&mut conn);
    let (deleted, sent) = statements(&mut conn, |conn| choir.delete(conn));
    let each = vec![("Award", COUNT), ("Choir", 1), ("Singer", COUNT)];
    assert_eq!(counted(deleted.expect("deleted")), (2 * COUNT + 1, each));
    assert_eq!(most_parameters(&sent), BATCH);
    // The singers, and for each batch of them their scores; the awards and the singers go, and the choir.
    let parts = COUNT.div_ceil(BATCH);
    let verbs = of_rows(&sent);
    let count = |verb| verbs.iter().filter(|it| **it == verb).count();
    assert_eq!(
        (count("SELECT"), count("DELETE")),
        (1 + parts, 2 * parts + 1)
    );

    let mut conn = database(&[("orders", COUNT, 1), ("lines", COUNT, COUNT)]);
    let store = Store::get(&mut conn, 1).expect("a store");
    let (deleted, sent) = statements(&mut conn, |conn| store.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 2 * COUNT + 1);
    assert_eq!(most_parameters(&sent), 1);
}

#[test]
fn a_query_of_a_hundred_thousand_rows_goes_without_a_statement_that_is_too_long() {
    const COUNT: usize = 100_000;
    let mut conn = database(&[("orders", COUNT, 1), ("lines", COUNT, COUNT)]);
    let (deleted, sent) = statements(&mut conn, |conn| orders::table.delete_hooked::<Order>(conn));
    let each = vec![("Line", COUNT), ("Order", COUNT)];
    assert_eq!(counted(deleted.expect("deleted")), (2 * COUNT, each));
    assert_eq!(most_parameters(&sent), BATCH);
}

#[test]
fn a_delete_of_at_most_so_many_rows_stops_before_anything_is_written_or_sent() {
    let mut conn = database(&[("singers", 10, 1), ("scores", 10, 10), ("awards", 10, 10)]);
    let choir = choir(&mut conn);
    let (outcome, sent) = statements(&mut conn, |conn| choir.delete_at_most(conn, 30));
    let error = outcome.expect_err("31 rows");
    assert!(
        matches!(error, Error::TooManyRows { max_rows: 30, .. }),
        "{error:?}"
    );
    assert!(
        of_rows(&sent).iter().all(|verb| *verb == "SELECT"),
        "{sent:?}"
    );
    assert_eq!(LOG.take(), [""; 0]);
    assert_eq!(rows(&mut conn, "awards").len(), 10);
    assert_eq!(
        choir.delete_at_most(&mut conn, 31).expect("deleted").total,
        31
    );
    assert_eq!(LOG.take(), ["10 singers go", "10 scores went"]);
    assert_eq!(rows(&mut conn, "choirs"), ["2 two"]);
}

#[test]
fn at_most_so_many_rows_of_a_query_count_with_what_depends_on_them() {
    let mut conn = database(&[("orders", 10, 2), ("lines", 10, 10)]);
    let all = || orders::table.filter(orders::store_id.eq(1));
    let error = all()
        .delete_hooked_at_most::<Order>(&mut conn, 9)
        .expect_err("10 rows");
    assert_eq!(
        error.to_string(),
        "the delete would take more than 9 rows, the first too many a Line"
    );
    assert_eq!(
        (
            rows(&mut conn, "orders").len(),
            rows(&mut conn, "lines").len()
        ),
        (10, 10)
    );
    let deleted = all()
        .delete_hooked_at_most::<Order>(&mut conn, 10)
        .expect("deleted");
    assert_eq!(counted(deleted), (10, vec![("Line", 5), ("Order", 5)]));
}

/// A database in which a trigger keeps the second row of a table.
fn keeping(table: &str, tables: &[(&str, usize, usize)]) -> SqliteConnection {
    let mut conn = database(tables);
    conn.batch_execute(&format!(
        "CREATE TRIGGER keep BEFORE DELETE ON {table} WHEN OLD.id = 2 BEGIN SELECT RAISE(IGNORE); END;"
    ))
    .expect("a trigger");
    conn
}

#[test]
fn rows_of_a_batch_that_a_trigger_keeps_are_an_error_that_undoes_the_others() {
    let tables = [("singers", 5, 1), ("scores", 5, 5), ("awards", 5, 5)];
    for (kept, ..) in tables {
        let mut conn = keeping(kept, &tables);
        let error = choir(&mut conn).delete(&mut conn).expect_err("kept");
        assert!(matches!(error, Error::RowCount { .. }), "{kept}: {error:?}");
        let error = singers::table
            .delete_hooked::<Singer>(&mut conn)
            .expect_err("kept");
        assert!(matches!(error, Error::RowCount { .. }), "{kept}: {error:?}");
        assert_eq!(rows(&mut conn, "choirs").len(), 2);
        for (table, ..) in tables {
            assert_eq!(rows(&mut conn, table).len(), 5, "{table}");
        }
    }
    LOG.take();
}

#[test]
fn rows_of_a_silent_query_that_a_trigger_keeps_are_an_error_that_undoes_the_others() {
    let tables = [("orders", 4, 1), ("lines", 4, 4), ("scans", 4, 4)];
    for (kept, ..) in tables {
        let mut conn = keeping(kept, &tables);
        let error = orders::table
            .delete_hooked::<Order>(&mut conn)
            .expect_err("kept");
        assert!(matches!(error, Error::RowCount { .. }), "{kept}: {error:?}");
        for (table, ..) in tables {
            assert_eq!(rows(&mut conn, table).len(), 4, "{table}");
        }
    }
    let mut conn = keeping("scans", &tables);
    let error = scans::table
        .delete_hooked::<Scan>(&mut conn)
        .expect_err("kept");
    assert!(matches!(error, Error::RowCount { .. }), "{error:?}");
    assert_eq!(rows(&mut conn, "scans").len(), 4);
}
