//! SQLite inserts a row and reads it back by its rowid, in less than half of what RETURNING costs there:
//! that opens a temporary table and a statement journal on each use.
//!
//! Whether a table's rows can be found by `_rowid_`, and whether it has triggers, is asked once on each
//! connection. Without a rowid the key comes by RETURNING. With triggers every operation has a savepoint:
//! one that says `RAISE(FAIL)` leaves half of a statement, and one that moves the row hides it. SQLite
//! restores `last_insert_rowid()` when a trigger ends, so what triggers insert does not confuse it.

mod catalog;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::query_builder::{InsertStatement, QueryFragment, QueryId};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Expression, QueryResult};

use super::catalog::{TableFacts, TableNames};
use super::statements::{
    Begin, Delete, FromClause, Full, LastInserted, Never, NoRows, OneKey, ReturningKey, RollBack,
    Select, Update, UpdateWhere,
};
use super::{Shape, execute, rows, write};
use crate::connection::{HookConnection, RawConnection, doom};
use crate::error::{Error, Operation, Result};
use crate::lifecycle::KEYS_AT_ONCE;
use crate::model::{self, Filter, Hooked, Persist, Row};
use crate::signal::ColumnSet;
use crate::timestamp::{Fresh, Stamping};

/// The INSERT of what fixtures are made of, or where there is nothing to stamp.
type Insert<M> = InsertValues<M, <M as model::Model>::New>;
/// The INSERT of what is stamped. Without stamps it is the same.
type InsertStamped<M> = InsertValues<M, StampedNew<M>>;

type InsertValues<M, V> =
    InsertStatement<<M as Row>::Table, <V as Insertable<<M as Row>::Table>>::Values>;
type StampedNew<M> = <<M as Row>::Fields as Stamping<<M as model::Model>::New>>::Stamped;

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

impl RawConnection for SqliteConnection {
    fn begin_to_write(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, "BEGIN IMMEDIATE")
    }

    /// SQLite tells by refusing to begin inside a transaction.
    fn transaction_is_open(&mut self) -> bool {
        let began = execute(self, Begin).is_ok();
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
        let mut sql = String::from(REFUSES_TO_COMMIT);
        for level in 1..depth {
            sql += &format!("SAVEPOINT diesel_savepoint_{level};");
        }
        self.batch_execute(&sql)
    }

    fn backend(&self) -> Sqlite {
        Sqlite
    }

    fn system(&self) -> &'static str {
        "sqlite"
    }

    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>> {
        catalog::describe(self, path)
    }

    fn enforces_foreign_keys(&mut self) -> QueryResult<bool> {
        table::foreign_keys(self)
    }
}

