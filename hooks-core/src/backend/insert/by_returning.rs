//! PostgreSQL inserts rows and gives them back by RETURNING, in the order in which a statement names them.
//!
//! A statement that fails takes the whole transaction with it, or what follows the innermost savepoint, so none
//! leaves half of itself. A trigger may keep a row from being written, which the count of rows tells.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{Expression, QueryResult};

use super::several::{self, OneOrSeveral, ReturningSeveral, Several};
use super::{
    Insert, InsertStamped, Inserting, Inserts, StampedNew, insert_into, insert_unread, inserts,
    one_by_one, refused, row_count, rows_count, stamped,
};
use crate::backend::rows;
use crate::backend::statements::Returning;
use crate::connection::{RawConnection, read_back};
use crate::error::{Error, Operation, Result};
use crate::model::{self, Refused, Row, Stored};
use crate::timestamp::{Fresh, Stamping};

/// How rows are inserted into PostgreSQL.
#[doc(hidden)]
pub enum ByReturning {}

impl<M, C> Inserting<M, C> for ByReturning
where
    C: RawConnection,
    M: Stored<C> + model::Select<C::Backend>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<C::Backend> + QueryId,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<C::Backend> + QueryId,
{
    fn insert(conn: &mut C, new: Fresh<M>) -> Result<M> {
        match stamped(new) {
            Ok(new) => insert_one(conn, insert_into::<M, _>(new)),
            Err(new) => insert_one(conn, insert_into::<M, _>(new)),
        }
    }

    fn insert_unread(conn: &mut C, new: Fresh<M>) -> Result {
        insert_unread(conn, new)
    }

    fn insert_many(conn: &mut C, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        match inserts::<M>(new) {
            Inserts::Stamped(inserts) => insert_all(conn, inserts),
            Inserts::Plain(inserts) => insert_all(conn, inserts),
            Inserts::Mixed(new) => one_by_one(new, |new| Self::insert(conn, new)),
        }
    }

    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        several::insert_many_unread(conn, new)
    }
}

fn insert_one<M, C, I>(conn: &mut C, insert: I) -> Result<M>
where
    C: RawConnection,
    M: Row + model::Select<C::Backend> + FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    I: QueryFragment<C::Backend> + QueryId,
{
    let insert = Returning {
        insert,
        selection: M::selection(),
    };
    let failed = |error| Error::query(M::INFO.name, Operation::Create)(error);
    let row = rows(conn, insert)
        .map(|mut rows| catch_unwind(AssertUnwindSafe(|| rows.next().transpose())))
        .map_err(failed)?;
    read_back(conn, row.map(|row| row.map_err(failed)))?.ok_or_else(|| row_count::<M>(0))
}

fn insert_all<M, C, I>(conn: &mut C, inserts: Vec<I>) -> Result<Vec<M>, Refused>
where
    C: RawConnection,
    M: Row + model::Select<C::Backend> + FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    I: QueryFragment<C::Backend> + QueryId,
{
    let mut all = Vec::with_capacity(inserts.len());
    let statements = Several::of(conn, inserts);
    for statement in statements.map_err(|error| refused::<M>(0, error))? {
        let inserted = all.len();
        match statement {
            OneOrSeveral::One(insert) => {
                all.push(insert_one(conn, insert).map_err(|error| Refused { inserted, error })?);
            }
            OneOrSeveral::Several(insert) => {
                let expected = insert.len();
                let insert = ReturningSeveral {
                    insert,
                    selection: M::selection(),
                };
                let rows: QueryResult<Vec<M>> = rows(conn, insert).and_then(Iterator::collect);
                all.extend(rows.map_err(|error| refused::<M>(inserted, error))?);
                let actual = all.len() - inserted;
                if actual != expected {
                    let error = rows_count::<M>(expected, actual);
                    return Err(Refused { inserted, error });
                }
            }
        }
    }
    Ok(all)
}
