//! What waits for the transaction runs once, when it is durable, and never for what was rolled back.

use std::cell::RefCell;

use backends::{Database, System, TestConnection, count, system};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::sessions;

const TABLES: &str = "
    CREATE TABLE orders (id {key}, item VARCHAR(100) NOT NULL UNIQUE);
    CREATE TABLE order_lines (id {key}, order_id INTEGER NOT NULL, FOREIGN KEY (order_id) REFERENCES orders (id));
";

diesel::table! { orders (id) { id -> Integer, item -> Text } }
diesel::table! { order_lines (id) { id -> Integer, order_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Order {
    id: i32,
    item: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = order_lines)]
struct Line {
    id: i32,
    order_id: i32,
}

thread_local! {
    static SENT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn sent() -> Vec<String> {
    SENT.take()
}

fn send(what: impl Into<String>) {
    SENT.with_borrow_mut(|sent| sent.push(what.into()));
}

#[receiver(after_commit)]
fn ship(event: &PostCreate<Order>) {
    send(format!("ship {}", event.instance.item));
}

#[receiver(after_rollback)]
fn apologise(event: &PostCreate<Order>) {
    send(format!("no {}", event.instance.item));
}

/// Meets what it should not, and says nothing of it.
#[receiver]
fn swallow(event: &PostCreate<Line>, conn: &mut TestConnection) {
    let taken = diesel::insert_into(orders::table)
        .values(orders::item.eq("taken"))
        .execute(conn);
    assert!(taken.is_err(), "{}", event.instance.id);
}

fn order(conn: &mut TestConnection, item: &str) -> diesel_hooks::Result<Order> {
    Order::create(conn, NewOrder { item: item.into() })
}

#[test]
fn callbacks_run_after_the_outermost_commit_and_not_before() {
    let (_database, mut conn) = Database::open(TABLES);
    conn.transaction(|conn| {
        order(conn, "tea")?;
        conn.transaction(|conn| order(conn, "milk").map(drop))?;
        assert_eq!(sent(), [""; 0]);
        Ok::<_, Error>(())
    })
    .expect("committed");
    assert_eq!(sent(), ["ship tea", "ship milk"]);
}

#[test]
fn what_a_savepoint_rolled_back_is_not_told() {
    let (_database, mut conn) = Database::open(TABLES);
    conn.transaction(|conn| {
        order(conn, "tea")?;
        let inner: diesel_hooks::Result = conn.transaction(|conn| {
            order(conn, "milk")?;
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        assert!(inner.is_err());
        Ok::<_, Error>(())
    })
    .expect("committed");
    assert_eq!(sent(), ["no milk", "ship tea"]);
    assert_eq!(count(&mut conn, "orders"), 1);
}

#[test]
fn a_refused_statement_that_is_swallowed_is_no_commit_where_it_ends_the_transaction() {
    let (_database, mut conn) = Database::open(TABLES);
    order(&mut conn, "taken").expect("created");
    sent();
    // PostgreSQL answers such a COMMIT with a rollback and no error.
    let outcome = conn.transaction(|conn| {
        order(conn, "tea")?;
        let taken = diesel::insert_into(orders::table)
            .values(orders::item.eq("taken"))
            .execute(conn);
        assert!(taken.is_err());
        Ok::<_, Error>(())
    });
    let tea = orders::table
        .filter(orders::item.eq("tea"))
        .count()
        .get_result::<i64>(&mut conn);
    match tea.expect("read") {
        0 => assert_eq!(sent(), ["no tea"], "{outcome:?}"),
        _ => assert_eq!(sent(), ["ship tea"], "{outcome:?}"),
    }
    let ends = system() == System::Postgres;
    assert_eq!(count(&mut conn, "orders") == 1, ends);
}

#[test]
fn an_operation_whose_receiver_swallowed_an_error_is_done_or_says_that_it_is_not() {
    let (_database, mut conn) = Database::open(TABLES);
    let taken = order(&mut conn, "taken").expect("created");
    sent();
    let outcome = Line::create(&mut conn, NewLine { order_id: taken.id });
    let lines = count(&mut conn, "order_lines");
    // On PostgreSQL the error ended the transaction.
    if system() == System::Postgres {
        assert!(
            matches!(outcome, Err(Error::TransactionLost { .. })),
            "{outcome:?}"
        );
        assert_eq!(lines, 0);
    } else {
        assert_eq!((outcome.is_ok(), lines), (true, 1), "{outcome:?}");
    }
    order(&mut conn, "next").expect("the connection is usable");
    assert_eq!(sent(), ["ship next"]);
}

#[test]
fn a_receivers_error_rolls_its_operation_back() {
    let (_database, mut conn) = Database::open(TABLES);
    let guard = conn
        .connect(|event: &PostCreate<Order>, conn: &mut TestConnection| {
            let order_id = event.instance.id;
            Line::create(
                conn,
                NewLine {
                    order_id: order_id + 1_000,
                },
            )
            .map(drop)
        })
        .expect("connected");
    conn.transaction(|conn| {
        assert!(order(conn, "tea").is_err());
        Ok::<_, diesel::result::Error>(())
    })
    .expect("the transaction goes on");
    drop(guard);
    assert_eq!(count(&mut conn, "orders"), 0);
    assert_eq!(sent(), ["no tea"]);
}

#[test]
fn a_conflict_that_ended_the_transaction_lets_nothing_of_it_be_told() {
    for by_text in [false, true] {
        let database = Database::new(TABLES);
        let mut conn = sessions::careful(&database);
        order(&mut conn, "tea").expect("created");
        sent();
        let mut other = database.connect();
        let drink = |conn: &mut TestConnection| match by_text {
            true => conn.batch_execute("UPDATE orders SET item = 'drunk'"),
            false => diesel::update(orders::table)
                .set(orders::item.eq("drunk"))
                .execute(conn)
                .map(drop),
        };
        // Whoever swallows the conflict goes on, on MariaDB outside of any transaction.
        let outcome = conn.transaction(|conn| {
            assert_eq!(count(conn, "orders"), 1);
            conn.after_commit(|| send("committed"))?;
            conn.after_rollback(|| send("rolled back"))?;
            drink(&mut other)?;
            assert!(drink(conn).is_err());
            Ok::<_, Error>(())
        });
        let told = match sessions::on_sqlite() {
            // There the statement alone was refused.
            true => "committed",
            false => "rolled back",
        };
        assert_eq!(sent(), [told], "{outcome:?}");
    }
}

#[test]
fn an_operation_that_lends_its_connection_says_what_the_database_said() {
    let (_database, mut conn) = Database::open(TABLES);
    let guard = conn
        .connect(|_: &PostCreate<Order>, _: &mut TestConnection| ())
        .expect("connected");
    order(&mut conn, "tea").expect("created");
    let error = order(&mut conn, "tea").expect_err("it is taken");
    let taken = matches!(
        &error,
        Error::Query {
            source: diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _),
            ..
        }
    );
    assert!(taken, "{error:?}");
    drop(guard);
    assert_eq!(count(&mut conn, "orders"), 1);
    assert_eq!(sent(), ["ship tea"]);
}

#[test]
fn an_error_that_a_receiver_swallowed_costs_its_operation_at_most() {
    let (_database, mut conn) = Database::open(TABLES);
    let taken = order(&mut conn, "taken").expect("created");
    sent();
    conn.transaction(|conn| {
        let outcome = Line::create(conn, NewLine { order_id: taken.id });
        assert_eq!(outcome.is_err(), sessions::on_postgres(), "{outcome:?}");
        order(conn, "next")
    })
    .expect("the transaction goes on");
    assert_eq!(count(&mut conn, "orders"), 2);
    assert_eq!(sent(), ["ship next"]);
}
