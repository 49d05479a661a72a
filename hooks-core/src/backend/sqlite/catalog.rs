//! What SQLite says of a table, by its table-valued pragmas: an unqualified name means there what it means
//! in a statement, a temporary table before one of the main database before those of attached ones.

use diesel::sql_types::{Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use super::table::is_attached;
use crate::backend::catalog::{
    ForeignKeyFacts, IndexColumn, IndexFacts, TableFacts, action, indexes,
};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    pk: i32,
}

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    column: String,
    /// It is left out where the parent's primary key is meant.
    #[diesel(sql_type = Nullable<Text>)]
    target: Option<String>,
    #[diesel(sql_type = Text)]
    on_delete: String,
}

/// The table or view, if there is one.
pub(super) fn describe(
    conn: &mut SqliteConnection,
    path: &[String],
) -> QueryResult<Option<TableFacts>> {
    // A pragma refuses a database that is not there.
    if let [.., schema, _] = path
        && !is_attached(conn, schema)?
    {
        return Ok(None);
    }
    let columns = columns(conn, path)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let indexed: Vec<IndexColumn> = of_table(conn, INDEXES, path)?;
    let mut indexes = indexes(&indexed);
    let key = primary_key(&columns);
    if !key.is_empty() {
        let unique = true;
        indexes.push(IndexFacts {
            columns: key,
            unique,
        });
    }
    Ok(Some(TableFacts {
        schema: None,
        foreign_keys: foreign_keys(conn, path)?,
        columns: columns.into_iter().map(|it| it.name).collect(),
        indexes,
    }))
}

/// Runs a query whose pragmas are about the table, with `{}` for what they are given.
fn of_table<T>(conn: &mut SqliteConnection, sql: &str, path: &[String]) -> QueryResult<Vec<T>>
where
    T: QueryableByName<Sqlite> + 'static,
{
    match path {
        [.., schema, name] => diesel::sql_query(sql.replace("{}", ", ?2"))
            .bind::<Text, _>(name)
            .bind::<Text, _>(schema)
            .load(conn),
        _ => diesel::sql_query(sql.replace("{}", ""))
            .bind::<Text, _>(path.concat())
            .load(conn),
    }
}

fn columns(conn: &mut SqliteConnection, path: &[String]) -> QueryResult<Vec<Column>> {
    of_table(conn, "SELECT name, pk FROM pragma_table_xinfo(?1{})", path)
}

fn primary_key(columns: &[Column]) -> Vec<String> {
    let mut key: Vec<_> = columns.iter().filter(|it| it.pk > 0).collect();
    key.sort_by_key(|it| it.pk);
    key.into_iter().map(|it| it.name.clone()).collect()
}

const INDEXES: &str = "
    SELECT list.name AS name, list.\"unique\" AS is_unique, info.name AS child
    FROM pragma_index_list(?1{}) AS list, pragma_index_info(list.name{}) AS info
    WHERE NOT list.partial
    ORDER BY list.seq, info.seqno";

fn foreign_keys(conn: &mut SqliteConnection, path: &[String]) -> QueryResult<Vec<ForeignKeyFacts>> {
    let columns: Vec<Reference> = of_table(
        conn,
        "SELECT id, \"table\" AS parent, \"from\" AS \"column\", \"to\" AS target, on_delete
        FROM pragma_foreign_key_list(?1{})
        ORDER BY id, seq",
        path,
    )?;
    let mut keys = Vec::new();
    for of_one in columns.chunk_by(|one, next| one.id == next.id) {
        let table = of_one[0].parent.clone();
        let target: Option<Vec<_>> = of_one.iter().map(|it| it.target.clone()).collect();
        keys.push(ForeignKeyFacts {
            name: None,
            columns: of_one.iter().map(|it| it.column.clone()).collect(),
            target: match target {
                Some(target) => target,
                None => primary_key(&self::columns(conn, &beside(path, &table))?),
            },
            schema: None,
            table,
            on_delete: action(&of_one[0].on_delete),
        });
    }
    Ok(keys)
}

/// A foreign key refers to a table of the same database.
fn beside(path: &[String], table: &str) -> Vec<String> {
    let mut path = path.to_vec();
    if let Some(name) = path.last_mut() {
        *name = table.to_owned();
    }
    path
}
