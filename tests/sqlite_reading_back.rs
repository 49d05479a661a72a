//! A created row is the one that the database has, on every kind of SQLite's tables, and costs the fewest
//! statements.
#![allow(missing_docs)]

mod common;

use common::{memory, statements};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

diesel::table! { items (id) { id -> Integer, name -> Text, price -> Nullable<Integer> } }
diesel::table! { coupons (code) { code -> Text, percent -> Integer } }

/// Made by the database: the key.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Item {
    id: i32,
    name: String,
    price: Option<i32>,
}

/// Made by the application: the key, and what is inserted leaves defaults to the database.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(primary_key(code))]
#[hooks(new = NewCoupon)]
struct Coupon {
    code: String,
    percent: i32,
}

#[derive(Insertable)]
#[diesel(table_name = coupons)]
struct NewCoupon {
    code: Option<String>,
    percent: Option<i32>,
}

const ITEMS: &str =
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER);";
const COUPONS: &str = "CREATE TABLE coupons (
    code TEXT PRIMARY KEY NOT NULL DEFAULT (lower(hex(randomblob(8)))), percent INTEGER NOT NULL DEFAULT 5)";

fn new_item(name: &str) -> NewItem {
    NewItem {
        name: name.into(),
        price: None,
    }
}

fn stored(conn: &mut SqliteConnection) -> Vec<Item> {
    items::table
        .order(items::id)
        .load(conn)
        .expect("items can be read")
}

#[test]
fn inside_a_transaction_a_silent_create_is_an_insert_and_a_select() {
    let mut conn = memory(ITEMS);
    Item::create(&mut conn, new_item("the first looks at the table")).expect("an item");
    conn.transaction(|conn| -> diesel_hooks::Result {
        let (item, seen) = statements(conn, |conn| Item::create(conn, new_item("second")));
        assert_eq!(item?.name, "second");
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(
            seen[0].starts_with("INSERT INTO") && !seen[0].contains("RETURNING"),
            "{seen:?}"
        );
        assert!(
            seen[1].starts_with("SELECT")
                && seen[1].ends_with("_rowid_ = last_insert_rowid() AND changes() = 1"),
            "{seen:?}"
        );
        Ok(())
    })
    .expect("committed");
}

#[test]
fn alone_a_silent_create_is_one_immediate_transaction() {
    let mut conn = memory(ITEMS);
    Item::create(&mut conn, new_item("the first looks at the table")).expect("an item");
    let (_, seen) = statements(&mut conn, |conn| Item::create(conn, new_item("second")));
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(
        (seen[0].as_str(), seen[3].as_str()),
        ("BEGIN IMMEDIATE", "COMMIT")
    );
}

#[test]
fn silent_updates_and_deletes_are_one_statement() {
    let mut conn = memory(ITEMS);
    let mut item = Item::create(&mut conn, new_item("a")).expect("an item");
    let (_, seen) = statements(&mut conn, |conn| item.save(conn));
    assert_eq!(
        seen,
        ["UPDATE `items` SET `name` = ?, `price` = ? WHERE `items`.`id` = ?"]
    );
    let (_, seen) = statements(&mut conn, |conn| {
        item.update(conn, |item| item.price = Some(3))
    });
    assert_eq!(
        seen,
        ["UPDATE `items` SET `price` = ? WHERE `items`.`id` = ?"]
    );
    let (_, seen) = statements(&mut conn, |conn| item.delete(conn));
    assert_eq!(seen, ["DELETE FROM `items` WHERE `items`.`id` = ?"]);
    assert!(stored(&mut conn).is_empty());
}

#[test]
fn what_an_after_trigger_changes_is_in_the_row() {
    let mut conn = memory(ITEMS);
    conn.batch_execute(
        "CREATE TRIGGER priced AFTER INSERT ON items BEGIN UPDATE items SET price = 7 WHERE id = new.id; END",
    )
    .expect("a trigger");
    let item = Item::create(&mut conn, new_item("a")).expect("an item");
    assert_eq!(item.price, Some(7));
    assert_eq!(stored(&mut conn), [item]);
}

#[test]
fn rows_that_a_trigger_inserts_elsewhere_or_here_do_not_confuse_the_key() {
    for table in [
        "items (name) SELECT 'copy' WHERE new.name <> 'copy'",
        "other (n) VALUES (1), (2), (3)",
    ] {
        for time in ["BEFORE", "AFTER"] {
            let mut conn = memory(ITEMS);
            conn.batch_execute(&format!(
                "CREATE TABLE other (n INTEGER); CREATE TRIGGER t {time} INSERT ON items BEGIN INSERT INTO {table}; END"
            ))
            .expect("a trigger");
            let items = Item::create_many(&mut conn, vec![new_item("a"), new_item("b")])
                .expect("two items");
            let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
            assert_eq!(names, ["a", "b"], "{time} {table}");
            assert!(
                items.iter().all(|item| stored(&mut conn).contains(item)),
                "{time} {table}"
            );
        }
    }
}

#[test]
fn a_default_and_a_key_that_the_database_makes_are_in_the_row() {
    for suffix in [";", " WITHOUT ROWID;"] {
        let mut conn = memory(&format!("{COUPONS}{suffix}"));
        let coupon = Coupon::create(
            &mut conn,
            NewCoupon {
                code: None,
                percent: None,
            },
        )
        .expect("a coupon");
        assert_eq!((coupon.code.len(), coupon.percent), (16, 5), "{suffix}");
        assert_eq!(
            Coupon::get(&mut conn, coupon.code.clone()).expect("it is there"),
            coupon,
            "{suffix}"
        );
    }
}

