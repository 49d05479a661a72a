//! Dependents for rows that are older than the relation.

use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

use super::{Aim, ParentKey, Reference, Referring, Target, dependents};
use crate::backend::statements::{FromClause, Named, from_clause};
use crate::connection::{RawConnection, Scope, atomic};
use crate::error::{Error, Operation, Result};
use crate::lifecycle;
use crate::model::Model;
use crate::trace;

/// How many rows one transaction gives their dependents: few enough that other writers get their turn.
const AT_ONCE: usize = 1_000;

/// Creates the dependents that rows lack, and says how many.
///
/// It goes through the rows in the order of their keys, a thousand in one transaction, which on SQLite takes the
/// write lock before it looks: whoever else creates rows or dependents does so before or after. Elsewhere a batch is
/// undone and tried again if somebody else made one of its dependents meanwhile. An error leaves what
/// the batches before it made, and calling again goes on from there. Inside a transaction of the application all
/// of it is part of that.
pub(crate) fn ensure<R, C>(conn: &mut C) -> Result<usize>
where
    C: RawConnection,
    R: Referring<C>,
{
    trace::operation::<R::Child, _, _>("ensure", conn, |conn| {
        let scope = lifecycle::create_scope::<R::Child, C>()?.max(Scope::Statements);
        let unique = dependents::is_unique::<R, C>(conn);
        let mut made = 0;
        let mut last = None;
        loop {
            let mut tried = Vec::new();
            let made_now = atomic::<R::Child, C, _>(conn, scope, |conn| {
                let parents = lacking::<R, C>(conn, unique, last.clone())?;
                tried = parents.iter().map(Model::pk).collect();
                if !parents.is_empty() {
                    dependents::create::<R, C>(conn, |_| unique, &&*parents)?;
                }
                Ok(parents)
            });
            let parents = match made_now {
                // Where it did not lock the table, somebody else may have made some of them meanwhile.
                Err(error) if conn.system().locks_rows() && dependents::is_taken(&error) => {
                    let left = lacking::<R, C>(conn, unique, last.clone())?;
                    if left.iter().map(Model::pk).eq(tried) {
                        return Err(error);
                    }
                    continue;
                }
                outcome => outcome?,
            };
            made += parents.len();
            last = parents.last().map(Model::pk);
            if parents.len() < AT_ONCE {
                return Ok(made);
            }
        }
    })
}

/// The next rows past that one which lack a dependent.
fn lacking<R, C>(conn: &mut C, unique: bool, past: Option<ParentKey<R>>) -> Result<Vec<R::Parent>>
where
    C: RawConnection,
    R: Referring<C>,
{
    let parents = R::lacking(conn, unique, past, AT_ONCE);
    parents.map_err(Error::query(R::Parent::INFO.name, Operation::Load))
}

/// That a row of the parent has no child.
pub(super) struct WithoutChild<R: Reference, C: RawConnection>
where
    R::Target: Aim<R, C>,
{
    target: <R::Target as Aim<R, C>>::Columns,
    children: FromClause<R::Child>,
    columns: R::Columns,
    /// Whether a child is found by an index. Else the database makes one of all of them.
    indexed: bool,
}

impl<R: Reference, C: RawConnection> WithoutChild<R, C>
where
    R::Target: Aim<R, C>,
{
    pub(super) fn new(indexed: bool) -> Self {
        WithoutChild {
            target: Default::default(),
            children: from_clause::<R::Child>(),
            columns: R::Columns::default(),
            indexed,
        }
    }
}

impl<R: Reference, C: RawConnection> QueryId for WithoutChild<R, C>
where
    R::Target: Aim<R, C>,
{
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R, C> QueryFragment<C::Backend> for WithoutChild<R, C>
where
    C: RawConnection,
    R: Reference<Target: Aim<R, C>, Columns: Named<C::Backend>>,
    FromClause<R::Child>: QueryFragment<C::Backend>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, C::Backend>) -> QueryResult<()> {
        if <R::Target as Target<R>>::NULLABLE {
            self.target.walk_ast(out.reborrow())?;
            out.push_sql(" IS NOT NULL AND ");
        }
        if !self.indexed {
            out.push_sql("(");
            self.target.walk_ast(out.reborrow())?;
            out.push_sql(") NOT IN (SELECT ");
            self.columns.select(out.reborrow())?;
            out.push_sql(" FROM ");
            self.children.walk_ast(out.reborrow())?;
            out.push_sql(" WHERE ");
            self.columns.present(out.reborrow())?;
            out.push_sql(")");
            return Ok(());
        }
        out.push_sql("NOT EXISTS (SELECT 1 FROM ");
        self.children.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE (");
        self.columns.select(out.reborrow())?;
        out.push_sql(") = (");
        self.target.walk_ast(out.reborrow())?;
        out.push_sql("))");
        Ok(())
    }
}