impl<M> Persist<SqliteConnection> for M
where
    M: Hooked<SqliteConnection> + model::Select<Sqlite>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, Sqlite>,
    M::Selection: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::Selection>>,
    FromClause<M>: QueryFragment<Sqlite>,
    M::PkFilter: QueryFragment<Sqlite> + QueryId,
    <M::PkFilter as OneKey>::OneOf: QueryFragment<Sqlite> + QueryId,
    for<'a> M::Changeset<'a>: QueryFragment<Sqlite> + QueryId,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<Sqlite> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<Sqlite> + QueryId,
    M::PkColumns: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, Sqlite>,
{
    fn names() -> QueryResult<TableNames> {
        catalog::names::<M>(M::selection())
    }

    #[inline]
    fn guarded(conn: &mut SqliteConnection) -> bool {
        Shape::of::<M>(conn).guarded
    }

    fn look_again(conn: &mut SqliteConnection) {
        Shape::forget::<M>(conn);
    }

    fn insert(conn: &mut SqliteConnection, new: Fresh<M>) -> Result<M> {
        let error = Error::query(M::INFO.name, Operation::Create);
        if Shape::of::<M>(conn).by_rowid {
            match stamped(new) {
                Ok(new) => insert_alone(conn, insert_into::<M, _>(new)),
                Err(new) => insert_alone(conn, insert_into::<M, _>(new)),
            }
            .map_err(error)?;
            let read = |conn: &mut SqliteConnection| {
                rows(conn, Select::<M, _, _>::new(M::selection(), LastInserted))?
                    .next()
                    .transpose()
            };
            return read_back(conn, read, |conn| Self::remove_where(conn, LastInserted));
        }
        let key = match stamped(new) {
            Ok(new) => insert_for_key::<M, _>(conn, insert_into::<M, _>(new)),
            Err(new) => insert_for_key::<M, _>(conn, insert_into::<M, _>(new)),
        }
        .map_err(error)?;
        let key = key.ok_or_else(|| row_count::<M>(0))?;
        read_back(
            conn,
            |conn| Self::find(conn, key.clone()),
            |conn| Self::remove(conn, key.clone()),
        )
    }

    fn insert_unread(conn: &mut SqliteConnection, new: Fresh<M>) -> Result {
        let count = match stamped(new) {
            Ok(new) => execute(conn, insert_into::<M, _>(new)),
            Err(new) => execute(conn, insert_into::<M, _>(new)),
        };
        match count {
            Ok(1) => Ok(()),
            Ok(count) => Err(row_count::<M>(count)),
            Err(error) => Err(Error::query(M::INFO.name, Operation::Create)(error)),
        }
    }

    fn find(conn: &mut SqliteConnection, pk: M::Pk) -> QueryResult<Option<M>> {
        let query = Select::<M, _, _>::new(M::selection(), M::pk_filter(pk));
        rows(conn, query)?.next().transpose()
    }

    fn load_where<F: Filter<SqliteConnection>>(
        conn: &mut SqliteConnection,
        filter: F,
    ) -> QueryResult<Vec<M>> {
        rows(conn, Select::<M, _, _>::new(M::selection(), filter))?.collect()
    }

    fn write(&self, conn: &mut SqliteConnection, columns: ColumnSet) -> QueryResult<usize> {
        let changes = self.changeset(columns);
        write(conn, columns, changes, self)
    }

    fn write_changeset<S>(
        conn: &mut SqliteConnection,
        pk: M::Pk,
        changeset: S,
    ) -> QueryResult<usize>
    where
        S: QueryFragment<Sqlite>,
    {
        execute(conn, Update::<M, _, Never>::new(changeset, pk))
    }

    fn remove(conn: &mut SqliteConnection, pk: M::Pk) -> QueryResult<usize> {
        execute(conn, Delete::<M, _>::new(M::pk_filter(pk)))
    }

    fn remove_where<F: Filter<SqliteConnection>>(
        conn: &mut SqliteConnection,
        filter: F,
    ) -> QueryResult<usize> {
        execute(conn, Delete::<M, _>::new(filter))
    }

    fn remove_many(conn: &mut SqliteConnection, keys: &[M::Pk]) -> QueryResult<usize> {
        match keys.len() {
            KEYS_AT_ONCE => Self::remove_where(conn, Full(M::one_of(keys))),
            _ => Self::remove_where(conn, M::one_of(keys)),
        }
    }

    fn present(conn: &mut SqliteConnection, keys: &[M::Pk]) -> QueryResult<Vec<M::Pk>> {
        let query = Select::<M, _, _>::new(M::PkColumns::default(), M::one_of(keys));
        rows(conn, query)?.collect()
    }

    fn load_many(conn: &mut SqliteConnection, keys: &[M::Pk]) -> QueryResult<Vec<M>> {
        Self::load_where(conn, M::one_of(keys))
    }

    fn change_where<S, F>(conn: &mut SqliteConnection, changes: S, filter: F) -> QueryResult<usize>
    where
        S: Filter<SqliteConnection>,
        F: Filter<SqliteConnection>,
    {
        execute(conn, UpdateWhere::<M, _, _>::new(changes, filter))
    }
}

/// What is to be inserted with its stamps, or as it is.
#[inline]
fn stamped<M>(new: Fresh<M>) -> std::result::Result<StampedNew<M>, M::New>
where
    M: Row<Fields: Stamping<M::New>>,
{
    match new.stamp {
        Some(at) if M::STAMPED => Ok(M::Fields::stamped(new.new, at)),
        _ => Err(new.new),
    }
}

fn insert_into<M: Row, V: Insertable<M::Table>>(values: V) -> InsertValues<M, V> {
    diesel::insert_into(M::Table::default()).values(values)
}

fn insert_alone<I>(conn: &mut SqliteConnection, insert: I) -> QueryResult<Option<i32>>
where
    I: QueryFragment<Sqlite> + QueryId,
{
    rows(conn, NoRows(insert))?.next().transpose()
}

fn insert_for_key<M, I>(conn: &mut SqliteConnection, insert: I) -> QueryResult<Option<M::Pk>>
where
    M: Row,
    I: QueryFragment<Sqlite> + QueryId,
    M::PkColumns: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, Sqlite>,
{
    let key = M::PkColumns::default();
    rows(conn, ReturningKey { insert, key })?.next().transpose()
}

/// Reads an inserted row, or takes it back: inside a transaction of the application nothing else would.
fn read_back<M: Hooked<SqliteConnection>>(
    conn: &mut SqliteConnection,
    read: impl FnOnce(&mut SqliteConnection) -> QueryResult<Option<M>>,
    take_back: impl FnOnce(&mut SqliteConnection) -> QueryResult<usize>,
) -> Result<M>
where
    FromClause<M>: QueryFragment<Sqlite>,
{
    let row = catch_unwind(AssertUnwindSafe(|| read(conn)));
    if let Ok(Ok(Some(row))) = row {
        return Ok(row);
    }
    let has_savepoint = Shape::of::<M>(conn).guarded;
    let clean = has_savepoint || take_back(conn) == Ok(1);
    if !clean {
        // The table is not what it looked like.
        Shape::forget::<M>(conn);
    }
    let error = match row.unwrap_or_else(|panic| {
        if !clean {
            drop(doom(conn, None));
        }
        resume_unwind(panic)
    }) {
        Ok(_) => row_count::<M>(0),
        Err(error) => Error::query(M::INFO.name, Operation::Create)(error),
    };
    match clean {
        true => Err(error),
        false => Err(doom(conn, Some(error))),
    }
}

fn row_count<M: Row>(actual: usize) -> Error {
    Error::RowCount {
        model: M::INFO.name,
        operation: Operation::Create,
        expected: 1,
        actual,
    }
}
