//! PostgreSQL inserts rows and gives them back by RETURNING, in the order in which a statement names them.
//!
//! A statement that fails takes the whole transaction with it, or what follows the innermost savepoint, so none
//! leaves half of itself. A trigger may keep a row from being written, which the count of rows tells.

mod catalog;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use diesel::{Expression, QueryResult, RunQueryDsl};

use super::Dialect;
use super::catalog::{TableFacts, is_unique};
use super::insert::{
    Insert, InsertStamped, Inserts, StampedNew, insert_into, insert_one_unread, inserts,
    one_by_one, refused, row_count, rows_count, stamped,
};
use super::several::{OneOrSeveral, Several, insert_all_unread};
use super::statements::{FromClause, Returning};
use super::{names, rows, with_savepoints};
use crate::connection::{ErrorEffect, HookConnection, RawConnection};
use crate::error::{Error, Operation, Result};
use crate::model::{self, Persist, Refused, Row, Stored};
use crate::timestamp::{Fresh, Stamping};

/// COMMIT looks at the foreign key before the table goes.
const REFUSES_TO_COMMIT: &str = "BEGIN;
    CREATE TEMP TABLE diesel_hooks_lost (
        id INTEGER PRIMARY KEY,
        other INTEGER REFERENCES diesel_hooks_lost DEFERRABLE INITIALLY DEFERRED
    ) ON COMMIT DROP;
    INSERT INTO pg_temp.diesel_hooks_lost VALUES (1, 2);";

impl HookConnection for PgConnection {
    type Raw = Self;

    fn raw_connection(&mut self) -> &mut Self {
        self
    }
}

impl Dialect for Pg {
    fn quote(&self) -> char {
        '"'
    }
}

impl RawConnection for PgConnection {
    const ERRORS_ABORT: bool = true;

    fn begin_to_write(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, "BEGIN")
    }

    /// A savepoint is refused outside of a transaction, and in one that has failed, where nothing else is
    /// answered either.
    fn transaction_is_open(&mut self) -> bool {
        let set = self.batch_execute("SAVEPOINT diesel_hooks_open").is_ok();
        match set {
            true => self
                .batch_execute("RELEASE SAVEPOINT diesel_hooks_open")
                .is_ok(),
            false => self.batch_execute("SELECT 1").is_err(),
        }
    }

    /// By a deferred foreign key that is not fulfilled.
    fn begin_what_cannot_be_committed(&mut self, depth: u32) -> QueryResult<()> {
        self.batch_execute(&with_savepoints(REFUSES_TO_COMMIT, depth))
    }

    fn backend(&self) -> Pg {
        Pg
    }

    fn system(&self) -> &'static str {
        "postgresql"
    }

    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>> {
        catalog::describe(self, path)
    }

    fn enforces_foreign_keys(&mut self) -> QueryResult<bool> {
        Ok(true)
    }

    fn reads_a_snapshot(&mut self) -> bool {
        let level = diesel::dsl::sql::<Text>("current_setting('transaction_isolation')");
        let level = diesel::select(level).get_result::<String>(self);
        level.is_ok_and(|level| level != "read committed")
    }

    fn effect_of_error(error: &DieselError) -> ErrorEffect {
        match error {
            DieselError::DatabaseError(..) => ErrorEffect::Level,
            _ => ErrorEffect::Statement,
        }
    }
}

impl<M> Persist<PgConnection> for M
where
    M: Stored<PgConnection> + model::Select<Pg>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, Pg>,
    M::Selection: Expression + QueryFragment<Pg> + QueryId,
    Pg: QueryMetadata<SqlTypeOf<M::Selection>>,
    FromClause<M>: QueryFragment<Pg>,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<Pg> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<Pg> + QueryId,
{
    #[inline]
    fn guarded(_conn: &mut PgConnection) -> bool {
        false
    }

    fn look_again(_conn: &mut PgConnection) {}

    fn insert(conn: &mut PgConnection, new: Fresh<M>) -> Result<M> {
        match stamped(new) {
            Ok(new) => insert_one(conn, insert_into::<M, _>(new)),
            Err(new) => insert_one(conn, insert_into::<M, _>(new)),
        }
    }

    fn insert_unread(conn: &mut PgConnection, new: Fresh<M>) -> Result {
        match stamped(new) {
            Ok(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
            Err(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
        }
    }

    fn insert_many(conn: &mut PgConnection, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all(conn, inserts),
            Inserts::Plain(inserts) => insert_all(conn, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert(conn, new)),
        }
    }

    fn insert_many_unread(conn: &mut PgConnection, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all_unread::<M, _, _>(conn, inserts),
            Inserts::Plain(inserts) => insert_all_unread::<M, _, _>(conn, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert_unread(conn, new)),
        }
    }

    fn is_unique(conn: &mut PgConnection, columns: &[&str]) -> bool {
        is_unique::<M, _>(conn, columns)
    }

    /// A trigger may have written to another table.
    fn is_taken(_conn: &mut PgConnection, error: &DieselError) -> bool {
        let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
            return false;
        };
        let table = names::path::<M, _>(&Pg)
            .ok()
            .and_then(|mut path| path.pop());
        info.table_name() == table.as_deref()
    }
}

fn insert_one<M, I>(conn: &mut PgConnection, insert: I) -> Result<M>
where
    M: Row + model::Select<Pg> + FromSqlRow<SqlTypeOf<M::Selection>, Pg>,
    M::Selection: Expression + QueryFragment<Pg> + QueryId,
    Pg: QueryMetadata<SqlTypeOf<M::Selection>>,
    I: QueryFragment<Pg> + QueryId,
{
    let insert = Returning {
        insert,
        selection: M::selection(),
    };
    let row = rows(conn, insert).and_then(|mut rows| rows.next().transpose());
    row.map_err(Error::query(M::INFO.name, Operation::Create))?
        .ok_or_else(|| row_count::<M>(0))
}

fn insert_all<M, I>(conn: &mut PgConnection, inserts: Vec<I>) -> Result<Vec<M>, Refused>
where
    M: Row + model::Select<Pg> + FromSqlRow<SqlTypeOf<M::Selection>, Pg>,
    M::Selection: Expression + QueryFragment<Pg> + QueryId,
    Pg: QueryMetadata<SqlTypeOf<M::Selection>>,
    I: QueryFragment<Pg> + QueryId,
{
    let mut all = Vec::with_capacity(inserts.len());
    for statement in Several::of(&Pg, inserts).map_err(|error| refused::<M>(0, error))? {
        let inserted = all.len();
        match statement {
            OneOrSeveral::One(insert) => {
                all.push(insert_one(conn, insert).map_err(|error| Refused { inserted, error })?);
            }
            OneOrSeveral::Several(insert) => {
                let expected = insert.len();
                let insert = Returning {
                    insert,
                    selection: M::selection(),
                };
                let rows: QueryResult<Vec<M>> = rows(conn, insert).and_then(Iterator::collect);
                all.extend(rows.map_err(|error| refused::<M>(inserted, error))?);
                let actual = all.len() - inserted;
                if actual != expected {
                    let error = rows_count::<M>(expected, actual);
                    return Err(Refused { inserted, error });
                }
            }
        }
    }
    Ok(all)
}
