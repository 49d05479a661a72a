//! A created row that Rust cannot read is an error or a panic, and nothing of it is committed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use backends::{Database, TestConnection, count};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

use crate::sessions::{depth, on_postgres, on_sqlite};

/// What cannot be read is written like any other.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
struct Word(String);

impl<DB: Backend> ToSql<Text, DB> for Word
where
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for Word
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let word = String::from_sql(bytes)?;
        assert_ne!(word, "panics");
        match word.as_str() {
            "unreadable" => Err("no word".into()),
            _ => Ok(Word(word)),
        }
    }
}

const TABLES: &str = "
    CREATE TABLE words (id {key}, word VARCHAR(20) NOT NULL);
    CREATE TABLE names (name VARCHAR(20) PRIMARY KEY, word VARCHAR(20) NOT NULL);
    CREATE TABLE checked (id {key}, word VARCHAR(20) NOT NULL);
";

diesel::table! { words (id) { id -> Integer, word -> Text } }
diesel::table! { names (name) { name -> Text, word -> Text } }
diesel::table! { checked (id) { id -> Integer, word -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = words)]
struct Entry {
    id: i32,
    word: Word,
}

/// Its key is known beforehand.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(primary_key(name))]
struct Name {
    #[hooks(assigned)]
    name: String,
    word: Word,
}

/// Its receiver can fail.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = checked)]
struct Checked {
    id: i32,
    word: Word,
}

#[receiver]
fn check(_event: &PostCreate<Checked>) -> Result<(), String> {
    Ok(())
}

fn entry(conn: &mut TestConnection, word: &str) -> Result<(), Error> {
    let word = Word(word.into());
    Entry::create(conn, NewEntry { word }).map(drop)
}

fn name(conn: &mut TestConnection, word: &str) -> Result<(), Error> {
    let new = NewName {
        name: word.into(),
        word: Word(word.into()),
    };
    Name::create(conn, new).map(drop)
}

fn checked(conn: &mut TestConnection, word: &str) -> Result<(), Error> {
    let word = Word(word.into());
    Checked::create(conn, NewChecked { word }).map(drop)
}

type Create = fn(&mut TestConnection, &str) -> Result<(), Error>;

/// What is committed after a create that fails or panics in the application's transaction: whether that was told to be
/// lost, its own rows, and the created one's.
fn after(create: Create, word: &str) -> (bool, i64, i64) {
    let (_database, mut conn) = Database::open(TABLES);
    entry(&mut conn, "first look").expect("created");
    name(&mut conn, "first look").expect("created");
    checked(&mut conn, "first look").expect("created");
    let mut lost = false;
    let outcome = conn.transaction(|conn| {
        conn.batch_execute("INSERT INTO names VALUES ('own', 'own')")?;
        let refused = catch_unwind(AssertUnwindSafe(|| create(conn, word)));
        assert_eq!(refused.is_err(), word == "panics");
        if let Ok(refused) = refused {
            let error = refused.expect_err("it cannot be read");
            let why = error.to_string();
            assert!(why.contains("deserializing field 'word'"), "{why}");
            lost = matches!(error, Error::TransactionLost { .. });
        }
        assert_eq!(depth(conn), Some(1), "{word}");
        Ok::<_, DieselError>(())
    });
    entry(&mut conn, "after").expect("the connection works");
    let all = ["words", "names", "checked"].map(|it| count(&mut conn, it));
    let own = names::table.filter(names::name.eq("own")).count();
    let own = own.get_result(&mut conn).expect("read");
    // MariaDB refuses no COMMIT.
    assert_eq!(outcome.is_err(), own == 0 && on_postgres());
    (lost, own, all.iter().sum::<i64>() - 4 - own)
}

#[test]
fn where_nothing_takes_the_row_back_the_applications_transaction_is_given_up() {
    for create in [entry, name] {
        // SQLite takes it back, by a statement that no trigger joins.
        let expected = if on_sqlite() {
            (false, 1, 0)
        } else {
            (true, 0, 0)
        };
        assert_eq!(after(create, "unreadable"), expected);
        assert_eq!(
            (after(create, "panics").1, after(create, "panics").2),
            (expected.1, 0)
        );
    }
}

#[test]
fn behind_a_savepoint_it_takes_nothing_else_with_it() {
    for word in ["unreadable", "panics"] {
        assert_eq!(after(checked, word), (false, 1, 0));
    }
}

#[test]
fn what_was_never_sent_or_was_refused_gives_up_nothing() {
    let (_database, mut conn) = Database::open(TABLES);
    name(&mut conn, "first").expect("created");
    // Of an earlier failure nothing is remembered.
    assert!(checked(&mut conn, "unreadable").is_err());
    let committed = conn.transaction(|conn| {
        name(conn, "second")?;
        let refused = conn.transaction(|conn| name(conn, "first"));
        assert!(matches!(refused, Err(Error::Query { .. })), "{refused:?}");
        name(conn, "third")
    });
    committed.expect("the transaction goes on");
    assert_eq!(count(&mut conn, "names"), 3);
}
