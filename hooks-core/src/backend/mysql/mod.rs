//! MySQL and MariaDB give no row back from an INSERT. A key that the application made finds it; one that the
//! database counted up is `LAST_INSERT_ID()` of the connection, which other connections do not change, and triggers
//! do not either.
//!
//! Of several rows in one INSERT only the first key is told, and what the next ones are depends on the server's
//! settings: such rows are inserted by themselves. Those whose keys are known go together.

mod catalog;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::insertable::Insertable;
use diesel::mysql::{Mysql, MysqlConnection};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};

use super::Dialect;
use super::batch::Text;
use super::catalog::{TableFacts, is_unique, same};
use super::insert::{
    Insert, InsertStamped, Inserts, StampedNew, insert_into, insert_one_unread, inserts,
    load_in_order, one_by_one, refused, row_count, rows_count, stamped,
};
use super::several::insert_all_unread;
use super::statements::FromClause;
use super::{Shape, execute, names, with_savepoints};
use crate::connection::{ErrorEffect, HookConnection, RawConnection, Scope, doom, together};
use crate::error::{Error, Operation, Result, ends_transaction_of_mysql};
use crate::model::{Hooked, Persist, Refused, Row, Stored};
use crate::timestamp::{Fresh, Stamping};

impl HookConnection for MysqlConnection {
    type Raw = Self;

    fn raw_connection(&mut self) -> &mut Self {
        self
    }
}

impl Dialect for Mysql {
    fn quote(&self) -> char {
        '`'
    }

    fn row(&self) -> Option<&'static str> {
        None
    }
}

impl RawConnection for MysqlConnection {
    const SAVEPOINTS_NEST: bool = false;

    fn begin_to_write(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(self, "BEGIN")
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

    fn backend(&self) -> Mysql {
        Mysql
    }

    fn system(&self) -> &'static str {
        "mysql"
    }

    fn describe(&mut self, path: &[String]) -> QueryResult<Option<TableFacts>> {
        catalog::describe(self, path)
    }

    fn enforces_foreign_keys(&mut self) -> QueryResult<bool> {
        let on = diesel::dsl::sql::<BigInt>("@@foreign_key_checks");
        diesel::select(on).get_result(self).map(|on: i64| on != 0)
    }

    fn effect_of_error(error: &DieselError) -> ErrorEffect {
        match error {
            // A deadlock, or a row that is not as it was read.
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => {
                ErrorEffect::Transaction
            }
            DieselError::DatabaseError(_, info) if ends_transaction_of_mysql(info.message()) => {
                ErrorEffect::Transaction
            }
            _ => ErrorEffect::Statement,
        }
    }
}

impl<M> Persist<MysqlConnection> for M
where
    M: Stored<MysqlConnection>,
    FromClause<M>: QueryFragment<Mysql>,
    M::PkColumns: QueryFragment<Mysql> + QueryId,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<Mysql> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<Mysql> + QueryId,
{
    #[inline]
    fn guarded(conn: &mut MysqlConnection) -> bool {
        shape::<M>(conn).guarded
    }

    fn look_again(conn: &mut MysqlConnection) {
        Shape::forget::<M, _>(conn);
    }

    fn insert(conn: &mut MysqlConnection, new: Fresh<M>) -> Result<M> {
        let key = M::key_of_new(&new.new);
        match stamped(new) {
            Ok(new) => insert_one(conn, insert_into::<M, _>(new), key),
            Err(new) => insert_one(conn, insert_into::<M, _>(new), key),
        }
    }

    fn insert_unread(conn: &mut MysqlConnection, new: Fresh<M>) -> Result {
        match stamped(new) {
            Ok(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
            Err(new) => insert_one_unread::<M, _, _>(conn, insert_into::<M, _>(new)),
        }
    }

    fn insert_many(conn: &mut MysqlConnection, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        let keys: Option<Vec<_>> = new.iter().map(|new| M::key_of_new(&new.new)).collect();
        let Some(keys) = keys else {
            return one_by_one(new, |new| Self::insert(conn, new));
        };
        let expected = keys.len();
        Self::insert_many_unread(conn, new)?;
        let rows =
            load_in_order::<M, _>(conn, keys).map_err(|error| refused::<M>(expected, error))?;
        match rows.len() {
            actual if actual == expected => Ok(rows),
            actual => Err(Refused {
                inserted: expected,
                error: rows_count::<M>(expected, actual),
            }),
        }
    }

    fn insert_many_unread(conn: &mut MysqlConnection, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all_unread::<M, _, _>(conn, inserts),
            Inserts::Plain(inserts) => insert_all_unread::<M, _, _>(conn, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert_unread(conn, new)),
        }
    }

    fn is_unique(conn: &mut MysqlConnection, columns: &[&str]) -> bool {
        is_unique::<M, _>(conn, columns)
    }

    /// The message ends in the name of the index, on MySQL after that of the table. A trigger may have written to
    /// another table.
    fn is_taken(conn: &mut MysqlConnection, error: &DieselError) -> bool {
        let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
            return false;
        };
        let Some(violated) = info.message().strip_suffix('\'') else {
            return false;
        };
        let Some((_, violated)) = violated.rsplit_once("for key '") else {
            return false;
        };
        let Ok(path) = names::path::<M, _>(&Mysql) else {
            return false;
        };
        let table = path.last().map_or("", String::as_str);
        let index = match violated.split_once('.') {
            Some((named, index)) if same(named, table) => index,
            Some(_) => return false,
            None => violated,
        };
        catalog::is_unique_index(conn, &path, index).unwrap_or(false)
    }
}

