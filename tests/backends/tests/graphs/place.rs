//! Where the rows of programs are.

use backends::{Database, System, TestConnection, insert, on, system};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::kind::Kind;
use super::schema::Schema;
use super::{ring, tree};

/// A database of a server, which all programs use one after the other; SQLite makes one in memory for each.
pub(crate) struct Place(Option<Database>);

impl Place {
    pub(crate) fn new() -> Self {
        Place((system() != System::Sqlite).then(|| Database::new("")))
    }

    /// A new connection to these tables, which are empty.
    pub(crate) fn open(&self, schema: &Schema) -> TestConnection {
        let mut conn = match &self.0 {
            Some(database) => database.connect(),
            None => TestConnection::establish(":memory:").expect("SQLite is embedded"),
        };
        let (before, after) = on(
            ("PRAGMA foreign_keys = ON", ""),
            ("SET client_min_messages = warning", ""),
            // So that tables can go and come in any order.
            ("SET foreign_key_checks = 0", "SET foreign_key_checks = 1;"),
        );
        let old = drop_all();
        insert(
            &mut conn,
            &format!("{before};\n{old};\n{}{after}", schema.sql()),
        );
        conn
    }
}

fn drop_all() -> String {
    if system() == System::Sqlite {
        return String::new();
    }
    let kinds = ring::kinds().into_iter().chain(tree::kinds());
    let mut tables: Vec<_> = kinds.map(|kind| kind.table).collect();
    tables.dedup();
    format!("DROP TABLE IF EXISTS {} CASCADE", tables.join(", "))
}

/// The key that the database makes next, where none that it made goes back: a server's do not, whatever becomes of
/// the rows.
pub(crate) fn next_key(conn: &mut TestConnection, kind: &Kind) -> Option<i32> {
    let table = kind.table;
    let next = on(
        None,
        Some(format!(
            "(SELECT (last_value + is_called::integer)::integer FROM {table}_id_seq)"
        )),
        Some(format!(
            "(SELECT CAST(auto_increment AS INTEGER) FROM information_schema.tables
                WHERE table_schema = database() AND table_name = '{table}')"
        )),
    );
    let next = diesel::select(sql::<Integer>(&next?)).get_result(conn);
    Some(next.expect("the table is there"))
}

/// Whether the transaction can only be rolled back: on PostgreSQL an error of a statement ends it.
pub(crate) fn is_aborted(conn: &mut TestConnection) -> bool {
    system() == System::Postgres && conn.batch_execute("SELECT 1").is_err()
}
