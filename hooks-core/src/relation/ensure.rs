//! Dependents for rows that are older than the relation.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::dsl::SqlTypeOf;
use diesel::expression::{AsExpression, Expression};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::SqlType;

use super::link::Referring;
use super::{ParentKey, Reference, dependents};
use crate::backend::statements::{FromClause, from_clause};
use crate::connection::{HookConnection, RawConnection, Scope, atomic};
use crate::error::{Error, Operation, Result};
use crate::lifecycle;
use crate::model::{Model, Persist, Row};
use crate::trace;

/// How many rows one transaction gives their dependents: few enough that other writers get their turn.
const AT_ONCE: usize = 1_000;

/// Creates the dependents that rows lack, and says how many.
///
/// It goes through the rows in the order of their keys, a thousand in one transaction, which takes the write
/// lock before it looks: whoever else creates rows or dependents does so before or after. An error leaves what
/// the batches before it made, and calling again goes on from there. Inside a transaction of the application all
/// of it is part of that.
pub fn ensure<R, C>(conn: &mut C) -> Result<usize>
where
    C: HookConnection,
    R: Lacking<C::Raw>,
{
    let conn = conn.raw_connection();
    trace::operation::<R::Child, _, _>("ensure", conn, |conn| {
        let scope = lifecycle::create_scope::<R::Child, C::Raw>()?.max(Scope::Statements);
        let mut made = 0;
        let mut last = None;
        loop {
            let parents = atomic::<R::Child, C::Raw, _>(conn, scope, |conn| {
                let parents = R::lacking(conn, last.clone())?;
                dependents::create::<R, C::Raw>(conn, None, &&*parents)?;
                Ok(parents)
            })?;
            made += parents.len();
            last = parents.last().map(Model::pk);
            if parents.len() < AT_ONCE {
                return Ok(made);
            }
        }
    })
}

/// A relation whose parents can be asked for that have no child.
pub trait Lacking<C: RawConnection>: Referring<C> {
    /// The next of them past this key, in the order of their keys.
    fn lacking(conn: &mut C, past: Option<ParentKey<Self>>) -> Result<Vec<Self::Parent>>;
}

type Bound<R> = <ParentKey<R> as AsExpression<SqlTypeOf<<R as Reference>::Column>>>::Expression;

impl<R, C> Lacking<C> for R
where
    C: RawConnection,
    R: Referring<C>,
    R::Column: QueryFragment<C::Backend>,
    SqlTypeOf<R::Column>: SqlType,
    ParentKey<R>: AsExpression<SqlTypeOf<R::Column>>,
    Bound<R>: QueryFragment<C::Backend>,
    <R::Parent as Row>::PkColumns: QueryFragment<C::Backend>,
    FromClause<R::Parent>: QueryFragment<C::Backend>,
    FromClause<R::Child>: QueryFragment<C::Backend>,
{
    fn lacking(conn: &mut C, past: Option<ParentKey<R>>) -> Result<Vec<R::Parent>> {
        let filter = WithoutChild::<R, _> {
            key: Default::default(),
            parents: from_clause::<R::Parent>(),
            children: from_clause::<R::Child>(),
            column: Default::default(),
            past: past.map(AsExpression::as_expression),
        };
        R::Parent::load_where(conn, filter)
            .map_err(Error::query(R::Parent::INFO.name, Operation::Load))
    }
}

/// The next rows of the parent that have no child. A join lets the database build an index for itself where the
/// child's column has none.
struct WithoutChild<R: Reference, B> {
    key: <R::Parent as Row>::PkColumns,
    parents: FromClause<R::Parent>,
    children: FromClause<R::Child>,
    column: R::Column,
    past: Option<B>,
}

impl<R: Reference, B> QueryId for WithoutChild<R, B> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<R, B, DB> QueryFragment<DB> for WithoutChild<R, B>
where
    R: Reference,
    DB: Backend,
    <R::Parent as Row>::PkColumns: Expression + QueryFragment<DB>,
    FromClause<R::Parent>: QueryFragment<DB>,
    FromClause<R::Child>: QueryFragment<DB>,
    R::Column: QueryFragment<DB>,
    B: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        self.parents.walk_ast(out.reborrow())?;
        out.push_sql(" LEFT JOIN ");
        self.children.walk_ast(out.reborrow())?;
        out.push_sql(" ON ");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IS NULL");
        if let Some(past) = &self.past {
            out.push_sql(" AND ");
            self.key.walk_ast(out.reborrow())?;
            out.push_sql(" > ");
            past.walk_ast(out.reborrow())?;
        }
        out.push_sql(" ORDER BY ");
        self.key.walk_ast(out.reborrow())?;
        out.push_sql(&format!(" LIMIT {AT_ONCE}) ORDER BY "));
        self.key.walk_ast(out)
    }
}
