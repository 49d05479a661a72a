mod catalog;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::mysql::{Mysql, MysqlConnection, MysqlQueryBuilder};
use diesel::query_builder::QueryFragment;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};

use super::catalog::{TableFacts, same};
use super::session::{BEGIN_WITH_SAVEPOINT, NotCommitted, RELEASE_AND_COMMIT, with_savepoints};
use super::statements::Lists;
use super::{ByLastId, Dialect, Session, Settings, Shape, System};
use crate::connection::{HookConnection, RawConnection};
use crate::diesel_internals::{RawBytesBindCollector, bytes_of, collect_values, commit_by};

impl HookConnection for MysqlConnection {
    type Raw = Self;

    fn raw_connection(&mut self) -> &mut Self {
        self
    }
}

impl<ST> Lists<ST> for Mysql {}

impl Dialect for Mysql {
    #[inline]
    fn system(&self) -> System {
        System::Mysql
    }

    fn query_builder(&self) -> MysqlQueryBuilder {
        MysqlQueryBuilder::new()
    }

    fn value_bytes<'b>(
        &'b self,
        statement: &'b dyn QueryFragment<Self>,
    ) -> QueryResult<Option<usize>> {
        let mut values = RawBytesBindCollector::default();
        collect_values(self, statement, &mut values, &mut ())?;
        Ok(self.bytes_of(&values))
    }

    fn bytes_of(&self, values: &RawBytesBindCollector<Self>) -> Option<usize> {
        Some(bytes_of(values))
    }
}

impl RawConnection for MysqlConnection {
    type Inserting = ByLastId;

    #[inline]
    fn backend(&self) -> Mysql {
        Mysql
    }

    fn session(&mut self) -> &mut dyn Session {
        self
    }
}

impl Session for MysqlConnection {
    fn begin_to_write(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, "BEGIN")
    }

    fn begin_with_savepoint(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, BEGIN_WITH_SAVEPOINT)
    }

    /// What is said of a savepoint that is not there, in any language, names it.
    fn release_and_commit(&mut self) -> Result<(), NotCommitted> {
        commit_by(self, RELEASE_AND_COMMIT).map_err(|error| {
            let is_lost = matches!(&error, DieselError::DatabaseError(_, told)
                if told.message().contains("diesel_hooks"));
            NotCommitted { error, is_lost }
        })
    }

    /// Outside of a transaction a savepoint is gone with its statement.
    fn transaction_is_open(&mut self) -> bool {
        let mut run = |sql| self.batch_execute(sql).is_ok();
        run("SAVEPOINT diesel_hooks_open") && run("RELEASE SAVEPOINT diesel_hooks_open")
    }

    /// MySQL can refuse no COMMIT; but in a transaction that may only read there is nothing to commit.
    fn begin_what_cannot_be_committed(&mut self, depth: u32) -> QueryResult<()> {
        self.batch_execute(&with_savepoints("START TRANSACTION READ ONLY;", depth))
    }

    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>> {
        catalog::describe(self, path)
    }

    fn enforces_foreign_keys(&mut self) -> QueryResult<bool> {
        let on = diesel::dsl::sql::<BigInt>("@@foreign_key_checks");
        diesel::select(on).get_result(self).map(|on: i64| on != 0)
    }

    fn settings(&mut self) -> Settings {
        let asked = diesel::dsl::sql::<(BigInt, BigInt)>(
            "CAST(@@innodb_rollback_on_timeout AS SIGNED), CAST(@@max_allowed_packet AS SIGNED)",
        );
        match diesel::select(asked).get_result::<(i64, i64)>(self) {
            Ok((ends, packet)) => Settings {
                lock_timeout_ends_transaction: ends == 1,
                max_packet: usize::try_from(packet).ok(),
            },
            Err(_) => Settings::default(),
        }
    }

    fn shape(&mut self, path: &[String], key: &[&str]) -> QueryResult<Option<Shape>> {
        catalog::shape(self, path, key)
    }

    /// The message ends in the name of the index, on MySQL after that of the table.
    fn is_taken(&mut self, path: &[String], error: &DieselError) -> bool {
        let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
            return false;
        };
        let Some(violated) = info.message().strip_suffix('\'') else {
            return false;
        };
        let Some((_, violated)) = violated.rsplit_once("for key '") else {
            return false;
        };
        let table = path.last().map_or("", String::as_str);
        let of_table = violated.split_once('.');
        let index = of_table.filter(|(named, _)| same(named, table));
        let index = index.map_or(violated, |(_, index)| index);
        catalog::is_unique_index(self, path, index).unwrap_or(false)
    }
}