#[test]
fn a_table_without_rowid_is_noticed_on_each_connection() {
    // The same model, on databases of both kinds in one process.
    for without_rowid in [false, true, false, true] {
        let suffix = if without_rowid {
            " WITHOUT ROWID;"
        } else {
            ";"
        };
        let mut conn = memory(&format!("{ITEMS}{COUPONS}{suffix}"));
        // Leaves a rowid behind that would point at a wrong row.
        Item::create(&mut conn, new_item("x")).expect("an item");
        for code in ["a", "b", "c"] {
            let new = NewCoupon {
                code: Some(code.into()),
                percent: Some(9),
            };
            let coupon = conn
                .transaction(|conn| Coupon::create(conn, new))
                .expect("a coupon");
            assert_eq!(
                coupon,
                Coupon {
                    code: code.into(),
                    percent: 9
                },
                "{suffix}"
            );
        }
    }
}

#[test]
fn an_integer_key_that_is_no_rowid_is_read_by_the_rowid_all_the_same() {
    let mut conn = memory("CREATE TABLE coupons (code TEXT, percent INT PRIMARY KEY DESC);");
    let coupon = Coupon::create(
        &mut conn,
        NewCoupon {
            code: Some("a".into()),
            percent: Some(70),
        },
    )
    .expect("a coupon");
    assert_eq!(coupon.percent, 70);
}

#[test]
fn a_table_that_appears_later_is_found() {
    let mut conn = memory("");
    let error = Item::create(&mut conn, new_item("a")).expect_err("no such table");
    assert!(error.to_string().contains("no such table"), "{error}");
    conn.batch_execute(ITEMS).expect("a table");
    assert_eq!(
        Item::create(&mut conn, new_item("a")).expect("an item").id,
        1
    );
}

mod unreadable {
    use diesel::deserialize::{self, FromSql, FromSqlRow};
    use diesel::expression::AsExpression;
    use diesel::prelude::*;
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::Text;
    use diesel::sqlite::{Sqlite, SqliteValue};
    use diesel_hooks::prelude::*;

    diesel::table! { levels (code) { code -> Text, level -> Text } }

    /// A text that reads only as what it should be.
    #[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
    #[diesel(sql_type = Text)]
    pub(crate) struct High;

    impl ToSql<Text, Sqlite> for High {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
            <str as ToSql<Text, Sqlite>>::to_sql("high", out)
        }
    }

    impl FromSql<Text, Sqlite> for High {
        fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
            match <String as FromSql<Text, Sqlite>>::from_sql(value)?.as_str() {
                "high" => Ok(High),
                _ => Err("not high".into()),
            }
        }
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
    #[diesel(primary_key(code))]
    #[hooks(new = Self)]
    pub(crate) struct Level {
        pub(crate) code: String,
        pub(crate) level: High,
    }
}

#[test]
fn a_row_that_cannot_be_read_back_is_taken_back() {
    use unreadable::{High, Level, levels};

    for suffix in ["", " WITHOUT ROWID"] {
        let mut conn = memory(&format!(
            "CREATE TABLE levels (code TEXT PRIMARY KEY NOT NULL, level TEXT NOT NULL){suffix};
             CREATE TRIGGER spoil AFTER INSERT ON levels BEGIN UPDATE levels SET level = 'low'; END"
        ));
        let create = |conn: &mut SqliteConnection| {
            Level::create(
                conn,
                Level {
                    code: "a".into(),
                    level: High,
                },
            )
        };
        let count = |conn: &mut SqliteConnection| levels::table.count().get_result::<i64>(conn);
        let error = create(&mut conn).expect_err("unreadable");
        assert!(
            error.to_string().ends_with("deserializing field 'level'"),
            "{error}"
        );
        assert_eq!(count(&mut conn), Ok(0), "{suffix}");
        conn.transaction(|conn| {
            create(conn).expect_err("unreadable");
            assert_eq!(
                count(conn),
                Ok(0),
                "inside the application's transaction{suffix}"
            );
            QueryResult::Ok(())
        })
        .expect("still usable");
    }
}

#[test]
fn a_row_that_a_trigger_removes_at_once_is_an_error() {
    let mut conn = memory(ITEMS);
    conn.batch_execute(
        "CREATE TRIGGER gone AFTER INSERT ON items BEGIN DELETE FROM items WHERE id = new.id; END",
    )
    .expect("a trigger");
    let error = Item::create(&mut conn, new_item("a")).expect_err("gone");
    assert!(
        matches!(
            error,
            Error::RowCount {
                model: "Item",
                actual: 0,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_instrumentation_of_the_applications_own_keeps_working() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let mut conn = memory(&format!("{ITEMS}{COUPONS} WITHOUT ROWID;"));
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&heard);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { .. } = event {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(
        Item::create(&mut conn, new_item("a")).expect("an item").id,
        1
    );
    let new = NewCoupon {
        code: Some("a".into()),
        percent: Some(9),
    };
    assert_eq!(Coupon::create(&mut conn, new).expect("a coupon").percent, 9);
    assert!(heard.load(Ordering::Relaxed) >= 4);
}
