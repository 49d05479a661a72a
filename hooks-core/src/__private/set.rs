use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::dsl::{AsExpr, SqlTypeOf};
use diesel::expression::AsExpression;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::query_source::Column;
use diesel::sql_types::SqlType;

use crate::signal::ColumnSet;

/// `column = value` as a part of an UPDATE, or nothing.
pub struct SetIf<C, V>(Option<AsExpr<V, C>>)
where
    C: Column<SqlType: SqlType>,
    V: AsExpression<SqlTypeOf<C>>;

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
