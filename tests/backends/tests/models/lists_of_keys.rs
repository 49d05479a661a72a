//! Rows are named by lists of keys. Where the database has arrays such a list is one value, so that the statement
//! stays prepared however many rows there are.

use std::sync::{Arc, Mutex};

use backends::{Log, TestConnection, fresh, has_arrays, insert, keys_at_once, many};
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_hooks::set_instrumentation;

diesel::table! { herds (id) { id -> Integer, name -> Text } }
diesel::table! { goats (name) { name -> Text, herd_id -> Nullable<Integer> } }
diesel::table! { bells (name) { name -> Text, goat -> Nullable<Text> } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Herd {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
#[diesel(primary_key(name))]
struct Goat {
    name: String,
    #[hooks(foreign_key(Herd, on_delete = Cascade, related_name = goats))]
    herd_id: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
#[diesel(primary_key(name))]
struct Bell {
    name: String,
    #[hooks(foreign_key(Goat, on_delete = SetNull, accessor = goat))]
    goat: Option<String>,
}

static GONE: Log = Log::new();

#[receiver]
fn goes(event: &PostDelete<Goat>) {
    GONE.push(&event.instance.name);
}

const SCHEMA: &str = "
    CREATE TABLE herds (id {key}, name TEXT NOT NULL);
    CREATE TABLE goats (name TEXT NOT NULL PRIMARY KEY, herd_id INTEGER REFERENCES herds (id));
    CREATE TABLE bells (name TEXT NOT NULL PRIMARY KEY, goat TEXT REFERENCES goats (name));
    INSERT INTO herds VALUES (1, 'hill'), (2, 'lake'), (3, 'wood');
";

/// Several of which an array in text would have to quote.
const NAMES: [&str; 8] = ["", "NULL", "a,b", "{x}", "\"q\"", "it's", "\\", "ü"];

#[test]
fn a_list_names_its_rows_and_no_other_whatever_their_keys_hold() {
    let mut conn = fresh(SCHEMA);
    let goat = |name: &str, herd| Goat {
        name: name.into(),
        herd_id: Some(herd),
    };
    let bell = |name: &str| Bell {
        name: name.into(),
        goat: Some(name.into()),
    };
    let goats = NAMES.iter().map(|name| goat(name, 1));
    let goats = goats.chain([goat("stays", 2)]).collect();
    Goat::create_many(&mut conn, goats).expect("created");
    let bells = NAMES.iter().chain(&["stays"]).map(|name| bell(name));
    Bell::create_many(&mut conn, bells.collect()).expect("created");

    let hill = Herd::get(&mut conn, 1).expect("stored");
    let deleted = hill.delete(&mut conn).expect("deleted");
    assert_eq!(deleted.total, 1 + NAMES.len());
    let mut gone = GONE.take();
    gone.sort();
    let mut names = NAMES;
    names.sort_unstable();
    assert_eq!(gone, names);
    let left = goats::table.select(goats::name).load::<String>(&mut conn);
    assert_eq!(left, Ok(vec!["stays".into()]));
    let rung = bells::table.filter(bells::goat.is_not_null());
    let rung = rung.select(bells::name).load::<String>(&mut conn);
    assert_eq!(rung, Ok(vec!["stays".into()]));
}

/// The statements that are prepared to stay so.
fn prepared(conn: &mut TestConnection, work: impl FnOnce(&mut TestConnection)) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    set_instrumentation(conn, move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::CacheQuery { sql, .. } = event {
            sink.lock().expect("no test panics inside").push(sql.into());
        }
    });
    work(conn);
    set_instrumentation(conn, |_: InstrumentationEvent<'_>| {});
    std::mem::take(&mut *seen.lock().expect("no test panics inside"))
}

#[test]
fn a_list_of_any_length_stays_prepared_where_it_is_one_value() {
    let mut conn = fresh(SCHEMA);
    insert(&mut conn, &many("herds", 300, "9 + i, 'many'"));
    let herds = herds::table.order(herds::id).load::<Herd>(&mut conn);
    let herds = herds.expect("herds");
    let prepared = prepared(&mut conn, |conn| {
        for count in [2, 3, 100] {
            let goats = Herd::prefetch_goats(conn, &herds[..count]).expect("read");
            assert_eq!(goats.len(), count);
        }
    });
    assert_eq!(prepared.len(), usize::from(has_arrays()), "{prepared:?}");
}

#[test]
fn a_list_of_as_many_as_a_statement_names_stays_prepared_everywhere() {
    let mut conn = fresh(SCHEMA);
    insert(
        &mut conn,
        &many("herds", 2 * keys_at_once() - 3, "9 + i, 'many'"),
    );
    let herds = herds::table.order(herds::id).load::<Herd>(&mut conn);
    let herds = herds.expect("herds");
    let prepared = prepared(&mut conn, |conn| {
        let goats = Herd::prefetch_goats(conn, &herds).expect("read");
        assert_eq!(goats.len(), herds.len());
    });
    assert_eq!(prepared.len(), 1, "{prepared:?}");
}
