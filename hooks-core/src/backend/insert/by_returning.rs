//! PostgreSQL inserts rows and gives them back by RETURNING, in the order in which a statement names them.
//!
//! A statement that fails takes the whole transaction with it, or what follows the innermost savepoint, so none
//! leaves half of itself. A trigger may keep a row from being written, which the count of rows tells.

use diesel::Expression;
use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::insertable::Insertable;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Integer};

use super::riders::Carrying;
use super::several::{self, OneOrSeveral, ReturningSeveral, Several};
use super::{
    Insert, InsertStamped, Inserting, Inserts, Rider, StampedNew, insert_into, insert_unread,
    inserts, one_by_one, refused, row_count, rows_count, stamped,
};
use crate::backend::names::plain_columns;
use crate::backend::statements::Returning;
use crate::backend::{Shape, rows, run_and_read};
use crate::connection::{RawConnection, read_back};
use crate::error::{Error, Operation, Result};
use crate::model::{self, Refused, Stored};
use crate::timestamp::{Fresh, Stamping};

/// How rows are inserted into PostgreSQL.
#[doc(hidden)]
pub enum ByReturning {}

impl<M, C> Inserting<M, C> for ByReturning
where
    C: RawConnection<Backend: HasSqlType<Integer>>,
    i32: ToSql<Integer, C::Backend>,
    M: Stored<C> + model::Select<C::Backend>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    M::New: Insertable<M::Table>,
    Insert<M>: QueryFragment<C::Backend> + QueryId + 'static,
    M::Fields: Stamping<M::New>,
    StampedNew<M>: Insertable<M::Table>,
    InsertStamped<M>: QueryFragment<C::Backend> + QueryId + 'static,
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

    fn carried(_conn: &mut C, new: Fresh<M>) -> Option<Box<dyn QueryFragment<C::Backend>>> {
        Some(match stamped(new) {
            Ok(new) => Box::new(insert_into::<M, _>(new)),
            Err(new) => Box::new(insert_into::<M, _>(new)),
        })
    }

    fn carries(conn: &mut C, riders: &[Rider<C::Backend>]) -> Result<bool> {
        let backend = conn.backend();
        let selected =
            M::path(&backend).and_then(|path| plain_columns(&backend, &M::selection(), &path));
        let selected = selected.map_err(Error::query(M::INFO.name, Operation::Create))?;
        // Where an expression is selected, a name may mean something else.
        Ok(selected.is_some_and(|selected| {
            let gives = |target: &&str| selected.iter().filter(|it| it == target).count() == 1;
            riders
                .iter()
                .all(|rider| rider.refers_to().iter().all(gives))
        }))
    }

    fn insert_with(conn: &mut C, new: Fresh<M>, riders: Vec<Rider<C::Backend>>) -> Result<M> {
        match stamped(new) {
            Ok(new) => insert_all_of_them(conn, insert_into::<M, _>(new), riders),
            Err(new) => insert_all_of_them(conn, insert_into::<M, _>(new), riders),
        }
    }
}

/// Inserts a row and its riders.
fn insert_all_of_them<M, C, I>(conn: &mut C, insert: I, riders: Vec<Rider<C::Backend>>) -> Result<M>
where
    C: RawConnection<Backend: HasSqlType<Integer>>,
    i32: ToSql<Integer, C::Backend>,
    M: Stored<C> + model::Select<C::Backend> + FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    I: QueryFragment<C::Backend>,
{
    let row = Returning {
        insert,
        selection: M::selection(),
    };
    let statement = Carrying { row, riders };
    let failed = |error| {
        let refused = statement.refused(&error).unwrap_or(M::INFO.name);
        Error::query(refused, Operation::Create)(error)
    };
    one_given_back(conn, &statement, failed)
}

fn insert_one<M, C, I>(conn: &mut C, insert: I) -> Result<M>
where
    C: RawConnection,
    M: Stored<C> + model::Select<C::Backend> + FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    I: QueryFragment<C::Backend> + QueryId,
{
    let insert = Returning {
        insert,
        selection: M::selection(),
    };
    let failed = |error| Error::query(M::INFO.name, Operation::Create)(error);
    one_given_back(conn, insert, failed)
}

/// The row that an INSERT gives back; `failed` says what an error of it is about.
fn one_given_back<M, C, Q>(
    conn: &mut C,
    insert: Q,
    failed: impl Fn(DieselError) -> Error,
) -> Result<M>
where
    C: RawConnection<Backend: QueryMetadata<Q::SqlType>>,
    M: Stored<C> + FromSqlRow<Q::SqlType, C::Backend>,
    Q: Query + QueryFragment<C::Backend> + QueryId,
{
    let row = run_and_read(conn, insert).map_err(&failed)?;
    let row = read_back(conn, row.map(|row| row.map_err(failed)))?;
    let row = row.ok_or_else(|| row_count::<M>(0))?;
    Shape::gave_back::<M, C>(conn);
    Ok(row)
}

fn insert_all<M, C, I>(conn: &mut C, inserts: Vec<I>) -> Result<Vec<M>, Refused>
where
    C: RawConnection,
    M: Stored<C> + model::Select<C::Backend> + FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
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
                let mut rows = rows(conn, insert).map_err(|error| refused::<M>(inserted, error))?;
                all.append(&mut rows);
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
