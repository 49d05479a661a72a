use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::{System, TestConnection, spelt, system};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The rows of a table, sorted: their values as text, `0` or `1` for a truth value, `-` for NULL.
///
/// # Panics
///
/// If there is no such table.
pub fn rows(conn: &mut TestConnection, table: &str) -> Vec<String> {
    let rows = format!("SELECT {} AS line FROM {table}", line_of(conn, table));
    let mut lines = lines(conn, rows);
    lines.sort();
    lines
}

/// The expression that is a row of this table as text.
fn line_of(conn: &mut TestConnection, table: &str) -> String {
    let name = table.trim_matches(['`', '"']);
    let columns = match system() {
        System::Sqlite => format!(
            "SELECT group_concat('ifnull(`' || name || '`, ''-'')', ' || '' '' || ') AS line
            FROM pragma_table_info('{name}')"
        ),
        System::Postgres => format!(
            "SELECT 'concat_ws('' '', ' || string_agg('coalesce(' || quote_ident(attname)
                || CASE atttypid WHEN 'bool'::regtype THEN '::integer' ELSE '' END
                || '::text, ''-'')', ', ' ORDER BY attnum) || ')' AS line
            FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        ),
        System::Mysql => format!(
            "SELECT concat('concat_ws('' '', ', group_concat(concat('ifnull(`', column_name, '`, ''-'')')
                ORDER BY ordinal_position SEPARATOR ', '), ')') AS line
            FROM information_schema.columns WHERE table_schema = database() AND table_name = '{name}'"
        ),
    };
    lines(conn, columns).remove(0)
}

fn lines(conn: &mut TestConnection, query: String) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(query)
        .load(conn)
        .expect("there is such a table");
    lines.into_iter().map(|it| it.line).collect()
}

/// Runs statements that write rows, also such as give a generated key: the next that the database makes comes
/// after the largest.
///
/// # Panics
///
/// If one is refused.
pub fn insert(conn: &mut TestConnection, rows: &str) {
    if !rows.is_empty() {
        conn.batch_execute(&spelt(rows))
            .expect("the rows are right");
    }
    after_the_largest(conn);
}

/// A statement that inserts so many rows of these values, where `i` is the number of the row, from 1.
#[must_use]
pub fn many(table: &str, count: usize, values: &str) -> String {
    const DIGITS: &str = "(SELECT 0 AS digit UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
    let places = 0..count.to_string().len();
    let number: Vec<_> = places
        .clone()
        .map(|at| {
            format!(
                "d{at}.digit * {}",
                10_usize.pow(at.try_into().expect("few places"))
            )
        })
        .collect();
    let digits: Vec<_> = places.map(|at| format!("{DIGITS} AS d{at}")).collect();
    format!(
        "INSERT INTO {table} SELECT {values} FROM (SELECT {} AS i FROM {}) AS n WHERE i BETWEEN 1 AND {count} ORDER BY i;",
        number.join(" + "),
        digits.join(", ")
    )
}

/// Has PostgreSQL make keys after those that are there, as the others do by themselves.
fn after_the_largest(conn: &mut TestConnection) {
    const RESTART: &str = "DO $$ DECLARE it record; BEGIN
        FOR it IN SELECT attrelid::regclass::text AS place, quote_ident(attname) AS name, attname
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE attidentity <> '' AND relnamespace = current_schema()::regnamespace
        LOOP
            EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), greatest(max(%s), 0) + 1, false) FROM %s',
                it.place, it.attname, it.name, it.place);
        END LOOP;
    END $$";
    if system() == System::Postgres {
        conn.batch_execute(RESTART)
            .expect("sequences can be moved on");
    }
}

/// Has the next key that the database makes follow the largest that is there, as SQLite does by itself.
///
/// # Panics
///
/// If a table cannot be changed.
pub fn restart_keys(conn: &mut TestConnection) {
    after_the_largest(conn);
    if system() == System::Mysql {
        let tables = "SELECT concat('ALTER TABLE `', table_name, '` AUTO_INCREMENT = 1') AS line
            FROM information_schema.tables WHERE table_schema = database() AND auto_increment IS NOT NULL";
        for restart in lines(conn, tables.to_owned()) {
            conn.batch_execute(&restart).expect("a table of the test");
        }
    }
}