/// Makes `LAST_INSERT_ID()` 0.
struct ForgetInsertId;

impl QueryId for ForgetInsertId {
    type QueryId = Self;
}

impl QueryFragment<Mysql> for ForgetInsertId {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql("DO LAST_INSERT_ID(0)");
        Ok(())
    }
}

/// `key = LAST_INSERT_ID()`
struct LastInsertId<M: Row>(M::PkColumns);

impl<M: Row> Default for LastInsertId<M> {
    fn default() -> Self {
        LastInsertId(M::PkColumns::default())
    }
}

impl<M: Row> QueryId for LastInsertId<M> {
    type QueryId = LastInsertId<M>;
}

impl<M: Row<PkColumns: QueryFragment<Mysql>>> QueryFragment<Mysql> for LastInsertId<M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" = LAST_INSERT_ID()");
        Ok(())
    }
}

#[inline]
fn shape<M: Hooked<MysqlConnection>>(conn: &mut MysqlConnection) -> Shape
where
    FromClause<M>: QueryFragment<Mysql>,
{
    Shape::of::<M, _>(conn, |conn| {
        catalog::shape(conn, &names::path::<M, _>(&Mysql)?, M::KEY)
    })
}

fn insert_one<M, I>(conn: &mut MysqlConnection, insert: I, key: Option<M::Pk>) -> Result<M>
where
    M: Stored<MysqlConnection>,
    FromClause<M>: QueryFragment<Mysql>,
    M::PkColumns: QueryFragment<Mysql> + QueryId,
    I: QueryFragment<Mysql> + QueryId,
{
    let failed = |error| Error::query(M::INFO.name, Operation::Create)(error);
    let Some(key) = key else {
        if !shape::<M>(conn).key_is_counted {
            return Err(unknown_key::<M>());
        }
        if !gives_key::<M>(&insert).map_err(failed)? {
            execute(conn, insert).map_err(failed)?;
            return read_back(conn, |conn| last::<M>(conn));
        }
        // If the row is given its key, nothing tells which it is.
        return together(conn, Scope::Statements, |conn| {
            // Else an earlier one would be told.
            execute(conn, ForgetInsertId).map_err(failed)?;
            execute(conn, insert).map_err(failed)?;
            last::<M>(conn)
                .map_err(failed)?
                .ok_or_else(unknown_key::<M>)
        });
    };
    execute(conn, insert).map_err(failed)?;
    read_back(conn, |conn| M::find(conn, key))
}

fn last<M>(conn: &mut MysqlConnection) -> QueryResult<Option<M>>
where
    M: Stored<MysqlConnection>,
    M::PkColumns: QueryFragment<Mysql> + QueryId,
{
    Ok(M::load_where(conn, LastInsertId::<M>::default())?.pop())
}

/// Reads an inserted row. If that is not to be found, nothing takes it back.
fn read_back<M: Row>(
    conn: &mut MysqlConnection,
    read: impl FnOnce(&mut MysqlConnection) -> QueryResult<Option<M>>,
) -> Result<M> {
    let error = match read(conn) {
        Ok(Some(row)) => return Ok(row),
        Ok(None) => row_count::<M>(0),
        Err(error) => Error::query(M::INFO.name, Operation::Create)(error),
    };
    Err(doom(conn, Some(error)))
}

/// Whether the statement has a value for the key, which may be one that leaves it to the database.
fn gives_key<M: Row>(insert: &impl QueryFragment<Mysql>) -> QueryResult<bool> {
    let text = Text::of(names::sql(&Mysql, insert)?);
    let key = M::KEY.first();
    Ok(text.is_none_or(|text| {
        let columns = text.columns(&Mysql);
        columns
            .iter()
            .any(|it| key.is_some_and(|key| same(it, key)))
    }))
}

/// Neither the application nor the database tells the key of the row.
fn unknown_key<M: Row>() -> Error {
    Error::query(M::INFO.name, Operation::Create)(DieselError::QueryBuilderError(
        "nothing tells the key of the new row: let AUTO_INCREMENT make it, or say `#[hooks(assigned)]` on its \
         field, with a field of that name in what the row is created from"
            .into(),
    ))
}
