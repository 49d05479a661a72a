//! SQLite inserts a row and reads it back by its rowid, in less than half of what RETURNING costs there:
//! that opens a temporary table and a statement journal on each use.
//!
//! Whether a table's rows can be found by `_rowid_`, and whether it has triggers, is asked once on each
//! connection. Without a rowid the key comes by RETURNING. With triggers every operation has a savepoint:
//! one that says `RAISE(FAIL)` leaves half of a statement, and one that moves the row hides it. SQLite
//! restores `last_insert_rowid()` when a trigger ends, so what triggers insert does not confuse it.

mod batch;
mod catalog;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Expression, QueryResult};

use self::batch::Batches;
use self::table::shape;
use super::Dialect;
use super::catalog::{TableFacts, is_unique};
use super::insert::{
    Insert, InsertStamped, Inserts, StampedNew, insert_into, insert_one_unread, inserts,
    one_by_one, row_count, stamped,
};
use super::statements::{
    Begin, FromClause, LastInserted, NoRows, OneKey, Returning, RollBack, Select,
};
use super::{Shape, execute, rows, with_savepoints};
use crate::connection::{HookConnection, RawConnection, doom};
use crate::error::{Error, Operation, Result};
use crate::model::{self, Hooked, Persist, Refused, Stored};
use crate::timestamp::{Fresh, Stamping};

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

impl Dialect for Sqlite {
    fn quote(&self) -> char {
        '`'
    }

    /// SQLite has row values, but no list of them.
    fn list_of_keys(&self) -> &'static str {
        "VALUES "
    }

    fn row(&self) -> Option<&'static str> {
        Some("")
    }

    /// A transaction that writes has the only write lock there is.
    fn for_update(&self) -> &'static str {
        ""
    }
}

impl RawConnection for SqliteConnection {
    const LOCKS_ROWS: bool = false;

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
        self.batch_execute(&with_savepoints(REFUSES_TO_COMMIT, depth))
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
    M: Stored<SqliteConnection> + model::Select<Sqlite>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, Sqlite>,
    M::Selection: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::Selection>>,
    FromClause<M>: QueryFragment<Sqlite>,
    <M::PkFilter as OneKey>::OneOf: QueryFragment<Sqlite> + QueryId,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<Sqlite> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<Sqlite> + QueryId,
    M::PkColumns: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, Sqlite>,
{
    #[inline]
    fn guarded(conn: &mut SqliteConnection) -> bool {
        shape::<M>(conn).guarded
    }

    fn look_again(conn: &mut SqliteConnection) {
        Shape::forget::<M, _>(conn);
    }

    fn insert(conn: &mut SqliteConnection, new: Fresh<M>) -> Result<M> {
        let last = |conn: &mut SqliteConnection| {
            rows(conn, Select::<M, _, _>::new(M::selection(), LastInserted))?
                .next()
                .transpose()
        };
        match stamped(new) {
            Ok(new) => insert_one(conn, insert_into::<M, _>(new), last),
            Err(new) => insert_one(conn, insert_into::<M, _>(new), last),
        }
    }

    fn insert_unread(conn: &mut SqliteConnection, new: Fresh<M>) -> Result {
        match stamped(new) {
            Ok(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
            Err(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
        }
    }

    fn insert_many(conn: &mut SqliteConnection, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        let shape = shape::<M>(conn);
        if new.len() < 2 || shape.guarded {
            return one_by_one(new, |new| Self::insert(conn, new));
        }
        let keys = new.iter().map(|new| M::key_of_new(&new.new)).collect();
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all(conn, shape, keys, inserts),
            Inserts::Plain(inserts) => insert_all(conn, shape, keys, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert(conn, new)),
        }
    }

    fn insert_many_unread(conn: &mut SqliteConnection, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        if new.len() < 2 || shape::<M>(conn).guarded {
            return one_by_one(new, |new| Self::insert_unread(conn, new));
        }
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all_unread::<M, _>(conn, inserts),
            Inserts::Plain(inserts) => insert_all_unread::<M, _>(conn, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert_unread(conn, new)),
        }
    }

    fn is_unique(conn: &mut SqliteConnection, columns: &[&str]) -> bool {
        !shape::<M>(conn).guarded && is_unique::<M, _>(conn, columns)
    }

    fn is_taken(conn: &mut SqliteConnection, error: &DieselError) -> bool {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                table::has_unique::<M>(conn, info.message())
            }
            _ => false,
        }
    }
}

fn insert_all<M, I>(
    conn: &mut SqliteConnection,
    shape: Shape,
    keys: Option<Vec<M::Pk>>,
    inserts: Vec<I>,
) -> Result<Vec<M>, Refused>
where
    M: Persist<SqliteConnection>,
    I: QueryFragment<Sqlite> + QueryId,
    FromClause<M>: QueryFragment<Sqlite>,
    <M::PkFilter as OneKey>::OneOf: QueryFragment<Sqlite> + QueryId,
    M::PkColumns: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, Sqlite>,
{
    match Batches::<M, _>::of(inserts)?.find_by(conn, shape, keys)? {
        Ok((batches, by)) => batches.run_and_read(conn, by),
        Err(inserts) => one_by_one(inserts, |insert| {
            insert_one(conn, insert, |conn| {
                Ok(M::load_where(conn, LastInserted)?.pop())
            })
        }),
    }
}

fn insert_all_unread<M, I>(conn: &mut SqliteConnection, inserts: Vec<I>) -> Result<(), Refused>
where
    M: Persist<SqliteConnection>,
    I: QueryFragment<Sqlite> + QueryId,
    FromClause<M>: QueryFragment<Sqlite>,
    <M::PkFilter as OneKey>::OneOf: QueryFragment<Sqlite> + QueryId,
{
    match Batches::<M, _>::of(inserts)?.all_grow() {
        Ok(batches) => batches.run(conn),
        Err(inserts) => one_by_one(inserts, |insert| insert_one_unread::<M, _, _>(conn, insert)),
    }
}

fn insert_one<M, I>(
    conn: &mut SqliteConnection,
    insert: I,
    read_last: impl FnOnce(&mut SqliteConnection) -> QueryResult<Option<M>>,
) -> Result<M>
where
    M: Persist<SqliteConnection>,
    I: QueryFragment<Sqlite> + QueryId,
    FromClause<M>: QueryFragment<Sqlite>,
    M::PkColumns: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, Sqlite>,
{
    let error = Error::query(M::INFO.name, Operation::Create);
    if shape::<M>(conn).by_rowid {
        run(conn, insert).map_err(error)?;
        return read_back(conn, read_last, |conn| M::remove_where(conn, LastInserted));
    }
    let insert = Returning {
        insert,
        selection: M::PkColumns::default(),
    };
    let key: Option<M::Pk> = rows(conn, insert)
        .and_then(|mut keys| keys.next().transpose())
        .map_err(error)?;
    let key = key.ok_or_else(|| row_count::<M>(0))?;
    read_back(
        conn,
        |conn| M::find(conn, key.clone()),
        |conn| M::remove(conn, key.clone()),
    )
}

/// Runs a statement without asking how many rows it touched.
fn run<Q>(conn: &mut SqliteConnection, statement: Q) -> QueryResult<()>
where
    Q: QueryFragment<Sqlite> + QueryId,
{
    let mut none = rows::<_, _, i32>(conn, NoRows(statement))?;
    none.next().transpose().map(drop)
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
    let has_savepoint = shape::<M>(conn).guarded;
    let clean = has_savepoint || take_back(conn) == Ok(1);
    if !clean {
        // The table is not what it looked like.
        Shape::forget::<M, _>(conn);
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
