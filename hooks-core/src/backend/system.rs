//! The databases, and how their SQL and their transactions differ.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::QueryFragment;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::connection::ErrorEffect;
use crate::error::ends_transaction_of_mysql;

/// A database management system; MariaDB counts as MySQL.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Sqlite,
    Postgres,
    Mysql,
}

/// A backend, whose value tells the system: it may stand for one of several.
#[doc(hidden)]
pub trait Dialect: Backend {
    fn system(&self) -> System;
    fn query_builder(&self) -> Self::QueryBuilder;

    /// How many bytes the values of a statement have, if that is asked of this database.
    fn value_bytes<'b>(
        &'b self,
        _statement: &'b dyn QueryFragment<Self>,
    ) -> QueryResult<Option<usize>>
    where
        Self: Sized,
    {
        Ok(None)
    }

    /// The same, of values that were collected.
    fn bytes_of(&self, _values: &Self::BindCollector<'_>) -> Option<usize> {
        None
    }
}

impl System {
    /// OpenTelemetry's name for it.
    #[cfg(feature = "tracing")]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            System::Sqlite => "sqlite",
            System::Postgres => "postgresql",
            System::Mysql => "mysql",
        }
    }

    /// What Diesel writes around a name.
    pub(super) const fn quote(self) -> char {
        match self {
            System::Sqlite | System::Mysql => '`',
            System::Postgres => '"',
        }
    }

    /// A name in SQL, in the standard's quotes where the database has them.
    pub(crate) fn quoted(self, name: &str) -> String {
        let quote = match self {
            System::Mysql => '`',
            System::Sqlite | System::Postgres => '"',
        };
        let twice: String = [quote, quote].iter().collect();
        format!("{quote}{}{quote}", name.replace(quote, &twice))
    }

    /// A table's name in SQL, after that of its schema if it has one.
    pub(crate) fn path<'a>(self, names: impl IntoIterator<Item = &'a str>) -> String {
        let names = names.into_iter().map(|it| self.quoted(it));
        names.collect::<Vec<_>>().join(".")
    }

    /// How many keys one statement names at most. Where the application waits for each answer, many are better than
    /// statements that stay prepared; MySQL takes no statement larger than `max_allowed_packet`, and all have a limit
    /// of parameters, of which a key may have eight.
    pub(crate) const fn keys_at_once(self) -> usize {
        match self {
            System::Sqlite => 250,
            System::Postgres => 8_000,
            System::Mysql => 1_000,
        }
    }

    /// What stands before a list of composite keys: SQLite has row values, but no list of them.
    #[inline]
    pub(super) const fn list_of_keys(self) -> &'static str {
        match self {
            System::Sqlite => "VALUES ",
            System::Postgres | System::Mysql => "",
        }
    }

    /// What makes one row of several values, to be assigned to as many columns. Without it each is assigned by
    /// itself.
    pub(crate) const fn row(self) -> Option<&'static str> {
        match self {
            System::Sqlite => Some(""),
            System::Postgres => Some("ROW"),
            System::Mysql => None,
        }
    }

    /// What a query ends in that keeps others from its rows until the transaction is over. On SQLite a
    /// transaction that writes has the only write lock there is.
    #[inline]
    pub(super) const fn for_update(self) -> &'static str {
        match self.locks_rows() {
            true => " FOR UPDATE",
            false => "",
        }
    }

    /// Whether a transaction keeps others from rows that it asks for, and not from all.
    #[inline]
    pub(crate) const fn locks_rows(self) -> bool {
        !matches!(self, System::Sqlite)
    }

    /// Whether only rows of tables can be locked, and those of one table alone.
    #[inline]
    pub(super) const fn locks_rows_as_they_are(self) -> bool {
        matches!(self, System::Postgres)
    }

    /// Whether a lock on rows that are not there keeps others from creating them.
    #[inline]
    pub(crate) const fn locks_gaps(self) -> bool {
        matches!(self, System::Mysql)
    }

    /// Whether foreign keys are looked at after each row of a statement, and not at its end: then no statement
    /// takes rows that refer to each other, nor one that refers to itself.
    #[inline]
    pub(crate) const fn checks_keys_by_row(self) -> bool {
        matches!(self, System::Mysql)
    }

    /// Whether a savepoint of a name hides an earlier one, and does not replace it.
    #[inline]
    pub(crate) const fn savepoints_nest(self) -> bool {
        !matches!(self, System::Mysql)
    }

    /// Whether the way to insert a row also takes it back where it cannot be read, without a savepoint.
    #[inline]
    pub(crate) const fn takes_back_unread_rows(self) -> bool {
        matches!(self, System::Sqlite)
    }

    /// Whether an error may end a transaction, with every trace of it.
    #[inline]
    pub(crate) const fn errors_end_transactions(self) -> bool {
        matches!(self, System::Mysql)
    }

    /// Whether a server may take no more bytes in a statement than a batch of rows can have.
    #[inline]
    pub(super) const fn limits_packets(self) -> bool {
        matches!(self, System::Mysql)
    }

    /// Whether nothing is answered after a statement that failed, until something is rolled back.
    #[inline]
    pub(crate) const fn errors_abort(self) -> bool {
        matches!(self, System::Postgres)
    }

    /// What a statement that failed like this does to the transaction around it.
    pub(crate) fn effect_of_error(self, error: &DieselError) -> ErrorEffect {
        match (self, error) {
            (System::Postgres, DieselError::DatabaseError(..)) => ErrorEffect::Level,
            // A deadlock, or a row that is not as it was read.
            (System::Mysql, DieselError::DatabaseError(kind, told))
                if *kind == DatabaseErrorKind::SerializationFailure
                    || ends_transaction_of_mysql(told.message()) =>
            {
                ErrorEffect::Transaction
            }
            _ => ErrorEffect::Statement,
        }
    }
}
