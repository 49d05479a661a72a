//! SQLite inserts a row and reads it back by its rowid, in less than half of what RETURNING costs there:
//! that opens a temporary table and a statement journal on each use.
//!
//! The rowid is right for a table that has one, unless a column is called `_rowid_` or a trigger moves the
//! row: SQLite restores `last_insert_rowid()` when a trigger ends, and the row is read after the triggers ran. A table WITHOUT ROWID leaves the function as it was,
//! so the first insert into a table looks whether it has one, and without it the key comes by RETURNING.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::connection::AnsiTransactionManager;
use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::query_builder::{InsertStatement, QueryFragment, QueryId};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Expression, QueryResult};

use super::statements::{
    Delete, FromClause, LastInserted, Never, NoRows, ReturningKey, Rowid, Select, Update,
};
use super::{execute, rows, write};
use crate::connection::{HookConnection, RawConnection, State};
use crate::error::{Error, Operation, Result};
use crate::model::{self, Filter, Hooked, Persist, Row};
use crate::signal::ColumnSet;

type Insert<M> = InsertStatement<
    <M as Row>::Table,
    <<M as model::Model>::New as Insertable<<M as Row>::Table>>::Values,
>;

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

    fn backend(&self) -> Sqlite {
        Sqlite
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
    for<'a> M::Changeset<'a>: QueryFragment<Sqlite> + QueryId,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<Sqlite> + QueryId,
    M::PkColumns: Expression + QueryFragment<Sqlite> + QueryId,
    Sqlite: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, Sqlite>,
{
    fn insert(conn: &mut SqliteConnection, new: M::New) -> Result<M> {
        let insert = diesel::insert_into(M::Table::default()).values(new);
        let error = Error::query(M::INFO.name, Operation::Create);
        if has_rowid::<M>(conn) {
            rows::<_, _, i32>(conn, NoRows(insert))
                .and_then(|mut rows| rows.next().transpose())
                .map_err(error)?;
            let read = |conn: &mut SqliteConnection| {
                rows(conn, Select::<M, _, _>::new(M::selection(), LastInserted))?
                    .next()
                    .transpose()
            };
            return read_back(conn, read, |conn| Self::remove_where(conn, LastInserted));
        }
        let insert = ReturningKey {
            insert,
            key: M::PkColumns::default(),
        };
        let key: Option<M::Pk> = rows(conn, insert)
            .and_then(|mut keys| keys.next().transpose())
            .map_err(error)?;
        let key = key.ok_or_else(|| row_count::<M>(0))?;
        read_back(
            conn,
            |conn| Self::find(conn, key.clone()),
            |conn| Self::remove(conn, key.clone()),
        )
    }

    fn insert_unread(conn: &mut SqliteConnection, new: M::New) -> Result {
        let insert = diesel::insert_into(M::Table::default()).values(new);
        match execute(conn, insert) {
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
}

/// Reads an inserted row, or takes it back: inside a transaction of the application nothing else would.
fn read_back<M: Row>(
    conn: &mut SqliteConnection,
    read: impl FnOnce(&mut SqliteConnection) -> QueryResult<Option<M>>,
    take_back: impl FnOnce(&mut SqliteConnection) -> QueryResult<usize>,
) -> Result<M> {
    let row = catch_unwind(AssertUnwindSafe(|| read(conn)));
    if let Ok(Ok(Some(row))) = row {
        return Ok(row);
    }
    let taken_back = take_back(conn);
    let row = row.unwrap_or_else(|panic| resume_unwind(panic));
    taken_back
        .and(row)
        .map_err(Error::query(M::INFO.name, Operation::Create))?
        .ok_or_else(|| row_count::<M>(0))
}

fn row_count<M: Row>(actual: usize) -> Error {
    Error::RowCount {
        model: M::INFO.name,
        operation: Operation::Create,
        expected: 1,
        actual,
    }
}

/// Whether rows of this table can be found by `_rowid_`, which is asked once on each connection.
fn has_rowid<M: Row>(conn: &mut SqliteConnection) -> bool
where
    FromClause<M>: QueryFragment<Sqlite>,
{
    struct HasRowid<M>(PhantomData<M>);

    // An instrumentation that leaves us no room costs the memory, not the operation.
    let Ok(state) = State::of(conn) else {
        return false;
    };
    if let Some(known) = state.fact::<HasRowid<M>>() {
        return known;
    }
    let look = execute(conn, Select::<M, _, _>::new(Rowid, LastInserted));
    let has_rowid = look.is_ok() && !M::COLUMNS.contains(&"_rowid_");
    if let (Ok(state), true) = (State::of(conn), has_rowid || mentions_rowid(look)) {
        state.remember::<HasRowid<M>>(has_rowid);
    }
    has_rowid
}

/// Whether it is the rowid that is missing, and not the table.
fn mentions_rowid(look: QueryResult<usize>) -> bool {
    look.is_err_and(|error| error.to_string().contains("_rowid_"))
}
