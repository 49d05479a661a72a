//! What PostgreSQL says of a table. A name without a schema means there what it means in a statement: what the
//! search path finds first.

use diesel::pg::PgConnection;
use diesel::sql_types::{Array, Bool, Text};
use diesel::{OptionalExtension, QueryResult, QueryableByName, RunQueryDsl};

use crate::backend::catalog::{IndexColumn, KeyColumn, TableFacts, foreign_keys, indexes};
use crate::backend::{Shape, System};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    schema: String,
}

const COLUMNS: &str = "
    SELECT attname::text AS name, nspname::text AS schema
    FROM pg_attribute JOIN pg_class AS its ON its.oid = attrelid
    JOIN pg_namespace AS home ON home.oid = its.relnamespace
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum";

const FOREIGN_KEYS: &str = "
    SELECT constr.conname::text AS name, schema.nspname::text AS parent_schema, parent.relname::text AS parent,
        child.attname::text AS child, target.attname::text AS target,
        CASE constr.confdeltype WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL'
            WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END AS on_delete
    FROM pg_constraint AS constr
    CROSS JOIN LATERAL unnest(constr.conkey, constr.confkey) WITH ORDINALITY AS key (child, parent, place)
    JOIN pg_class AS parent ON parent.oid = constr.confrelid
    JOIN pg_namespace AS schema ON schema.oid = parent.relnamespace
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

#[derive(QueryableByName)]
struct Surprises {
    #[diesel(sql_type = Bool)]
    surprises: bool,
}

/// Triggers and rules, also on the tables that the database's own foreign key actions write to and on partitions;
/// whether one of these is no plain table, has policies for its rows, or a key that is not unique.
const SURPRISES: &str = "
    WITH RECURSIVE reached (id) AS (
        SELECT to_regclass($1)::oid
        UNION
        SELECT next.id FROM reached CROSS JOIN LATERAL (
            SELECT conrelid AS id FROM pg_constraint
            WHERE confrelid = reached.id AND contype = 'f'
                AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
            UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = reached.id
        ) AS next
    )
    SELECT EXISTS (SELECT FROM reached JOIN pg_class AS it ON it.oid = reached.id
            WHERE it.relkind NOT IN ('r', 'p') OR it.relhasrules OR row_security_active(it.oid)
            OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = it.oid AND NOT tgisinternal))
        OR NOT EXISTS (SELECT FROM pg_index
            WHERE indrelid = found.oid AND indisunique AND indimmediate AND indisvalid AND indpred IS NULL
            AND indexprs IS NULL
            AND NOT EXISTS (SELECT FROM unnest((indkey::int2[])[0:indnkeyatts - 1]) AS place
                JOIN pg_attribute ON attrelid = indrelid AND attnum = place
                WHERE attname::text <> ALL ($2)))
        AS surprises
    FROM pg_class AS found WHERE found.oid = to_regclass($1)";

/// The shape of a table with this key, or nothing if there is no such table.
pub(super) fn shape(
    conn: &mut PgConnection,
    path: &[String],
    key: &[&str],
) -> QueryResult<Option<Shape>> {
    let found = diesel::sql_query(SURPRISES)
        .bind::<Text, _>(quoted(path))
        .bind::<Array<Text>, _>(key)
        .get_result(conn)
        .optional()?;
    Ok(found.map(|it: Surprises| Shape {
        by_rowid: false,
        key_is_counted: false,
        guarded: it.surprises,
        gives_back: false,
    }))
}

/// The name as it is in a statement.
fn quoted(path: &[String]) -> String {
    System::Postgres.path(path.iter().map(String::as_str))
}

/// The table or view, if there is one.
pub(super) fn describe(
    conn: &mut PgConnection,
    path: &[String],
) -> QueryResult<Option<TableFacts>> {
    let name = quoted(path);
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
        schema: columns.first().map(|it| it.schema.clone()),
        columns: columns.into_iter().map(|it| it.name).collect(),
        foreign_keys: foreign_keys(&keys),
        indexes: indexes(&indexed),
    }))
}
