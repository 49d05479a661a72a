//! Whatever type a stamp has, its row is stamped, alone or with nothing else, and as what comes with another.

use std::time::SystemTime;

use backends::{TestConnection, fresh};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel_hooks::Timestamp;
use diesel_hooks::prelude::*;
use time::{Date, PrimitiveDateTime};

use crate::timestamps::{assert_within, during, let_time_pass, stored};

const SCHEMA: &str = "
    CREATE TABLE visits (id {key}, day DATE NOT NULL, at {timestamp} NOT NULL, written {timestamp});
    CREATE TABLE calls (id {key}, text TEXT NOT NULL, at {timestamp} NOT NULL, day DATE, written {timestamp} NOT NULL);
    CREATE TABLE jobs (id {key}, text TEXT NOT NULL, millis BIGINT NOT NULL);
    CREATE TABLE owners (id {key}, name TEXT NOT NULL);
    CREATE TABLE pets (id {key}, owner_id INTEGER NOT NULL UNIQUE REFERENCES owners (id), since {timestamp} NOT NULL);
";

diesel::table! { visits (id) { id -> Integer, day -> Date, at -> Timestamp, written -> Nullable<Timestamp> } }
diesel::table! { calls (id) { id -> Integer, text -> Text, at -> Timestamp, day -> Nullable<Date>, written -> Timestamp } }
diesel::table! { jobs (id) { id -> Integer, text -> Text, millis -> BigInt } }
diesel::table! { owners (id) { id -> Integer, name -> Text } }
diesel::table! { pets (id) { id -> Integer, owner_id -> Integer, since -> Timestamp } }

/// Nothing of it is the application's to give.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Visit {
    id: i32,
    #[hooks(auto_now_add)]
    day: NaiveDate,
    #[hooks(auto_now_add)]
    at: NaiveDateTime,
    #[hooks(auto_now)]
    written: Option<NaiveDateTime>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Call {
    id: i32,
    text: String,
    #[hooks(auto_now_add)]
    at: PrimitiveDateTime,
    #[hooks(auto_now)]
    day: Option<Date>,
    #[hooks(auto_now)]
    written: PrimitiveDateTime,
}

/// A timestamp of the application's own, which is stored as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Millis(i64);

impl Timestamp for Millis {
    fn at(instant: SystemTime) -> Self {
        let since = instant.duration_since(SystemTime::UNIX_EPOCH);
        Millis(since.map_or(0, |it| it.as_millis() as i64))
    }
}

impl From<Millis> for i64 {
    fn from(millis: Millis) -> i64 {
        millis.0
    }
}

impl From<i64> for Millis {
    fn from(millis: i64) -> Millis {
        Millis(millis)
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Job(
    #[diesel(column_name = id)] i32,
    #[diesel(column_name = text)] String,
    #[diesel(column_name = millis, serialize_as = i64, deserialize_as = i64)]
    #[hooks(auto_now)]
    Millis,
);

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Owner {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Pet {
    id: i32,
    #[hooks(one_to_one(Owner, on_delete = Cascade, related_name = pet, auto_create))]
    owner_id: i32,
    #[hooks(auto_now_add)]
    since: NaiveDateTime,
}

#[test]
fn a_row_of_nothing_but_stamps_is_created_from_nothing() {
    let conn = &mut fresh(SCHEMA);
    let (visit, clock) = during(|| Visit::create(conn, NewVisit {}).expect("a visit"));
    assert_within(visit.at, clock);
    assert_eq!(visit.day, visit.at.date(), "the day in UTC");
    assert_eq!(visit.written, Some(visit.at));
    assert_eq!(stored(conn, &visit), visit);
}

#[test]
fn the_types_of_time_are_stamped_too() {
    let conn = &mut fresh(SCHEMA);
    let new = NewCall {
        text: "hello".into(),
    };
    let (call, clock) = during(|| Call::create(conn, new).expect("a call"));
    let at = call.at.assume_utc().unix_timestamp_nanos() / 1_000;
    let [from, to] = clock.map(|it| i128::from(it.and_utc().timestamp_micros()));
    assert!(from <= at && at <= to, "{from} <= {at} <= {to}");
    assert_eq!(call.written, call.at, "one instant for both");
    assert_eq!(call.day, Some(call.at.date()));
    assert_eq!(stored(conn, &call), call);

    let mut written = call.clone();
    let_time_pass();
    written
        .update(conn, |it| it.text = "goodbye".into())
        .expect("it is there");
    assert!(written.written > call.written);
    assert_eq!(written.at, call.at);
    assert_eq!(stored(conn, &written), written);
}

#[test]
fn an_applications_own_type_is_stamped_as_it_is_stored() {
    let conn = &mut fresh(SCHEMA);
    let mut job = Job::create(conn, NewJob("dig".into())).expect("a job");
    let created = job.2;
    assert!(created.0 > 1_700_000_000_000);
    assert_eq!(stored(conn, &job), job);
    let_time_pass();
    job.update(conn, |it| it.1 = "rest".into())
        .expect("it is there");
    assert!(job.2.0 > created.0);
}

#[test]
fn what_auto_create_makes_is_stamped() {
    let conn = &mut fresh(SCHEMA);
    let (owner, clock) =
        during(|| Owner::create(conn, NewOwner { name: "Ada".into() }).expect("an owner"));
    assert_within(owner.pet(conn).expect("a pet").since, clock);
}
