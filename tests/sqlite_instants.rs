//! Stamps of types with a time zone, which SQLite keeps in columns of Diesel's type for that, `TimestamptzSqlite`.
#![allow(missing_docs)]

mod common;

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use common::memory;
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

diesel::table! { visits (id) { id -> Integer, at -> Timestamp, instant -> TimestamptzSqlite } }
diesel::table! { calls (id) { id -> Integer, text -> Text, at -> Timestamp, day -> Nullable<Date>, instant -> TimestamptzSqlite } }

const SCHEMA: &str = "
    CREATE TABLE visits (id INTEGER PRIMARY KEY NOT NULL, at TIMESTAMP NOT NULL, instant TIMESTAMP NOT NULL);
    CREATE TABLE calls (id INTEGER PRIMARY KEY NOT NULL, text TEXT NOT NULL, at TIMESTAMP NOT NULL, day DATE, instant TIMESTAMP NOT NULL);
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Visit {
    id: i32,
    #[hooks(auto_now_add)]
    at: NaiveDateTime,
    #[hooks(auto_now)]
    instant: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Call {
    id: i32,
    text: String,
    #[hooks(auto_now_add)]
    at: PrimitiveDateTime,
    #[hooks(auto_now)]
    day: Option<Date>,
    #[hooks(auto_now)]
    instant: OffsetDateTime,
}

#[test]
fn an_instant_of_chrono_is_that_of_the_other_stamps() {
    let conn = &mut memory(SCHEMA);
    let before = Utc::now() - Duration::from_micros(1);
    let visit = Visit::create(conn, NewVisit {}).expect("a visit");
    assert!(before <= visit.instant && visit.instant <= Utc::now());
    assert_eq!(visit.instant.naive_utc(), visit.at);
    assert_eq!(Visit::get(conn, visit.id).expect("it is there"), visit);
}

#[test]
fn an_instant_of_time_is_that_of_the_other_stamps_and_is_written_by_an_update() {
    let conn = &mut memory(SCHEMA);
    let new = NewCall {
        text: "hello".into(),
    };
    let before = OffsetDateTime::now_utc() - Duration::from_micros(1);
    let call = Call::create(conn, new).expect("a call");
    assert!(before <= call.instant && call.instant <= OffsetDateTime::now_utc());
    assert_eq!(
        call.at,
        PrimitiveDateTime::new(call.instant.date(), call.instant.time())
    );
    assert_eq!(call.day, Some(call.at.date()));
    assert_eq!(Call::get(conn, call.id).expect("it is there"), call);

    let mut written = call.clone();
    std::thread::sleep(Duration::from_millis(2));
    written
        .update(conn, |it| it.text = "goodbye".into())
        .expect("it is there");
    assert!(written.instant > call.instant);
    assert_eq!(written.at, call.at);
    assert_eq!(Call::get(conn, call.id).expect("it is there"), written);
}
