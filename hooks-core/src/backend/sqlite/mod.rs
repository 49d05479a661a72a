mod catalog;
mod table;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::Error as DieselError;
use diesel::sqlite::query_builder::SqliteQueryBuilder;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, RunQueryDsl};

use super::catalog::TableFacts;
use super::session::{NotCommitted, with_savepoints};
use super::statements::{Lists, Release, RollBack, SetSavepoint};
use super::{ByRowid, Dialect, Session, Shape, System, execute};
use crate::connection::{HookConnection, RawConnection};

const REFUSES_TO_COMMIT: &str = "BEGIN;
    CREATE TEMP TABLE diesel_hooks_lost (
        id INTEGER PRIMARY KEY,
        other INTEGER REFERENCES diesel_hooks_lost DEFERRABLE INITIALLY DEFERRED
    );
    INSERT INTO temp.diesel_hooks_lost VALUES (1, 2);";

impl HookConnection for SqliteConnection {
    type Raw = Self;

    fn raw_connection(&mut self) -> &mut Self {
        self
    }
}

impl<ST> Lists<ST> for Sqlite {}

impl Dialect for Sqlite {
    #[inline]
    fn system(&self) -> System {
        System::Sqlite
    }

    fn query_builder(&self) -> SqliteQueryBuilder {
        SqliteQueryBuilder::new()
    }
}

impl RawConnection for SqliteConnection {
    type Inserting = ByRowid;

    #[inline]
    fn backend(&self) -> Sqlite {
        Sqlite
    }

    fn session(&mut self) -> &mut dyn Session {
        self
    }
}

impl Session for SqliteConnection {
    fn begin_to_write(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, "BEGIN IMMEDIATE")
    }

    /// What stays prepared is faster here than what is sent together.
    fn begin_with_savepoint(&mut self) -> QueryResult<()> {
        Session::begin_to_write(self)?;
        execute(self, SetSavepoint).map(drop)
    }

    fn release_and_commit(&mut self) -> Result<(), NotCommitted> {
        execute(self, Release).map_err(|error| NotCommitted {
            error,
            is_lost: true,
        })?;
        AnsiTransactionManager::commit_transaction(self).map_err(NotCommitted::refused)
    }

    /// SQLite tells by refusing to begin inside a transaction.
    fn transaction_is_open(&mut self) -> bool {
        let began = diesel::sql_query("BEGIN").execute(self).is_ok();
        if began {
            drop(execute(self, RollBack));
        }
        !began
    }

    /// By a deferred foreign key that is not fulfilled, where foreign keys are enforced. Elsewhere nothing is
    /// begun, so that COMMIT finds no transaction.
    fn begin_what_cannot_be_committed(&mut self, depth: u32) -> QueryResult<()> {
        if !table::foreign_keys_are_on(self) {
            return Ok(());
        }
        self.batch_execute(&with_savepoints(REFUSES_TO_COMMIT, depth))
    }

    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>> {
        catalog::describe(self, path)
    }

    fn enforces_foreign_keys(&mut self) -> QueryResult<bool> {
        table::foreign_keys(self)
    }

    fn shape(&mut self, path: &[String], key: &[&str]) -> QueryResult<Option<Shape>> {
        table::shape(self, path, key)
    }

    fn is_taken(&mut self, path: &[String], error: &DieselError) -> bool {
        table::is_taken(self, path, error)
    }
}
