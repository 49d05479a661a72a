mod array;
mod catalog;

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::pg::{Pg, PgConnection, PgQueryBuilder};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::catalog::TableFacts;
use super::session::{BEGIN_WITH_SAVEPOINT, NotCommitted, RELEASE_AND_COMMIT, with_savepoints};
use super::{ByReturning, Dialect, Session, Shape, System};
use crate::connection::{HookConnection, RawConnection};
use crate::diesel_internals::{commit_by, transaction_status};

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
    #[inline]
    fn system(&self) -> System {
        System::Postgres
    }

    fn query_builder(&self) -> PgQueryBuilder {
        PgQueryBuilder::default()
    }
}

impl RawConnection for PgConnection {
    type Inserting = ByReturning;

    #[inline]
    fn backend(&self) -> Pg {
        Pg
    }

    fn session(&mut self) -> &mut dyn Session {
        self
    }
}

impl Session for PgConnection {
    fn begin_to_write(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, "BEGIN")
    }

    fn begin_with_savepoint(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, BEGIN_WITH_SAVEPOINT)
    }

    /// A COMMIT ends the transaction even if it fails.
    fn release_and_commit(&mut self) -> Result<(), NotCommitted> {
        commit_by(self, RELEASE_AND_COMMIT).map_err(|error| {
            let depth = transaction_status(self).transaction_depth();
            let is_lost = matches!(depth, Ok(Some(_)));
            NotCommitted { error, is_lost }
        })
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

    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>> {
        catalog::describe(self, path)
    }

    fn shape(&mut self, path: &[String], key: &[&str]) -> QueryResult<Option<Shape>> {
        catalog::shape(self, path, key)
    }

    fn enforces_foreign_keys(&mut self) -> QueryResult<bool> {
        Ok(true)
    }

    fn is_taken(&mut self, path: &[String], error: &DieselError) -> bool {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                info.table_name() == path.last().map(String::as_str)
            }
            _ => false,
        }
    }
}
