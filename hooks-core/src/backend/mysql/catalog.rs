//! What MySQL and MariaDB say of a table. A name without a schema is one of the connection's database.

use diesel::mysql::{Mysql, MysqlConnection};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use crate::backend::Shape;
use crate::backend::catalog::{
    IndexColumn, IndexFacts, KeyColumn, TableFacts, foreign_keys, indexes, same,
};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    home: String,
    #[diesel(sql_type = Bool)]
    is_counted: bool,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

const COLUMNS: &str = "
    SELECT column_name AS name, table_schema AS home, extra LIKE '%auto_increment%' AS is_counted
    FROM information_schema.columns
    WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?
    ORDER BY ordinal_position";

const FOREIGN_KEYS: &str = "
    SELECT used.constraint_name AS name, used.referenced_table_schema AS parent_schema,
        used.referenced_table_name AS parent, used.column_name AS child, used.referenced_column_name AS target,
        rule.delete_rule AS on_delete
    FROM information_schema.key_column_usage AS used
    JOIN information_schema.referential_constraints AS rule
        ON rule.constraint_schema = used.constraint_schema AND rule.constraint_name = used.constraint_name
        AND rule.table_name = used.table_name
    WHERE used.table_schema = COALESCE(?, DATABASE()) AND used.table_name = ?
    ORDER BY used.constraint_name, used.ordinal_position";

const INDEXES: &str = "
    SELECT index_name AS name, non_unique = 0 AS is_unique, column_name AS child
    FROM information_schema.statistics
    WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?
    ORDER BY index_name, seq_in_index";

/// Triggers on the table, and whether it has an engine without transactions or is no table. What a foreign key does
/// to other tables fires none there.
const SURPRISES: &str = "
    SELECT (SELECT COUNT(*) FROM information_schema.triggers
            WHERE event_object_schema = COALESCE(?, DATABASE()) AND event_object_table = ?)
        + (SELECT COUNT(*) FROM information_schema.tables AS it
            LEFT JOIN information_schema.engines AS engine ON engine.engine = it.engine
            WHERE it.table_schema = COALESCE(?, DATABASE()) AND it.table_name = ?
            AND (it.table_type <> 'BASE TABLE' OR COALESCE(engine.transactions, 'NO') <> 'YES')) AS count";

/// Runs a query about a table.
fn of_table<T>(conn: &mut MysqlConnection, sql: &str, path: &[String]) -> QueryResult<Vec<T>>
where
    T: QueryableByName<Mysql> + 'static,
{
    let (schema, name) = parts(path);
    diesel::sql_query(sql)
        .bind::<Nullable<Text>, _>(schema)
        .bind::<Text, _>(name)
        .load(conn)
}

fn parts(path: &[String]) -> (Option<&str>, &str) {
    match path {
        [.., schema, name] => (Some(schema), name),
        [name] => (None, name),
        [] => (None, ""),
    }
}

/// The table or view, if there is one.
pub(super) fn describe(
    conn: &mut MysqlConnection,
    path: &[String],
) -> QueryResult<Option<TableFacts>> {
    let columns: Vec<Column> = of_table(conn, COLUMNS, path)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let keys: Vec<KeyColumn> = of_table(conn, FOREIGN_KEYS, path)?;
    let indexed: Vec<IndexColumn> = of_table(conn, INDEXES, path)?;
    Ok(Some(TableFacts {
        schema: columns.first().map(|it| it.home.clone()),
        columns: columns.into_iter().map(|it| it.name).collect(),
        foreign_keys: foreign_keys(&keys),
        indexes: indexes(&indexed),
    }))
}

/// Whether this is an index of the table that keeps two rows from being alike.
pub(super) fn is_unique_index(
    conn: &mut MysqlConnection,
    path: &[String],
    index: &str,
) -> QueryResult<bool> {
    let indexes: Vec<IndexColumn> = of_table(conn, INDEXES, path)?;
    Ok(indexes
        .iter()
        .any(|it| it.is_unique && same(&it.name, index)))
}

/// The shape of a table with this key, or nothing if there is no such table.
pub(super) fn shape(
    conn: &mut MysqlConnection,
    path: &[String],
    key: &[&str],
) -> QueryResult<Option<Shape>> {
    let columns: Vec<Column> = of_table(conn, COLUMNS, path)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let (schema, name) = parts(path);
    let surprises: Count = diesel::sql_query(SURPRISES)
        .bind::<Nullable<Text>, _>(schema)
        .bind::<Text, _>(name)
        .bind::<Nullable<Text>, _>(schema)
        .bind::<Text, _>(name)
        .get_result(conn)?;
    let indexed: Vec<IndexColumn> = of_table(conn, INDEXES, path)?;
    let counts = |name: &&str| {
        columns
            .iter()
            .any(|it| it.is_counted && same(&it.name, name))
    };
    Ok(Some(Shape {
        by_rowid: false,
        key_is_counted: matches!(key, [only] if counts(only)),
        guarded: surprises.count > 0 || !has_key(&indexes(&indexed), key),
        gives_back: false,
    }))
}

/// Whether no two rows share these columns.
fn has_key(indexes: &[IndexFacts], key: &[&str]) -> bool {
    let named = |column: &String| key.iter().any(|name| same(name, column));
    let mut unique = indexes.iter().filter(|it| it.unique);
    unique.any(|it| it.columns.iter().all(named))
}
