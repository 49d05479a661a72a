//! A value that is a bind in one statement and SQL in the next never meets the statement of the other.

use backends::{TestConnection, fresh, insert, on};
use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Integer};
use diesel_hooks::Error;
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
#[hooks(connection(TestConnection))]
struct Score {
    id: i32,
    #[diesel(serialize_as = Shaped)]
    points: i32,
    rank: i32,
    note: String,
}

fn score(conn: &mut TestConnection) -> Score {
    let new = NewScore {
        points: 0,
        rank: 0,
        note: "new".into(),
    };
    Score::create(conn, new).expect("a score")
}

fn scores() -> TestConnection {
    fresh(
        "CREATE TABLE scores (id {key}, points INTEGER NOT NULL, {q}rank{q} INTEGER NOT NULL, note TEXT NOT NULL)",
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
#[hooks(connection(TestConnection))]
struct Door {
    #[diesel(serialize_as = Shaped)]
    #[hooks(assigned)]
    id: i32,
    label: String,
    lock: i32,
}

/// On MySQL a row that is created is not found again by a key that is converted.
fn without_its_key(conn: &mut TestConnection, refused: &Error, id: i32) -> Door {
    let text = refused.to_string();
    assert!(
        text.contains("nothing tells the key of the new row"),
        "{text}"
    );
    insert(
        conn,
        &format!("INSERT INTO doors VALUES ({id}, 'door {id}', 0)"),
    );
    Door::get(conn, id).expect("a door")
}

#[test]
fn a_key_of_two_shapes_finds_its_row() {
    let mut conn = fresh(
        "CREATE TABLE doors (id INTEGER PRIMARY KEY, label TEXT NOT NULL, {q}lock{q} INTEGER NOT NULL)",
    );
    let mut doors = Vec::new();
    for id in 1..5 {
        let label = format!("door {id}");
        let door = Door::create(&mut conn, NewDoor { id, label, lock: 0 });
        doors.push(match on(true, true, false) {
            true => door.expect("a door"),
            false => without_its_key(&mut conn, &door.expect_err("not found again"), id),
        });
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
