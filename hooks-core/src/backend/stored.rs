//! What is the same SQL on every database.

use diesel::deserialize::FromSqlRow;
use diesel::dsl::SqlTypeOf;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{Expression, QueryResult};

use super::catalog::TableNames;
use super::statements::{
    Delete, FirstTwo, ForUpdate, FromClause, Full, Limit, Never, OneKey, Select, Then, Update,
    UpdateWhere,
};
use super::{execute, first_row, names, rows, write};
use crate::connection::RawConnection;
use crate::model::{self, Filter, Hooked, Stored};
use crate::signal::ColumnSet;

impl<M, C> Stored<C> for M
where
    C: RawConnection,
    M: Hooked<C> + model::Select<C::Backend>,
    M: FromSqlRow<SqlTypeOf<M::Selection>, C::Backend>,
    M::Selection: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::Selection>>,
    FromClause<M>: QueryFragment<C::Backend>,
    M::PkFilter: QueryFragment<C::Backend> + QueryId,
    <M::PkFilter as OneKey>::OneOf: QueryFragment<C::Backend> + QueryId,
    <M::PkFilter as OneKey>::Past: QueryFragment<C::Backend>,
    for<'a> M::Changeset<'a>: QueryFragment<C::Backend> + QueryId,
    M::PkColumns: Expression + QueryFragment<C::Backend> + QueryId,
    C::Backend: QueryMetadata<SqlTypeOf<M::PkColumns>>,
    M::Pk: FromSqlRow<SqlTypeOf<M::PkColumns>, C::Backend>,
{
    fn names(backend: &C::Backend) -> QueryResult<TableNames> {
        names::names::<M, _>(backend, &M::selection())
    }

    fn path(backend: &C::Backend) -> QueryResult<Vec<String>> {
        names::path::<M, _>(backend)
    }

    fn load_next<F: Filter<C>>(
        conn: &mut C,
        filter: F,
        past: Option<M::Pk>,
        limit: usize,
    ) -> QueryResult<Vec<M>> {
        let filter = Then(filter, M::PkFilter::past(past.map(M::pk_filter)));
        let query = Select::<M, _, _>::new(M::selection(), filter);
        rows(conn, Limit { query, limit })
    }

    fn find_many(conn: &mut C, keys: &[M::Pk]) -> QueryResult<Vec<M>> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(conn.system().keys_at_once()) {
            found.extend(Self::load_where(conn, M::one_of(keys))?);
        }
        Ok(found)
    }

    fn find(conn: &mut C, pk: M::Pk) -> QueryResult<Option<M>> {
        let query = Select::<M, _, _>::new(M::selection(), M::pk_filter(pk));
        first_row(conn, query)
    }

    fn load_where<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<Vec<M>> {
        rows(conn, Select::<M, _, _>::new(M::selection(), filter))
    }

    fn lock_where<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<Vec<M>> {
        let filter = Then(filter, M::PkFilter::past(None));
        let query = Select::<M, _, _>::new(M::selection(), filter);
        rows(conn, ForUpdate(query))
    }

    fn lock_two<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<Vec<M>> {
        let query = Select::<M, _, _>::new(M::selection(), FirstTwo(filter));
        rows(conn, ForUpdate(query))
    }

    fn lock_many(conn: &mut C, keys: &[M::Pk]) -> QueryResult<Vec<M>> {
        // PostgreSQL plans a statement that names a list anew each time.
        if let [key] = keys {
            let query = Select::<M, _, _>::new(M::selection(), M::pk_filter(key.clone()));
            return rows(conn, ForUpdate(query));
        }
        Self::lock_where(conn, M::one_of(keys))
    }

    fn lock(conn: &mut C, keys: &[M::Pk]) -> QueryResult<Vec<M::Pk>> {
        if let [key] = keys {
            let query = Select::<M, _, _>::new(M::PkColumns::default(), M::pk_filter(key.clone()));
            return rows(conn, ForUpdate(query));
        }
        let filter = Then(M::one_of(keys), M::PkFilter::past(None));
        let query = Select::<M, _, _>::new(M::PkColumns::default(), filter);
        rows(conn, ForUpdate(query))
    }

    fn write(&self, conn: &mut C, columns: ColumnSet) -> QueryResult<usize> {
        let changes = self.changeset(columns);
        write(conn, columns, changes, self)
    }

    fn write_to(&self, conn: &mut C, columns: ColumnSet, keys: &[M::Pk]) -> QueryResult<usize> {
        let changes = self.changeset(columns);
        execute(conn, UpdateWhere::<M, _, _>::new(changes, M::one_of(keys)))
    }

    fn write_changeset<S>(conn: &mut C, pk: M::Pk, changeset: S) -> QueryResult<usize>
    where
        S: QueryFragment<C::Backend>,
    {
        execute(conn, Update::<M, _, Never>::new(changeset, pk))
    }

    fn remove(conn: &mut C, pk: M::Pk) -> QueryResult<usize> {
        execute(conn, Delete::<M, _>::new(M::pk_filter(pk)))
    }

    fn remove_where<F: Filter<C>>(conn: &mut C, filter: F) -> QueryResult<usize> {
        execute(conn, Delete::<M, _>::new(filter))
    }

    fn remove_many(conn: &mut C, keys: &[M::Pk]) -> QueryResult<usize> {
        match keys.len() == conn.system().keys_at_once() {
            true => Self::remove_where(conn, Full(M::one_of(keys))),
            false => Self::remove_where(conn, M::one_of(keys)),
        }
    }

    fn present(conn: &mut C, keys: &[M::Pk]) -> QueryResult<Vec<M::Pk>> {
        let query = Select::<M, _, _>::new(M::PkColumns::default(), M::one_of(keys));
        rows(conn, query)
    }

    fn load_many(conn: &mut C, keys: &[M::Pk]) -> QueryResult<Vec<M>> {
        Self::load_where(conn, M::one_of(keys))
    }

    fn change_where<S, F>(conn: &mut C, changes: S, filter: F) -> QueryResult<usize>
    where
        S: Filter<C>,
        F: Filter<C>,
    {
        execute(conn, UpdateWhere::<M, _, _>::new(changes, filter))
    }
}
