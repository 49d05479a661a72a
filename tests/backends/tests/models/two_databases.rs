//! An enum of two of the databases has hooks, whichever two they are.

use backends::{Database, TestConnection};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

#[cfg(feature = "multi")]
#[allow(
    unreachable_pub,
    reason = "`MultiConnection` makes public what names it"
)]
mod pairs {
    use backends::{Database, System, system};
    use diesel::prelude::*;

    mod postgres_or_mysql {
        #[derive(diesel::MultiConnection, diesel_hooks::HookConnection)]
        pub enum PostgresOrMysql {
            Postgres(diesel::PgConnection),
            Mysql(diesel::MysqlConnection),
        }
    }

    mod sqlite_or_mysql {
        #[derive(diesel::MultiConnection, diesel_hooks::HookConnection)]
        pub enum SqliteOrMysql {
            Sqlite(diesel::SqliteConnection),
            Mysql(diesel::MysqlConnection),
        }
    }

    pub(super) use postgres_or_mysql::PostgresOrMysql;
    pub(super) use sqlite_or_mysql::SqliteOrMysql;

    /// Nothing, if the tests' database is neither.
    pub(super) fn postgres_or_mysql(database: &Database) -> Option<PostgresOrMysql> {
        let url = database.url();
        let conn = match system() {
            System::Sqlite => return None,
            System::Postgres => PgConnection::establish(&url).map(PostgresOrMysql::Postgres),
            System::Mysql => MysqlConnection::establish(&url).map(PostgresOrMysql::Mysql),
        };
        Some(conn.expect("the database is there"))
    }

    /// Nothing, if the tests' database is neither.
    pub(super) fn sqlite_or_mysql(database: &Database) -> Option<SqliteOrMysql> {
        let url = database.url();
        let conn = match system() {
            System::Sqlite => SqliteConnection::establish(&url).map(SqliteOrMysql::Sqlite),
            System::Postgres => return None,
            System::Mysql => MysqlConnection::establish(&url).map(SqliteOrMysql::Mysql),
        };
        Some(conn.expect("the database is there"))
    }
}

diesel::table! { bands (id) { id -> Integer, name -> Text } }
diesel::table! { songs (id) { id -> Integer, band_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[cfg_attr(
    feature = "multi",
    hooks(connection(TestConnection, pairs::PostgresOrMysql, pairs::SqliteOrMysql))
)]
#[cfg_attr(not(feature = "multi"), hooks(connection(TestConnection)))]
struct Band {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[cfg_attr(
    feature = "multi",
    hooks(connection(TestConnection, pairs::PostgresOrMysql, pairs::SqliteOrMysql))
)]
#[cfg_attr(not(feature = "multi"), hooks(connection(TestConnection)))]
struct Song {
    id: i32,
    #[hooks(one_to_one(Band, on_delete = Cascade, related_name = song, auto_create))]
    band_id: i32,
}

const TABLES: &str = "
    CREATE TABLE bands (id {key}, name VARCHAR(20) NOT NULL);
    CREATE TABLE songs (id {key}, band_id INTEGER NOT NULL UNIQUE REFERENCES bands (id));
";

/// On a connection of any type: what an accessor takes has no name for a function's bounds.
macro_rules! rows_come_and_go {
    ($conn:expr) => {{
        let conn = $conn;
        let names = ["one", "two"].map(|name| NewBand { name: name.into() });
        let bands = Band::create_many(conn, names.into()).expect("created");
        let mut band = bands[1].clone();
        band.update(conn, |it| it.name = "three".into())
            .expect("updated");
        assert_eq!(Band::get(conn, band.id).expect("there"), band);
        let song = band.song(conn).expect("made with it");
        assert_eq!(song.band(conn).expect("there").name, "three");
        let deleted = bands::table.delete_hooked::<Band>(conn).expect("deleted");
        assert_eq!(deleted.total, 4);
    }};
}

#[test]
fn rows_come_and_go_by_an_enum_of_any_two_databases() {
    let (database, mut conn) = Database::open(TABLES);
    rows_come_and_go!(&mut conn);
    by_pairs(&database);
}

#[cfg(feature = "multi")]
fn by_pairs(database: &Database) {
    if let Some(mut conn) = pairs::postgres_or_mysql(database) {
        rows_come_and_go!(&mut conn);
    }
    if let Some(mut conn) = pairs::sqlite_or_mysql(database) {
        rows_come_and_go!(&mut conn);
    }
}

/// Only one is there.
#[cfg(not(feature = "multi"))]
fn by_pairs(_: &Database) {}
