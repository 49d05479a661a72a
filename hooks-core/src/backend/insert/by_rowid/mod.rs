//! SQLite inserts a row and reads it back by its rowid, in less than half of what RETURNING costs there:
//! that opens a temporary table and a statement journal on each use.
//!
//! Whether a table's rows can be found by `_rowid_`, and whether it has triggers, is asked once on each
//! connection. Without a rowid the key comes by RETURNING. With triggers every operation has a savepoint:
//! one that says `RAISE(FAIL)` leaves half of a statement, and one that moves the row hides it. SQLite
//! restores `last_insert_rowid()` when a trigger ends, so what triggers insert does not confuse it.

mod batches;

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::backend::Backend;
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType};
use diesel::{Expression, QueryResult};

use self::batches::Batches;
use super::{
    Insert, InsertStamped, Inserting, Inserts, StampedNew, insert_into, insert_one_unread,
    insert_unread, inserts, one_by_one, row_count, stamped,
};
use crate::backend::statements::{FromClause, Returning, Select};
use crate::backend::{Shape, first_row};
use crate::connection::{RawConnection, doom};
use crate::error::{Error, Operation, Result};
use crate::model::{self, Refused, Row, Stored};
use crate::timestamp::{Fresh, Stamping};

/// How rows are inserted into SQLite.
#[doc(hidden)]
pub enum ByRowid {}

impl<M, C> Inserting<M, C> for ByRowid
where
    C: RawConnection,
    M: Stored<C> + model::Select<C::Backend>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    FromClause<M>: QueryFragment<C::Backend>,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<C::Backend> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<C::Backend> + QueryId,
    M::PkColumns: Expression,
    C::Backend: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, C::Backend>,
    C::Backend: HasSqlType<BigInt>,
    i64: FromSql<BigInt, C::Backend> + ToSql<BigInt, C::Backend>,
{
    fn insert(conn: &mut C, new: Fresh<M>) -> Result<M> {
        let last =
            |conn: &mut C| first_row(conn, Select::<M, _, _>::new(M::selection(), LastInserted));
        match stamped(new) {
            Ok(new) => insert_one(conn, insert_into::<M, _>(new), last),
            Err(new) => insert_one(conn, insert_into::<M, _>(new), last),
        }
    }

    fn insert_unread(conn: &mut C, new: Fresh<M>) -> Result {
        insert_unread(conn, new)
    }

    fn insert_many(conn: &mut C, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        let shape = Shape::of::<M, C>(conn);
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

    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        if new.len() < 2 || Shape::of::<M, C>(conn).guarded {
            return one_by_one(new, |new| Self::insert_unread(conn, new)).map(drop);
        }
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all_unread::<M, C, _>(conn, inserts),
            Inserts::Plain(inserts) => insert_all_unread::<M, C, _>(conn, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert_unread(conn, new)).map(drop),
        }
    }
}

/// The row that the statement before inserted; not for tables without rowid.
struct LastInserted;

impl QueryId for LastInserted {
    type QueryId = Self;
}

impl<DB: Backend> QueryFragment<DB> for LastInserted {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("_rowid_ = last_insert_rowid() AND changes() = 1");
        Ok(())
    }
}

/// A statement without rows, run as a query: Diesel takes a query by value and so asks
/// [`Prepared`](crate::diesel_internals::Prepared) whether it may stay prepared, while of a statement that
/// is executed it walks every value to learn that.
struct NoRows<I>(I);

impl<I> Query for NoRows<I> {
    type SqlType = BigInt;
}

impl<I: QueryId> QueryId for NoRows<I> {
    type QueryId = I::QueryId;
    const HAS_STATIC_QUERY_ID: bool = I::HAS_STATIC_QUERY_ID;
}

impl<I: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for NoRows<I> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// The columns of the key, without their table: RETURNING knows none that is named with its schema.
struct KeyByName<M>(PhantomData<M>);

impl<M: Row<PkColumns: Expression>> Expression for KeyByName<M> {
    type SqlType = SqlTypeOf<M::PkColumns>;
}

