//! `derive(HookConnection)` finds the library under the name that it has in Cargo.toml here.

use any::AnyDatabase;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use lifecycle::prelude::*;
use staff::journal;

#[allow(
    missing_docs,
    unreachable_pub,
    reason = "`MultiConnection` takes no docs for what it makes public"
)]
mod any {
    #[derive(diesel::MultiConnection, lifecycle::HookConnection)]
    #[hooks(crate = lifecycle)]
    pub enum AnyDatabase {
        Sqlite(diesel::SqliteConnection),
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[diesel(table_name = journal)]
#[hooks(connection(AnyDatabase), crate = lifecycle)]
struct Entry {
    id: i32,
    entry: String,
}

#[receiver(crate = lifecycle)]
fn sign(event: &PostCreate<Entry>, conn: &mut AnyDatabase) -> QueryResult<()> {
    diesel::update(journal::table.find(event.instance.id))
        .set(journal::entry.eq(format!("{}, Ada", event.instance.entry)))
        .execute(conn)
        .map(drop)
}

#[test]
fn an_enum_of_connections_has_hooks_under_another_name_of_the_library() {
    let mut conn = AnyDatabase::establish(":memory:").expect("SQLite is embedded");
    conn.batch_execute("CREATE TABLE journal (id INTEGER PRIMARY KEY, entry TEXT NOT NULL)")
        .expect("a table");
    let new = NewEntry {
        entry: "hired".into(),
    };
    let mut entry = Entry::create(&mut conn, new).expect("created");
    entry.refresh(&mut conn).expect("there");
    assert_eq!(entry.entry, "hired, Ada");
    assert_eq!(entry.delete(&mut conn).expect("deleted").total, 1);
}
