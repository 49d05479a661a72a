//! What PostgreSQL says of a table. A name without a schema means there what it means in a statement: what the
//! search path finds first.

use diesel::pg::PgConnection;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use crate::backend::catalog::{ForeignKeyFacts, IndexFacts, TableFacts, action};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    column: String,
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = Text)]
    on_delete: String,
}

#[derive(QueryableByName)]
struct Indexed {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_unique: bool,
    /// An expression has none.
    #[diesel(sql_type = Nullable<Text>)]
    column: Option<String>,
}

const COLUMNS: &str = "
    SELECT attname::text AS name FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum";

const FOREIGN_KEYS: &str = "
    SELECT constr.conname::text AS name, parent.relname::text AS parent, child.attname::text AS column,
        target.attname::text AS target,
        CASE constr.confdeltype WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'
            WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END AS on_delete
    FROM pg_constraint AS constr
    CROSS JOIN LATERAL unnest(constr.conkey, constr.confkey) WITH ORDINALITY AS key (child, parent, place)
    JOIN pg_class AS parent ON parent.oid = constr.confrelid
    JOIN pg_attribute AS child ON child.attrelid = constr.conrelid AND child.attnum = key.child
    JOIN pg_attribute AS target ON target.attrelid = constr.confrelid AND target.attnum = key.parent
    WHERE constr.contype = 'f' AND constr.conrelid = to_regclass($1)
    ORDER BY constr.conname, key.place";

/// A partial index does not know every row. A deferred constraint is unique at the end of a transaction.
const INDEXES: &str = "
    SELECT index.indexrelid::text AS name, index.indisunique AND index.indimmediate AS is_unique,
        indexed.attname::text AS column
    FROM pg_index AS index
    CROSS JOIN LATERAL unnest(index.indkey::int2[]) WITH ORDINALITY AS key (child, place)
    LEFT JOIN pg_attribute AS indexed
        ON indexed.attrelid = index.indrelid AND indexed.attnum = key.child AND key.child > 0
    WHERE index.indrelid = to_regclass($1) AND index.indpred IS NULL AND index.indisvalid
        AND key.place <= index.indnkeyatts
    ORDER BY index.indexrelid, key.place";

/// The table or view, if there is one.
pub(super) fn describe(
    conn: &mut PgConnection,
    path: &[String],
) -> QueryResult<Option<TableFacts>> {
    let quoted = path
        .iter()
        .map(|it| format!("\"{}\"", it.replace('"', "\"\"")));
    let name = quoted.collect::<Vec<_>>().join(".");
    let columns: Vec<Column> = diesel::sql_query(COLUMNS)
        .bind::<Text, _>(&name)
        .load(conn)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let foreign_keys: Vec<Reference> = diesel::sql_query(FOREIGN_KEYS)
        .bind::<Text, _>(&name)
        .load(conn)?;
    let indexes: Vec<Indexed> = diesel::sql_query(INDEXES)
        .bind::<Text, _>(&name)
        .load(conn)?;
    Ok(Some(TableFacts {
        columns: columns.into_iter().map(|it| it.name).collect(),
        foreign_keys: foreign_keys
            .chunk_by(|one, next| one.name == next.name)
            .map(foreign_key)
            .collect(),
        indexes: indexes
            .chunk_by(|one, next| one.name == next.name)
            .filter_map(index)
            .collect(),
    }))
}

fn foreign_key(columns: &[Reference]) -> ForeignKeyFacts {
    ForeignKeyFacts {
        columns: columns.iter().map(|it| it.column.clone()).collect(),
        table: columns[0].parent.clone(),
        target: columns.iter().map(|it| it.target.clone()).collect(),
        on_delete: action(&columns[0].on_delete),
    }
}

fn index(columns: &[Indexed]) -> Option<IndexFacts> {
    let names = columns.iter().map(|it| it.column.clone());
    Some(IndexFacts {
        columns: names.collect::<Option<_>>()?,
        unique: columns[0].is_unique,
    })
}