impl<M: Row> QueryId for KeyByName<M> {
    type QueryId = KeyByName<M>;
}

impl<M: Row, DB: Backend> QueryFragment<DB> for KeyByName<M> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for (at, name) in M::KEY.iter().enumerate() {
            if at > 0 {
                out.push_sql(", ");
            }
            out.push_identifier(name)?;
        }
        Ok(())
    }
}

fn insert_all<M, C, I>(
    conn: &mut C,
    shape: Shape,
    keys: Option<Vec<M::Pk>>,
    inserts: Vec<I>,
) -> Result<Vec<M>, Refused>
where
    C: RawConnection,
    M: Stored<C>,
    I: QueryFragment<C::Backend> + QueryId,
    FromClause<M>: QueryFragment<C::Backend>,
    M::PkColumns: Expression,
    C::Backend: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, C::Backend>,
    C::Backend: HasSqlType<BigInt>,
    i64: FromSql<BigInt, C::Backend> + ToSql<BigInt, C::Backend>,
{
    match Batches::<M, _>::of(conn, inserts)?.find_by(conn, shape, keys)? {
        Ok((batches, by)) => batches.run_and_read(conn, by),
        Err(inserts) => one_by_one(inserts, |insert| {
            insert_one(conn, insert, |conn| {
                Ok(M::load_where(conn, LastInserted)?.pop())
            })
        }),
    }
}

fn insert_all_unread<M, C, I>(conn: &mut C, inserts: Vec<I>) -> Result<(), Refused>
where
    C: RawConnection,
    M: Stored<C>,
    I: QueryFragment<C::Backend> + QueryId,
{
    match Batches::<M, _>::of(conn, inserts)?.all_grow() {
        Ok(batches) => batches.run(conn),
        Err(inserts) => {
            one_by_one(inserts, |insert| insert_one_unread::<M, _, _>(conn, insert)).map(drop)
        }
    }
}

fn insert_one<M, C, I>(
    conn: &mut C,
    insert: I,
    read_last: impl FnOnce(&mut C) -> QueryResult<Option<M>>,
) -> Result<M>
where
    C: RawConnection,
    M: Stored<C>,
    I: QueryFragment<C::Backend> + QueryId,
    M::PkColumns: Expression,
    C::Backend: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, C::Backend>,
    C::Backend: HasSqlType<BigInt>,
    i64: FromSql<BigInt, C::Backend>,
{
    let error = Error::query(M::INFO.name, Operation::Create);
    if Shape::of::<M, C>(conn).by_rowid {
        run(conn, insert).map_err(error)?;
        return read_back(conn, read_last, |conn| M::remove_where(conn, LastInserted));
    }
    let insert = Returning {
        insert,
        selection: KeyByName::<M>(PhantomData),
    };
    let key: Option<M::Pk> = first_row(conn, insert).map_err(error)?;
    let key = key.ok_or_else(|| row_count::<M>(0))?;
    read_back(
        conn,
        |conn| M::find(conn, key.clone()),
        |conn| M::remove(conn, key.clone()),
    )
}

/// Runs a statement without asking how many rows it touched.
fn run<C, Q>(conn: &mut C, statement: Q) -> QueryResult<()>
where
    C: RawConnection,
    Q: QueryFragment<C::Backend> + QueryId,
    C::Backend: HasSqlType<BigInt>,
    i64: FromSql<BigInt, C::Backend>,
{
    first_row::<_, _, i64>(conn, NoRows(statement)).map(drop)
}

/// Reads an inserted row, or takes it back: inside a transaction of the application nothing else would.
fn read_back<M: Stored<C>, C: RawConnection>(
    conn: &mut C,
    read: impl FnOnce(&mut C) -> QueryResult<Option<M>>,
    take_back: impl FnOnce(&mut C) -> QueryResult<usize>,
) -> Result<M> {
    let row = catch_unwind(AssertUnwindSafe(|| read(conn)));
    if let Ok(Ok(Some(row))) = row {
        return Ok(row);
    }
    let has_savepoint = Shape::of::<M, C>(conn).guarded;
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
