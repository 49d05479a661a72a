//! A delete takes few statements, none of them too long, and loads only what somebody hears of or what leads
//! there.

use backends::script::{LOG, counted};
use backends::{
    LOCK, TestConnection, fresh, has_arrays, insert, keys_at_once, many, model, of_rows, on, rows,
    sequence, statements,
};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

model!(Store of stores { name: String = [Text] });
model!(Order of orders {
    #[hooks(foreign_key(Store, on_delete = Cascade))]
    store_id: i32 = [Integer],
});
model!(Bill of bills {
    #[hooks(foreign_key(Order, on_delete = Cascade))]
    order_id: i32 = [Integer],
});
model!(Scan of scans {
    #[hooks(foreign_key(Bill, on_delete = Cascade))]
    bill_id: i32 = [Integer],
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
    CREATE TABLE stores (id {key}, name TEXT NOT NULL);
    CREATE TABLE orders (id {key}, store_id INTEGER NOT NULL REFERENCES stores (id));
    CREATE TABLE bills (id {key}, order_id INTEGER NOT NULL REFERENCES orders (id));
    CREATE TABLE scans (id {key}, bill_id INTEGER NOT NULL REFERENCES bills (id));
    CREATE TABLE visitors (id {key}, store_id INTEGER REFERENCES stores (id));
    CREATE TABLE choirs (id {key}, name TEXT NOT NULL);
    CREATE TABLE singers (id {key}, choir_id INTEGER NOT NULL REFERENCES choirs (id));
    CREATE TABLE scores (id {key}, singer_id INTEGER NOT NULL REFERENCES singers (id));
    CREATE TABLE awards (id {key}, singer_id INTEGER NOT NULL REFERENCES singers (id));
    CREATE INDEX orders_store ON orders (store_id); CREATE INDEX bills_order ON bills (order_id);
    CREATE INDEX scans_bill ON scans (bill_id); CREATE INDEX singers_choir ON singers (choir_id);
    CREATE INDEX scores_singer ON scores (singer_id); CREATE INDEX awards_singer ON awards (singer_id);
    INSERT INTO stores VALUES (1, 'one'), (2, 'two'); INSERT INTO choirs VALUES (1, 'one'), (2, 'two');
";

/// A database with so many rows in each of these tables, the i-th of which refers to the `i % parents + 1`-th.
fn database(tables: &[(&str, usize, usize)]) -> TestConnection {
    let mut conn = fresh(SCHEMA);
    for (table, count, parents) in tables {
        insert(
            &mut conn,
            &many(table, *count, &format!("i, i % {parents} + 1")),
        );
    }
    conn
}

fn choir(conn: &mut TestConnection) -> Choir {
    Choir::get(conn, 1).expect("a choir")
}

/// How many parameters the keys are that one statement names at most.
fn most_keys() -> usize {
    if has_arrays() { 1 } else { keys_at_once() }
}

/// Of a statement about rows; what asks for the schema has its own.
fn most_parameters(sent: &[String]) -> usize {
    const CATALOGS: [&str; 3] = ["pragma_", "pg_", "information_schema"];
    let of_rows = sent
        .iter()
        .filter(|sql| !CATALOGS.iter().any(|it| sql.contains(it)));
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
    let expected = [
        LOCK, "SELECT", "SELECT", "DELETE", "DELETE", "DELETE", "DELETE",
    ];
    assert_eq!(of_rows(&sent), sequence(&expected), "{sent:#?}");
    assert_eq!(LOG.take(), ["200 singers go", "200 scores went"]);
}

#[test]
fn a_silent_subtree_goes_by_nested_subqueries_whatever_its_size() {
    for count in [1, 3_000] {
        let tables = [
            ("orders", count, 2),
            ("bills", count, count),
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
    assert_eq!(most_parameters(&sent), most_keys());
    // The singers, and for each batch of them their scores; the awards and the singers go, and the choir.
    let parts = COUNT.div_ceil(keys_at_once());
    let verbs = of_rows(&sent);
    let count = |verb| verbs.iter().filter(|it| **it == verb).count();
    assert_eq!(
        (count("SELECT"), count("DELETE")),
        (on(1, 2, 2) + parts, 2 * parts + 1)
    );

    let mut conn = database(&[("orders", COUNT, 1), ("bills", COUNT, COUNT)]);
    let store = Store::get(&mut conn, 1).expect("a store");
    let (deleted, sent) = statements(&mut conn, |conn| store.delete(conn));
    assert_eq!(deleted.expect("deleted").total, 2 * COUNT + 1);
    assert_eq!(most_parameters(&sent), 1);
}

#[test]
fn a_query_of_a_hundred_thousand_rows_goes_without_a_statement_that_is_too_long() {
    const COUNT: usize = 100_000;
    let mut conn = database(&[("orders", COUNT, 1), ("bills", COUNT, COUNT)]);
    let (deleted, sent) = statements(&mut conn, |conn| orders::table.delete_hooked::<Order>(conn));
    let each = vec![("Bill", COUNT), ("Order", COUNT)];
    assert_eq!(counted(deleted.expect("deleted")), (2 * COUNT, each));
    assert_eq!(most_parameters(&sent), most_keys());
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
    let mut conn = database(&[("orders", 10, 2), ("bills", 10, 10)]);
    let all = || orders::table.filter(orders::store_id.eq(1));
    let error = all()
        .delete_hooked_at_most::<Order>(&mut conn, 9)
        .expect_err("10 rows");
    assert_eq!(
        error.to_string(),
        "the delete would take more than 9 rows, the first too many a Bill"
    );
    assert_eq!(
        (
            rows(&mut conn, "orders").len(),
            rows(&mut conn, "bills").len()
        ),
        (10, 10)
    );
    let deleted = all()
        .delete_hooked_at_most::<Order>(&mut conn, 10)
        .expect("deleted");
    assert_eq!(counted(deleted), (10, vec![("Bill", 5), ("Order", 5)]));
}

/// A database in which a trigger keeps the second row of a table, which on MySQL it can only by an error.
fn keeping(table: &str, tables: &[(&str, usize, usize)]) -> TestConnection {
    let mut conn = database(tables);
    let keep = on("RAISE IGNORE", "RAISE IGNORE", "RAISE ABORT 'kept'");
    let trigger = format!("{{trigger keep BEFORE DELETE ON {table} WHEN OLD.id = 2: {keep};}}");
    insert(&mut conn, &trigger);
    conn
}

#[track_caller]
fn is_kept(error: &Error, table: &str) {
    let told = match error {
        Error::RowCount { .. } => on(true, true, false),
        error => on(false, false, true) && error.to_string().contains("kept"),
    };
    assert!(told, "{table}: {error:?}");
}

#[test]
fn rows_of_a_batch_that_a_trigger_keeps_are_an_error_that_undoes_the_others() {
    let tables = [("singers", 5, 1), ("scores", 5, 5), ("awards", 5, 5)];
    for (kept, ..) in tables {
        let mut conn = keeping(kept, &tables);
        let error = choir(&mut conn).delete(&mut conn).expect_err("kept");
        is_kept(&error, kept);
        let error = singers::table
            .delete_hooked::<Singer>(&mut conn)
            .expect_err("kept");
        is_kept(&error, kept);
        assert_eq!(rows(&mut conn, "choirs").len(), 2);
        for (table, ..) in tables {
            assert_eq!(rows(&mut conn, table).len(), 5, "{table}");
        }
    }
    LOG.take();
}

#[test]
fn rows_of_a_silent_query_that_a_trigger_keeps_are_an_error_that_undoes_the_others() {
    let tables = [("orders", 4, 1), ("bills", 4, 4), ("scans", 4, 4)];
    for (kept, ..) in tables {
        let mut conn = keeping(kept, &tables);
        let error = orders::table
            .delete_hooked::<Order>(&mut conn)
            .expect_err("kept");
        is_kept(&error, kept);
        for (table, ..) in tables {
            assert_eq!(rows(&mut conn, table).len(), 4, "{table}");
        }
    }
    let mut conn = keeping("scans", &tables);
    let error = scans::table
        .delete_hooked::<Scan>(&mut conn)
        .expect_err("kept");
    is_kept(&error, "scans");
    assert_eq!(rows(&mut conn, "scans").len(), 4);
}
