//! A query of the application's, made to keep others from the rows that it finds.

use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

use crate::backend::names::sql;
use crate::backend::{Dialect, System};

/// A query that asks for locks on the rows of one table, if it can.
pub(crate) struct Locked<Q> {
    query: Q,
    lock: Lock,
    /// The table, without its schema, where only the rows of one are to be locked.
    table: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Its rows are locked without more words.
    Needless,
    Asked,
    /// It is no query that could ask, or it asks for a weaker one.
    Refused,
}

impl<Q> Locked<Q> {
    /// Of rows of the table at this path.
    pub(crate) fn new<DB: Dialect>(
        query: Q,
        path: impl FnOnce(&DB) -> QueryResult<Vec<String>>,
        backend: &DB,
    ) -> QueryResult<Self>
    where
        Q: QueryFragment<DB>,
    {
        let system = backend.system();
        let (mut lock, mut table) = (Lock::Needless, None);
        if system.locks_rows() {
            lock = Lock::of(system, &sql(backend, &query)?);
            table = path(backend)?
                .pop()
                .filter(|_| system.locks_rows_as_they_are());
        }
        Ok(Locked { query, lock, table })
    }

    /// Whether nobody else can change what it has found.
    pub(crate) fn locks(&self) -> bool {
        self.lock != Lock::Refused
    }
}

impl Lock {
    /// What a query does that has this text, in which there are no values. Words that are a name's cost a query more.
    fn of(system: System, sql: &str) -> Self {
        let sql = sql.to_ascii_uppercase();
        let has = |sql: &str, words: &[&str]| words.iter().any(|it| sql.contains(it));
        let end = sql.rsplit(')').next().unwrap_or_default();
        if has(end, &[" FOR UPDATE", " FOR NO KEY UPDATE"]) {
            return Lock::Needless;
        }
        if has(end, &[" FOR ", " LOCK IN "])
            || (system.locks_rows_as_they_are() && has(&sql, &COMBINES))
        {
            return Lock::Refused;
        }
        Lock::Asked
    }
}

/// What makes one row of several, or of what is no row of a table.
const COMBINES: [&str; 7] = [
    "DISTINCT",
    "GROUP BY",
    "HAVING",
    "OVER",
    "UNION",
    "INTERSECT",
    "EXCEPT",
];

impl<Q: Query> Query for Locked<Q> {
    type SqlType = Q::SqlType;
}

/// Whether it can lock is in the text that a static id stands for.
impl<Q: QueryId> QueryId for Locked<Q> {
    type QueryId = Locked<Q::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: QueryFragment<DB>, DB: Dialect> QueryFragment<DB> for Locked<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        if self.lock != Lock::Asked {
            return Ok(());
        }
        out.push_sql(out.backend().system().for_update());
        if let Some(table) = &self.table {
            out.push_sql(" OF ");
            out.push_identifier(table)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Lock, System};

    #[test]
    fn a_query_asks_for_locks_where_the_database_grants_them() {
        for (sql, postgres, mysql) in [
            ("SELECT a FROM b WHERE (c = $1)", Lock::Asked, Lock::Asked),
            (
                "SELECT a FROM b LIMIT $1 FOR UPDATE SKIP LOCKED",
                Lock::Needless,
                Lock::Needless,
            ),
            (
                "SELECT a FROM b WHERE (c = $1) FOR NO KEY UPDATE",
                Lock::Needless,
                Lock::Needless,
            ),
            ("SELECT a FROM b FOR SHARE", Lock::Refused, Lock::Refused),
            (
                "SELECT a FROM b LOCK IN SHARE MODE",
                Lock::Refused,
                Lock::Refused,
            ),
            (
                "SELECT a FROM b WHERE c IN (SELECT d FROM e FOR UPDATE)",
                Lock::Asked,
                Lock::Asked,
            ),
            ("SELECT DISTINCT a FROM b", Lock::Refused, Lock::Asked),
            ("SELECT a FROM b group by a", Lock::Refused, Lock::Asked),
        ] {
            assert_eq!(Lock::of(System::Postgres, sql), postgres, "{sql}");
            assert_eq!(Lock::of(System::Mysql, sql), mysql, "{sql}");
        }
    }
}
