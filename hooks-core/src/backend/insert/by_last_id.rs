//! MySQL and MariaDB give no row back from an INSERT. A key that the application made finds it; one that the
//! database counted up is `LAST_INSERT_ID()` of the connection, which other connections do not change, and triggers
//! do not either.
//!
//! Of several rows in one INSERT only the first key is told, and what the next ones are depends on the server's
//! settings: such rows are inserted by themselves. Those whose keys are known go together.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::insertable::Insertable;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error as DieselError;

use super::text::Text;
use super::{
    Insert, InsertStamped, Inserting, StampedNew, insert_into, insert_unread, load_in_order,
    one_by_one, refused, row_count, rows_count, several, stamped,
};
use crate::backend::catalog::same;
use crate::backend::{Shape, execute, names};
use crate::connection::{RawConnection, Scope, read_back, together};
use crate::error::{Error, Operation, Result};
use crate::model::{Refused, Row, Stored};
use crate::timestamp::{Fresh, Stamping};

/// How rows are inserted into MySQL and MariaDB.
#[doc(hidden)]
pub enum ByLastId {}

impl<M, C> Inserting<M, C> for ByLastId
where
    C: RawConnection,
    M: Stored<C>,
    M::PkColumns: QueryFragment<C::Backend> + QueryId,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<C::Backend> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<C::Backend> + QueryId,
{
    fn insert(conn: &mut C, new: Fresh<M>) -> Result<M> {
        let key = M::key_of_new(&new.new);
        match stamped(new) {
            Ok(new) => insert_one(conn, insert_into::<M, _>(new), key),
            Err(new) => insert_one(conn, insert_into::<M, _>(new), key),
        }
    }

    fn insert_unread(conn: &mut C, new: Fresh<M>) -> Result {
        insert_unread(conn, new)
    }

    fn insert_many(conn: &mut C, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
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

    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        several::insert_many_unread(conn, new)
    }
}

/// Makes `LAST_INSERT_ID()` 0.
struct ForgetInsertId;

impl QueryId for ForgetInsertId {
    type QueryId = Self;
}

impl<DB: Backend> QueryFragment<DB> for ForgetInsertId {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
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

impl<M, DB> QueryFragment<DB> for LastInsertId<M>
where
    M: Row<PkColumns: QueryFragment<DB>>,
    DB: Backend,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" = LAST_INSERT_ID()");
        Ok(())
    }
}

fn insert_one<M, C, I>(conn: &mut C, insert: I, key: Option<M::Pk>) -> Result<M>
where
    C: RawConnection,
    M: Stored<C>,
    M::PkColumns: QueryFragment<C::Backend> + QueryId,
    I: QueryFragment<C::Backend> + QueryId,
{
    let failed = |error| Error::query(M::INFO.name, Operation::Create)(error);
    let read = |conn: &mut C, read: &dyn Fn(&mut C) -> QueryResult<Option<M>>| {
        let row = catch_unwind(AssertUnwindSafe(|| match read(conn) {
            Ok(row) => row.ok_or_else(|| row_count::<M>(0)),
            Err(error) => Err(failed(error)),
        }));
        read_back(conn, row)
    };
    let Some(key) = key else {
        let shape = Shape::of::<M, C>(conn);
        if !shape.key_is_counted {
            return Err(unknown_key::<M>());
        }
        // A trigger may give the row its key.
        if !shape.guarded && !gives_key::<M, C>(conn, &insert).map_err(failed)? {
            execute(conn, insert).map_err(failed)?;
            return read(conn, &last::<M, C>);
        }
        // If the row is given its key, nothing tells which it is.
        return together(conn, Scope::Statements, |conn| {
            // Else an earlier one would be told.
            execute(conn, ForgetInsertId).map_err(failed)?;
            execute(conn, insert).map_err(failed)?;
            last::<M, C>(conn)
                .map_err(failed)?
                .ok_or_else(unknown_key::<M>)
        });
    };
    execute(conn, insert).map_err(failed)?;
    read(conn, &|conn| M::find(conn, key.clone()))
}

fn last<M, C>(conn: &mut C) -> QueryResult<Option<M>>
where
    C: RawConnection,
    M: Stored<C>,
    M::PkColumns: QueryFragment<C::Backend> + QueryId,
{
    Ok(M::load_where(conn, LastInsertId::<M>::default())?.pop())
}

/// Whether the statement has a value for the key, which may be one that leaves it to the database.
fn gives_key<M: Row, C: RawConnection>(
    conn: &C,
    insert: &impl QueryFragment<C::Backend>,
) -> QueryResult<bool> {
    let backend = conn.backend();
    let text = Text::of(names::sql(&backend, insert)?);
    let key = M::KEY.first();
    Ok(text.is_none_or(|text| {
        let columns = text.columns(&backend);
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
