//! What SQLite says of a model's table, asked once on each connection.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Bool, Integer, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, RunQueryDsl};

use crate::backend::{Shape, System};

#[derive(diesel::QueryableByName)]
struct Table {
    #[diesel(sql_type = Bool)]
    is_table: bool,
    #[diesel(sql_type = Bool)]
    without_rowid: bool,
    #[diesel(sql_type = Bool)]
    surprises: bool,
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = Integer)]
    pk: i32,
}

/// Whether SQLite enforces foreign keys on this connection.
pub(super) fn foreign_keys_are_on(conn: &mut SqliteConnection) -> bool {
    foreign_keys(conn) == Ok(true)
}

/// The same, or why nobody knows.
pub(super) fn foreign_keys(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let on = diesel::dsl::sql::<Bool>("(SELECT foreign_keys FROM pragma_foreign_keys)");
    diesel::select(on).get_result(conn)
}

/// The table or view of this name in the database `{schema}`. A temporary one of the same name comes before one of
/// the main database. A trigger on another table counts where the database's own foreign key actions may fire it.
const TABLE: &str = "
    SELECT found.type = 'table' AS is_table,
        found.sql LIKE '%without%rowid%' AS without_rowid,
        found.type <> 'table' OR found.sql LIKE 'create virtual%' OR found.sql LIKE '%on%conflict%'
        OR EXISTS (SELECT 1 FROM sqlite_temp_master AS it
            WHERE it.type IN ('table', 'view') AND it.name = found.name COLLATE NOCASE)
        OR EXISTS (SELECT 1
            FROM (SELECT type, tbl_name FROM {schema}.sqlite_master
                UNION ALL SELECT type, tbl_name FROM sqlite_temp_master) AS it
            WHERE it.type = 'trigger' AND (it.tbl_name = found.name COLLATE NOCASE
                OR EXISTS (SELECT 1 FROM pragma_foreign_key_list(it.tbl_name)
                    WHERE on_update NOT IN ('NO ACTION', 'RESTRICT')
                    OR on_delete NOT IN ('NO ACTION', 'RESTRICT'))))
        AS surprises
    FROM {schema}.sqlite_master AS found
    WHERE found.type IN ('table', 'view') AND found.name = ? COLLATE NOCASE";

const COLUMNS: &str = "SELECT name, type AS declared, pk FROM pragma_table_xinfo(?, ?)";

/// The shape of a table with this key, or nothing if there is no such table.
pub(super) fn shape(
    conn: &mut SqliteConnection,
    path: &[String],
    key: &[&str],
) -> QueryResult<Option<Shape>> {
    let (schema, name) = match path {
        [name] => ("main", name),
        [.., schema, name] if is_attached(conn, schema)? => (&**schema, name),
        _ => return Ok(None),
    };
    let quoted = System::Sqlite.quoted(schema);
    let tables: Vec<Table> = diesel::sql_query(TABLE.replace("{schema}", &quoted))
        .bind::<Text, _>(name)
        .load(conn)?;
    let Some(table) = tables.first() else {
        return Ok(None);
    };
    let columns: Vec<Column> = diesel::sql_query(COLUMNS)
        .bind::<Text, _>(name)
        .bind::<Text, _>(schema)
        .load(conn)?;
    let shadowed = columns
        .iter()
        .any(|column| column.name.eq_ignore_ascii_case("_rowid_"));
    Ok(Some(Shape {
        by_rowid: table.is_table && !table.without_rowid && !shadowed,
        key_is_counted: columns
            .iter()
            .any(|column| column.pk > 0 && column.declared.eq_ignore_ascii_case("integer")),
        guarded: table.surprises || !is_key(&columns, key),
        gives_back: false,
    }))
}

/// Whether there is a database of this name.
pub(super) fn is_attached(conn: &mut SqliteConnection, schema: &str) -> QueryResult<bool> {
    let exists =
        diesel::dsl::sql::<Bool>("EXISTS (SELECT 1 FROM pragma_database_list WHERE name = ")
            .bind::<Text, _>(schema)
            .sql(" COLLATE NOCASE)");
    diesel::select(exists).get_result(conn)
}

/// Whether these are the columns of the primary key, which no two rows share.
fn is_key(columns: &[Column], names: &[&str]) -> bool {
    let key = columns.iter().filter(|column| column.pk > 0);
    let named = |column: &Column| {
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&column.name))
    };
    key.clone().count() == names.len() && key.clone().all(named)
}

/// Whether a unique constraint that was violated, as SQLite's message tells it, is one of this table.
pub(super) fn is_taken(conn: &mut SqliteConnection, path: &[String], error: &DieselError) -> bool {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
        return false;
    };
    let Some(violated) = info.message().strip_prefix("UNIQUE constraint failed: ") else {
        return false;
    };
    let Some(table) = path.last() else {
        return false;
    };
    match violated.strip_prefix("index '") {
        // Of an index on an expression SQLite tells the name, with its quotes doubled.
        Some(index) => is_index_of(conn, &index.replace("''", "'"), table),
        None => violated
            .get(..=table.len())
            .and_then(|start| start.strip_suffix('.'))
            .is_some_and(|name| name.eq_ignore_ascii_case(table)),
    }
}

fn is_index_of(conn: &mut SqliteConnection, quoted: &str, table: &str) -> bool {
    let Some(index) = quoted.strip_suffix('\'') else {
        return false;
    };
    let exists = diesel::dsl::sql::<Bool>("EXISTS (SELECT 1 FROM pragma_index_list(")
        .bind::<Text, _>(table)
        .sql(") WHERE name = ")
        .bind::<Text, _>(index)
        .sql(" COLLATE NOCASE)");
    diesel::select(exists).get_result(conn) == Ok(true)
}
