use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::dsl::{AsExpr, SqlTypeOf};
use diesel::expression::AsExpression;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::query_source::Column;
use diesel::sql_types::SqlType;

use crate::signal::ColumnSet;

/// A column that is set to a value of type `V`, or left out.
pub type SetIf<C, V> = Set<C, AsExpr<V, C>>;

/// `column = expression` as a part of an UPDATE, or nothing.
pub struct Set<C, E>(Option<E>, PhantomData<C>);

/// The columns of an embedded struct that are set to the values of a `V`, or left out.
pub type SetEmbedded<V> = SetEach<<V as AsChangeset>::Changeset>;

/// The columns of an embedded struct as a part of an UPDATE, or nothing.
pub struct SetEach<S>(Option<S>);

impl ColumnSet {
    /// Writes a column, if it is the one at `index` of this set.
    #[doc(hidden)]
    #[inline]
    pub fn set<C, V>(self, index: usize, value: V) -> SetIf<C, V>
    where
        C: Column<SqlType: SqlType>,
        V: AsExpression<SqlTypeOf<C>>,
    {
        Set(self.has(index).then(|| value.as_expression()), PhantomData)
    }

    /// Writes an embedded struct, if it is the one at `index` of this set.
    #[doc(hidden)]
    #[inline]
    pub fn set_embedded<V: AsChangeset>(self, index: usize, value: V) -> SetEmbedded<V> {
        SetEach(self.has(index).then(|| value.as_changeset()))
    }
}

/// What is written is the type's to tell, unless the value's own SQL is not.
impl<C, E: QueryId> QueryId for Set<C, E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = E::HAS_STATIC_QUERY_ID;
}

impl<C: Column, E: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Set<C, E> {
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
impl<S> QueryId for SetEach<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for SetEach<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}
