//! Columns of the types that applications have come back as they were written, and tell what changed.

use std::cell::RefCell;

use backends::{Database, TestConnection, count};
use bigdecimal::BigDecimal;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel_hooks::prelude::*;
use serde_json::json;
use uuid::Uuid;

mod stored;

use stored::{Document, Id, JSON, StoredDocument, StoredId, bytes};

/// Text in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
enum State {
    Open,
    Closed,
}

impl<DB: Backend> FromSql<Text, DB> for State
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(bytes)?.as_str() {
            "open" => Ok(State::Open),
            "closed" => Ok(State::Closed),
            other => Err(format!("no state {other}").into()),
        }
    }
}

impl<DB: Backend> ToSql<Text, DB> for State
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        match self {
            State::Open => "open".to_sql(out),
            State::Closed => "closed".to_sql(out),
        }
    }
}

const TABLES: &str = "
    CREATE TABLE orders (
        id {id} PRIMARY KEY, state VARCHAR(10) NOT NULL, total NUMERIC(20, 4) NOT NULL, details {json} NOT NULL,
        day DATE NOT NULL, hour TIME NOT NULL, seen TIMESTAMP NULL, attachment {bytes}, weight DOUBLE PRECISION NOT NULL,
        pieces BIGINT NOT NULL, shelf SMALLINT NOT NULL, paid BOOLEAN NOT NULL
    );
    CREATE TABLE parcels (id {id} PRIMARY KEY, order_id {id} NOT NULL UNIQUE, FOREIGN KEY (order_id) REFERENCES orders (id));
";

diesel::table! {
    use diesel::sql_types::*;
    use super::{StoredDocument, StoredId};

    orders (id) {
        id -> StoredId,
        state -> Text,
        total -> Numeric,
        details -> StoredDocument,
        day -> Date,
        hour -> Time,
        seen -> Nullable<Timestamp>,
        attachment -> Nullable<Binary>,
        weight -> Double,
        pieces -> BigInt,
        shelf -> SmallInt,
        paid -> Bool,
    }
}
diesel::table! {
    use super::StoredId;

    parcels (id) { id -> StoredId, order_id -> StoredId }
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
struct Order {
    id: Id,
    state: State,
    total: BigDecimal,
    details: Document,
    day: NaiveDate,
    hour: NaiveTime,
    seen: Option<NaiveDateTime>,
    attachment: Option<Vec<u8>>,
    weight: f64,
    pieces: i64,
    shelf: i16,
    paid: bool,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
struct Parcel {
    id: Id,
    #[hooks(one_to_one(Order, on_delete = Cascade, related_name = parcel, auto_create = parcel_of))]
    order_id: Id,
}

fn parcel_of(order: &Order) -> Parcel {
    Parcel {
        id: Id(Uuid::from_u128(order.id.0.as_u128() + 1_000)),
        order_id: order.id,
    }
}

thread_local! {
    static CHANGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[receiver]
fn what_changed(event: &PostUpdate<Order>) {
    let columns = event.changed_columns().map(ToOwned::to_owned);
    CHANGED.with_borrow_mut(|changed| changed.extend(columns));
}

fn order(number: u128) -> Order {
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).expect("a day");
    let hour = NaiveTime::from_hms_opt(23, 59, 58).expect("a time");
    Order {
        id: Id(Uuid::from_u128(number)),
        state: State::Open,
        total: "1234567890.1250".parse().expect("a number"),
        details: Document::of(json!({ "lines": [1, null, "two"], "note": "\u{e9} \"quoted\"" })),
        day,
        hour,
        seen: Some(day.and_time(hour)),
        attachment: Some(vec![0, 255, 39, 92]),
        weight: 0.1 + 0.2,
        pieces: i64::MAX,
        shelf: i16::MIN,
        paid: true,
    }
}

fn open() -> (Database, TestConnection) {
    let tables = TABLES.replace("{id}", bytes()).replace("{json}", JSON);
    Database::open(&tables)
}

#[test]
fn what_is_created_comes_back_as_it_was() {
    let (_database, mut conn) = open();
    let created = Order::create(&mut conn, order(1)).expect("created");
    assert_eq!(created, order(1));
    assert_eq!(Order::get(&mut conn, created.id).expect("stored"), order(1));
    let parcel = created.parcel(&mut conn).expect("created with it");
    assert_eq!(parcel, parcel_of(&created));

    let many: Vec<_> = (2..40).map(order).collect();
    let created = Order::create_many(&mut conn, many.clone()).expect("created");
    assert_eq!(created, many);
    assert_eq!(count(&mut conn, "parcels"), 39);
}

#[test]
fn an_update_tells_which_columns_changed() {
    let (_database, mut conn) = open();
    let mut it = Order::create(&mut conn, order(1)).expect("created");
    it.update(&mut conn, |it| {
        it.state = State::Closed;
        it.total += 1;
        it.details = Document::of(json!([]));
        it.day = it.day.succ_opt().expect("a day");
        it.seen = None;
        it.attachment = None;
        it.paid = false;
    })
    .expect("updated");
    let changed = CHANGED.take();
    let expected = [
        "state",
        "total",
        "details",
        "day",
        "seen",
        "attachment",
        "paid",
    ];
    assert_eq!(changed, expected);
    assert_eq!(Order::get(&mut conn, it.id).expect("stored"), it);
}

#[test]
fn keys_of_any_type_find_what_goes_with_a_row() {
    let (_database, mut conn) = open();
    let orders: Vec<_> = (1..10).map(order).collect();
    let orders = Order::create_many(&mut conn, orders).expect("created");
    let deleted = orders[0].delete(&mut conn).expect("deleted");
    assert_eq!(deleted.total, 2);
    let parcels = Order::prefetch_parcel(&mut conn, &orders[1..]).expect("loaded");
    assert!(parcels.iter().all(Option::is_some));
    let deleted = orders::table.delete_hooked::<Order>(&mut conn);
    assert_eq!(deleted.expect("deleted").total, 16);
}
