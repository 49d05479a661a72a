//! A row and the dependents that come into being with it are the same rows and the same errors, whether they are
//! inserted one after the other or, on PostgreSQL, by one statement.

use backends::{Database, System, TestConnection, count, system};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

const TABLES: &str = "
    CREATE TABLE shops (
        name VARCHAR(50) NOT NULL, floor INTEGER NOT NULL, code VARCHAR(50) NOT NULL UNIQUE, PRIMARY KEY (name, floor)
    );
    CREATE TABLE doors (
        id {key}, shop VARCHAR(50) NOT NULL, floor INTEGER NOT NULL, colour VARCHAR(50) NOT NULL DEFAULT 'green',
        width INTEGER, UNIQUE (shop, floor), FOREIGN KEY (shop, floor) REFERENCES shops (name, floor)
    );
    CREATE TABLE signs (
        code VARCHAR(50) PRIMARY KEY, words VARCHAR(50), FOREIGN KEY (code) REFERENCES shops (code)
    );
    CREATE TABLE rooms (id {key}, name VARCHAR(50) NOT NULL UNIQUE);
    CREATE TABLE lamps (
        id {key}, room_id INTEGER NOT NULL UNIQUE, watts INTEGER NOT NULL CHECK (watts > 0),
        FOREIGN KEY (room_id) REFERENCES rooms (id)
    );
    CREATE TABLE moods (id {key}, name VARCHAR(50) NOT NULL);
";

diesel::table! { shops (name, floor) { name -> Text, floor -> Integer, code -> Text } }
diesel::table! {
    doors (id) { id -> Integer, shop -> Text, floor -> Integer, colour -> Text, width -> Nullable<Integer> }
}
diesel::table! { signs (code) { code -> Text, words -> Nullable<Text> } }
diesel::table! { rooms (id) { id -> Integer, name -> Text } }
diesel::table! { lamps (id) { id -> Integer, room_id -> Integer, watts -> Integer } }
diesel::table! { moods (id) { id -> Integer, name -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[diesel(primary_key(name, floor))]
#[hooks(connection(TestConnection), new = Self)]
struct Shop {
    name: String,
    floor: i32,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection), new = NewDoor)]
#[hooks(one_to_one(Shop, columns(shop, floor), on_delete = Cascade, related_name = door, accessor = its_shop, auto_create))]
struct Door {
    id: i32,
    shop: String,
    floor: i32,
    colour: String,
    width: Option<i32>,
}

/// Leaves the colour to the database.
#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = doors)]
struct NewDoor {
    width: Option<i32>,
    floor: i32,
    colour: Option<String>,
    shop: String,
}

/// Its key is a unique column of its shop.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(primary_key(code))]
#[hooks(connection(TestConnection))]
struct Sign {
    #[hooks(one_to_one(Shop, on_delete = Cascade, to = shops::code, related_name = sign, accessor = shop, auto_create))]
    code: String,
    words: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Room {
    id: i32,
    name: String,
}

/// Its default is refused by the database.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Lamp {
    id: i32,
    #[hooks(one_to_one(Room, on_delete = Cascade, related_name = lamp, auto_create))]
    room_id: i32,
    watts: i32,
}

/// It knows of one name.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Good;

impl<DB: Backend> FromSql<Text, DB> for Good
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        match String::from_sql(bytes)?.as_str() {
            "good" => Ok(Good),
            _ => Err("no such mood".into()),
        }
    }
}

impl<DB: Backend> ToSql<Text, DB> for Good
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        "good".to_sql(out)
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection), new = NewMood)]
struct Mood {
    id: i32,
    name: Good,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = moods)]
struct NewMood {
    name: &'static str,
}

fn shop(name: &str) -> Shop {
    Shop {
        name: name.into(),
        floor: 3,
        code: format!("code of {name}"),
    }
}

#[test]
fn dependents_refer_to_the_new_row_and_have_what_the_database_gives() {
    let (_database, mut conn) = Database::open(TABLES);
    for name in ["books", "bread"] {
        let created = Shop::create(&mut conn, shop(name)).expect("created");
        assert_eq!(created, shop(name));
        let door = created.door(&mut conn).expect("created with it");
        assert_eq!((door.shop.as_str(), door.floor), (name, 3));
        assert_eq!((door.colour.as_str(), door.width), ("green", None));
        let sign = created.sign(&mut conn).expect("created with it");
        assert_eq!((sign.code, sign.words), (created.code, None));
    }
    let doors = count(&mut conn, "doors");
    assert_eq!((doors, count(&mut conn, "signs")), (2, 2));
}

#[test]
fn a_dependent_that_is_refused_is_named_and_nothing_is_left() {
    let (_database, mut conn) = Database::open(TABLES);
    for _ in 0..2 {
        let name = "cellar".into();
        let error = Room::create(&mut conn, NewRoom { name }).expect_err("it would have no watts");
        assert!(
            matches!(
                error,
                Error::Query {
                    model: Some("Lamp"),
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(count(&mut conn, "rooms"), 0);
    }
}

#[test]
fn a_row_that_is_refused_is_named_and_leaves_no_dependent() {
    let (_database, mut conn) = Database::open(TABLES);
    Shop::create(&mut conn, shop("books")).expect("created");
    for _ in 0..2 {
        let error = Shop::create(&mut conn, shop("books")).expect_err("it is there");
        assert!(
            matches!(
                error,
                Error::Query {
                    model: Some("Shop"),
                    ..
                }
            ),
            "{error:?}"
        );
    }
    assert_eq!(count(&mut conn, "doors"), 1);
}

#[test]
fn a_dependent_that_is_there_is_an_error() {
    let (_database, mut conn) = Database::open(&TABLES.replace(
        ",
        FOREIGN KEY (room_id) REFERENCES rooms (id)",
        "",
    ));
    conn.batch_execute("INSERT INTO lamps (room_id, watts) VALUES (1, 60)")
        .expect("nothing refers");
    let name = "cellar".into();
    Room::create(&mut conn, NewRoom { name }).expect_err("the first room has a lamp");
    assert_eq!(count(&mut conn, "rooms"), 0);
}

/// A statement that gave its row back before commits by itself, so that it is told that the row may stay.
#[test]
fn a_row_that_cannot_be_read_is_not_there_or_the_error_says_that_it_may_be() {
    let (_database, mut conn) = Database::open(TABLES);
    let create = |conn: &mut TestConnection, name| Mood::create(conn, NewMood { name });
    let first = create(&mut conn, "odd").expect_err("there is no such mood");
    assert!(matches!(first, Error::Query { .. }), "{first:?}");
    assert_eq!(count(&mut conn, "moods"), 0);

    create(&mut conn, "good").expect("created");
    let later = create(&mut conn, "odd").expect_err("there is no such mood");
    let rows = count(&mut conn, "moods");
    match system() {
        System::Postgres => {
            assert!(matches!(later, Error::TransactionLost { source: Some(_) }));
            assert_eq!(rows, 2);
        }
        System::Sqlite | System::Mysql => {
            assert!(matches!(later, Error::Query { .. }), "{later:?}");
            assert_eq!(rows, 1);
        }
    }
    assert!(create(&mut conn, "good").is_ok());
}
