use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::dsl::{AsExpr, SqlTypeOf};
use diesel::expression::AsExpression;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::query_source::Column;
use diesel::sql_types::SqlType;

use crate::signal::ColumnSet;

/// `column = value` as a part of an UPDATE, or nothing.
pub struct SetIf<C, V>(Option<AsExpr<V, C>>)
where
    C: Column<SqlType: SqlType>,
    V: AsExpression<SqlTypeOf<C>>;

/// The columns of an embedded struct as a part of an UPDATE, or nothing.
pub struct SetEmbedded<V: AsChangeset>(Option<V::Changeset>);

impl ColumnSet {
    /// Writes a column, if it is the one at `index` of this set.
    #[doc(hidden)]
    #[inline]
    pub fn set<C, V>(self, index: usize, value: V) -> SetIf<C, V>
    where
        C: Column<SqlType: SqlType>,
        V: AsExpression<SqlTypeOf<C>>,
    {
        SetIf(self.has(index).then(|| value.as_expression()))
    }

    /// Writes an embedded struct, if it is the one at `index` of this set.
    #[doc(hidden)]
    #[inline]
    pub fn set_embedded<V: AsChangeset>(self, index: usize, value: V) -> SetEmbedded<V> {
        SetEmbedded(self.has(index).then(|| value.as_changeset()))
    }
}

/// What is written is the type's to tell, unless the value's own SQL is not.
impl<C, V> QueryId for SetIf<C, V>
where
    C: Column<SqlType: SqlType>,
    V: AsExpression<SqlTypeOf<C>, Expression: QueryId>,
{
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = AsExpr::<V, C>::HAS_STATIC_QUERY_ID;
}

impl<C, V, DB> QueryFragment<DB> for SetIf<C, V>
where
    DB: Backend,
    C: Column<SqlType: SqlType>,
    V: AsExpression<SqlTypeOf<C>, Expression: QueryFragment<DB>>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let Some(value) = &self.0 else {
            return Ok(());
        };
        out.push_identifier(C::NAME)?;
        out.push_sql(" = ");
        value.walk_ast(out)
    }
}

/// How many columns it writes is up to its own changeset.
impl<V: AsChangeset> QueryId for SetEmbedded<V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<V, DB> QueryFragment<DB> for SetEmbedded<V>
where
    DB: Backend,
    V: AsChangeset<Changeset: QueryFragment<DB>>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}
