//! What PostgreSQL says of a table. A name without a schema means there what it means in a statement: what the
//! search path finds first.

use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use crate::backend::catalog::{IndexColumn, KeyColumn, TableFacts, foreign_keys, indexes};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
}

const COLUMNS: &str = "
    SELECT attname::text AS name FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum";

const FOREIGN_KEYS: &str = "
    SELECT constr.conname::text AS name, parent.relname::text AS parent, child.attname::text AS child,
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
        indexed.attname::text AS child
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
    let keys: Vec<KeyColumn> = diesel::sql_query(FOREIGN_KEYS)
        .bind::<Text, _>(&name)
        .load(conn)?;
    let indexed: Vec<IndexColumn> = diesel::sql_query(INDEXES)
        .bind::<Text, _>(&name)
        .load(conn)?;
    Ok(Some(TableFacts {
        columns: columns.into_iter().map(|it| it.name).collect(),
        foreign_keys: foreign_keys(&keys),
        indexes: indexes(&indexed),
    }))
}
