//! A value that is a bind in one statement and SQL in the next never meets the statement of the other.
#![allow(missing_docs)]

mod common;

use common::memory;
use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Integer};
use diesel_hooks::prelude::*;

/// A value whose type does not tell its SQL: an even one is a bind, an odd one is written out.
#[derive(Debug, Clone, Copy)]
struct Shaped(i32);

impl From<i32> for Shaped {
    fn from(value: i32) -> Self {
        Shaped(value)
    }
}

impl Expression for Shaped {
    type SqlType = Integer;
}

impl<T> AppearsOnTable<T> for Shaped {}
impl<T> SelectableExpression<T> for Shaped {}

impl<G> ValidGrouping<G> for Shaped {
    type IsAggregate = diesel::expression::is_aggregate::Never;
}

impl QueryId for Shaped {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for Shaped
where
    DB: Backend + HasSqlType<Integer>,
    i32: ToSql<Integer, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        match self.0 % 2 {
            0 => out.push_bind_param::<Integer, _>(&self.0),
            _ => {
                out.push_sql(&self.0.to_string());
                Ok(())
            }
        }
    }
}

diesel::table! { scores (id) { id -> Integer, points -> Integer, rank -> Integer, note -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Score {
    id: i32,
    #[diesel(serialize_as = Shaped)]
    points: i32,
    rank: i32,
    note: String,
}

fn score(conn: &mut SqliteConnection) -> Score {
    let new = NewScore {
        points: 0,
        rank: 0,
        note: "new".into(),
    };
    Score::create(conn, new).expect("a score")
}

fn scores() -> SqliteConnection {
    memory(
        "CREATE TABLE scores (id INTEGER PRIMARY KEY, points INTEGER NOT NULL, rank INTEGER NOT NULL, note TEXT NOT NULL)",
    )
}

#[test]
fn each_save_writes_each_value_to_its_column() {
    let mut conn = scores();
    let mut score = score(&mut conn);
    for points in [2, 3, 5, 4, 7] {
        score.points = points;
        score.rank = points + 100;
        score.save(&mut conn).expect("saved");
        assert_eq!(Score::get(&mut conn, score.id).expect("it is there"), score);
    }
}

#[test]
fn each_update_of_the_column_writes_its_value_to_its_row() {
    let mut conn = scores();
    let (mut first, mut second) = (score(&mut conn), score(&mut conn));
    for points in [2, 3, 5, 4, 7] {
        second
            .update(&mut conn, |score| score.points = points)
            .expect("updated");
        second
            .update(&mut conn, |score| score.rank = points)
            .expect("updated");
        let read = Score::get(&mut conn, second.id).expect("it is there");
        assert_eq!(
            (read, second.points, second.rank),
            (second.clone(), points, points)
        );
    }
    first.refresh(&mut conn).expect("it is there");
    assert_eq!((first.points, first.rank), (0, 0));
}

diesel::table! { doors (id) { id -> Integer, label -> Text, lock -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
struct Door {
    #[diesel(serialize_as = Shaped)]
    #[hooks(assigned)]
    id: i32,
    label: String,
    lock: i32,
}

#[test]
fn a_key_of_two_shapes_finds_its_row() {
    let mut conn = memory(
        "CREATE TABLE doors (id INTEGER PRIMARY KEY, label TEXT NOT NULL, lock INTEGER NOT NULL)",
    );
    let mut doors = Vec::new();
    for id in 1..5 {
        let label = format!("door {id}");
        doors.push(Door::create(&mut conn, NewDoor { id, label, lock: 0 }).expect("a door"));
    }
    for door in &mut doors {
        door.update(&mut conn, |door| door.lock = door.id * 10)
            .expect("updated");
        door.label.push('!');
        door.save(&mut conn).expect("saved");
    }
    for door in &doors {
        assert_eq!(&Door::get(&mut conn, door.id).expect("it is there"), door);
    }
    for door in doors {
        assert_eq!(door.delete(&mut conn).expect("deleted").total, 1);
    }
}
