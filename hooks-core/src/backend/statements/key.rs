//! Conditions on the columns of a key: that they hold one, or one of several.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::expression::{AsExpression, Expression, TypedExpressionType};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_source::Column;
use diesel::sql_types::is_nullable::{IsNullable, NotNull};
use diesel::sql_types::{IntoNotNullable, SqlType};

use super::list::{List, Lists, PushArray};
use crate::backend::{Dialect, System};
use crate::each::each;

/// The columns of a key, a tuple of them.
#[doc(hidden)]
pub trait Columns: Default + 'static {
    /// What they are called in SQL.
    const NAMES: &'static [&'static str];
    /// Whether each of them may be NULL.
    const NULLABLE: bool;
    /// Whether some of them may be.
    type Nullability: Nullability;
    /// The SQL type of the key, where there is one: a tuple, if there are several columns.
    type Known;
}

/// The values of a key in columns of `Self::Columns`, a tuple of them.
#[doc(hidden)]
pub trait Spread<Columns> {
    /// Of one column the key itself, of several its parts.
    type Values: Bind<Columns> + 'static;
    /// The key, as such a tuple.
    fn spread(self) -> Self::Values;
}

/// Values for some columns.
#[doc(hidden)]
pub trait Bind<Columns> {
    /// Each as the expression that its column takes.
    type Bound: QueryId;
    /// These.
    fn bind(self) -> Self::Bound;
}

/// What is written for values beside their columns.
#[doc(hidden)]
pub trait Terms<Columns, DB: Backend> {
    /// `a = ? AND b = ?`
    fn equal<'b>(&'b self, columns: &'b Columns, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
    /// `a = ?, b = ?`
    fn assign<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
    /// `?`, or `(?, ?)`
    fn list<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
    /// That of the first column.
    fn first(&self) -> &dyn QueryFragment<DB>;
}

/// The names of columns in SQL, without their table where they are assigned.
#[doc(hidden)]
pub trait Named<DB: Backend>: Columns {
    /// What writes several keys as one parameter: those of one column, where the database has arrays.
    const ARRAY: Option<PushArray<DB>> = None;
    /// `a`, or `(a, b)`
    fn list<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
    /// `a, b`
    fn select<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
    /// `a IS NOT NULL AND b IS NOT NULL`
    fn present<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
    /// `a = NULL, b = NULL`
    fn clear<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// `a = ? AND b = ?`
#[doc(hidden)]
pub struct Is<Cs, Vs: Bind<Cs>> {
    columns: Cs,
    bound: Vs::Bound,
}

impl<Cs: Default, Vs: Bind<Cs>> Is<Cs, Vs> {
    /// These columns hold these values.
    pub fn new(values: Vs) -> Self {
        Is {
            columns: Cs::default(),
            bound: values.bind(),
        }
    }
}

impl<Cs: 'static, Vs: Bind<Cs> + 'static> QueryId for Is<Cs, Vs> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = <Vs::Bound as QueryId>::HAS_STATIC_QUERY_ID;
}

impl<Cs, Vs, DB> QueryFragment<DB> for Is<Cs, Vs>
where
    DB: Backend,
    Vs: Bind<Cs, Bound: Terms<Cs, DB>>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.bound.equal(&self.columns, out)
    }
}

/// `a IN (?, ?)`, or `(a, b) IN ((?, ?), (?, ?))`: of any number of keys, so it is prepared each time. With arrays
/// `a = ANY (?)`, which stays prepared.
#[doc(hidden)]
pub struct OneOf<Cs, Vs: Bind<Cs>>(Vec<Is<Cs, Vs>>);

/// A condition that one key holds.
#[doc(hidden)]
pub trait OneKey: Sized {
    /// The columns of the key.
    type Columns: Columns;
    /// That one of several does.
    type OneOf;
    /// That it comes after one of them, if there is one, with the rows in the order of their keys.
    type Past;
    /// One of these.
    fn one_of(keys: Vec<Self>) -> Self::OneOf;
    /// After this one.
    fn past(key: Option<Self>) -> Self::Past;
}

impl<Cs: Columns, Vs: Bind<Cs>> OneKey for Is<Cs, Vs> {
    type Columns = Cs;
    type OneOf = OneOf<Cs, Vs>;
    type Past = Past<Cs, Vs>;
    fn one_of(keys: Vec<Self>) -> OneOf<Cs, Vs> {
        OneOf(keys)
    }
    fn past(key: Option<Self>) -> Past<Cs, Vs> {
        Past {
            columns: Cs::default(),
            key,
        }
    }
}

/// `AND (a, b) > (?, ?) ORDER BY a, b`
#[doc(hidden)]
pub struct Past<Cs, Vs: Bind<Cs>> {
    columns: Cs,
    key: Option<Is<Cs, Vs>>,
}

impl<Cs, Vs, DB> QueryFragment<DB> for Past<Cs, Vs>
where
    DB: Backend,
    Cs: Named<DB>,
    Vs: Bind<Cs, Bound: Terms<Cs, DB>>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if let Some(key) = &self.key {
            out.push_sql(" AND ");
            self.columns.list(out.reborrow())?;
            out.push_sql(" > ");
            key.bound.list(out.reborrow())?;
        }
        out.push_sql(" ORDER BY ");
        self.columns.select(out)
    }
}

impl<Cs: 'static, Vs: Bind<Cs> + 'static> QueryId for OneOf<Cs, Vs> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Cs, Vs, DB> QueryFragment<DB> for OneOf<Cs, Vs>
where
    DB: Dialect,
    Cs: Named<DB>,
    Vs: Bind<Cs, Bound: Terms<Cs, DB>>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let [first, rest @ ..] = &*self.0 else {
            out.push_sql("FALSE");
            return Ok(());
        };
        if let Some(push) = Cs::ARRAY {
            first.columns.list(out.reborrow())?;
            out.push_sql(" = ANY (");
            push(out.reborrow(), self)?;
            out.push_sql(")");
            return Ok(());
        }
        out.unsafe_to_cache_prepared();
        if rest.is_empty() {
            return first.walk_ast(out);
        }
        first.columns.list(out.reborrow())?;
        out.push_sql(" IN (");
        if Cs::NAMES.len() > 1 {
            out.push_sql(out.backend().system().list_of_keys());
        }
        first.bound.list(out.reborrow())?;
        for key in rest {
            out.push_sql(", ");
            key.bound.list(out.reborrow())?;
        }
        out.push_sql(")");
        Ok(())
    }

    /// Without a walk over all keys.
    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(Cs::ARRAY.is_some())
    }
}

impl<Cs, Vs, DB> List<DB> for OneOf<Cs, Vs>
where
    DB: Backend,
    Vs: Bind<Cs, Bound: Terms<Cs, DB>>,
{
    fn values(&self) -> Vec<&dyn QueryFragment<DB>> {
        each(&self.0, |key| key.bound.first())
    }
}

/// As many keys as one statement names at most: a statement for so many has one text, and stays prepared.
pub(crate) struct Full<F>(pub(crate) F);

impl<F: QueryId> QueryId for Full<F> {
    type QueryId = Full<F::QueryId>;
}

impl<F: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Full<F> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// The columns where they are known to hold a key.
#[derive(Default)]
#[doc(hidden)]
pub struct Known<Cs>(Cs);

impl<Cs: Columns<Known: TypedExpressionType>> Expression for Known<Cs> {
    type SqlType = Cs::Known;
}

impl<Cs: 'static> QueryId for Known<Cs> {
    type QueryId = Self;
}

impl<Cs: Named<DB>, DB: Backend> QueryFragment<DB> for Known<Cs> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.select(out)
    }
}

/// `filter AND a IS NOT NULL`
pub(crate) struct WithKey<Cs, F> {
    columns: Cs,
    filter: F,
}

impl<Cs: Default, F> WithKey<Cs, F> {
    pub(crate) fn new(filter: F) -> Self {
        WithKey {
            columns: Cs::default(),
            filter,
        }
    }
}

impl<Cs: 'static, F: QueryId> QueryId for WithKey<Cs, F> {
    type QueryId = WithKey<Cs, F::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = F::HAS_STATIC_QUERY_ID;
}

impl<Cs: Named<DB>, F: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for WithKey<Cs, F> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.filter.walk_ast(out.reborrow())?;
        out.push_sql(" AND ");
        self.columns.present(out)
    }
}

/// `a IN (query)`, or `(a, b) IN (query)`
pub(crate) struct In<Cs, Q> {
    columns: Cs,
    query: Q,
}

impl<Cs: Default, Q> In<Cs, Q> {
    pub(crate) fn new(query: Q) -> Self {
        In {
            columns: Cs::default(),
            query,
        }
    }
}

impl<Cs: 'static, Q: QueryId> QueryId for In<Cs, Q> {
    type QueryId = In<Cs, Q::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Cs, Q, DB> QueryFragment<DB> for In<Cs, Q>
where
    DB: Backend,
    Cs: Named<DB>,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.columns.list(out.reborrow())?;
        out.push_sql(" IN (");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// A query that may have a LIMIT, as one that may stand after `IN`: MariaDB takes no LIMIT there but one level
/// further down.
pub(crate) struct Limited<Q>(pub(crate) Q);

impl<Q: QueryId> QueryId for Limited<Q> {
    type QueryId = Limited<Q::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: QueryFragment<DB>, DB: Dialect> QueryFragment<DB> for Limited<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if out.backend().system() != System::Mysql {
            return self.0.walk_ast(out);
        }
        out.push_sql("SELECT * FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS diesel_hooks_limited");
        Ok(())
    }
}

/// `NotNull` or `IsNullable`: whether columns may be NULL.
#[doc(hidden)]
pub trait Nullability {
    /// Whether they may.
    const NULLABLE: bool;
    /// What is nullable if this is, or the other.
    type Or<Other: Nullability>: Nullability;
    /// What such columns refer to: a `T`, or maybe one.
    type Of<T>;
    /// The `T` that was found, or that there is none, which is an error where there must be one.
    fn of<T, E>(found: Option<T>, missing: impl FnOnce() -> E) -> Result<Self::Of<T>, E>;
}

impl Nullability for NotNull {
    const NULLABLE: bool = false;
    type Or<Other: Nullability> = Other;
    type Of<T> = T;
    fn of<T, E>(found: Option<T>, missing: impl FnOnce() -> E) -> Result<T, E> {
        found.ok_or_else(missing)
    }
}

impl Nullability for IsNullable {
    const NULLABLE: bool = true;
    type Or<Other: Nullability> = IsNullable;
    type Of<T> = Option<T>;
    fn of<T, E>(found: Option<T>, _missing: impl FnOnce() -> E) -> Result<Option<T>, E> {
        Ok(found)
    }
}

type NullOf<C> = <<C as Expression>::SqlType as SqlType>::IsNull;
type KnownOf<C> = <<C as Expression>::SqlType as IntoNotNullable>::NotNullable;

/// One column, whose key is no tuple.
impl<C, K: 'static> Spread<(C,)> for K
where
    (K,): Bind<(C,)>,
{
    type Values = (K,);
    fn spread(self) -> (K,) {
        (self,)
    }
}

macro_rules! nullability {
    ($only:ty) => { $only };
    ($first:ty, $($rest:ty),+) => { <$first as Nullability>::Or<nullability!($($rest),+)> };
}

macro_rules! one_or_several {
    ($only:ty) => { $only };
    ($($several:ty),+) => { ($($several),+) };
}

macro_rules! separated {
    ($out:ident, $separator:literal, $write:expr $(, $rest:expr)*) => {
        $write;
        $($out.push_sql($separator); $rest;)*
    };
}

macro_rules! columns {
    ($DB:ident: { $($lists:tt)* } { $($array:tt)* } $($C:ident $V:ident $index:tt),+) => {
        impl<$($C),+> Columns for ($($C,)+)
        where
            $($C: Column<SqlType: SqlType<IsNull: Nullability> + IntoNotNullable> + Default + 'static,)+
        {
            const NAMES: &'static [&'static str] = &[$($C::NAME),+];
            const NULLABLE: bool = $(<NullOf<$C> as Nullability>::NULLABLE)&&+;
            type Nullability = nullability!($(NullOf<$C>),+);
            type Known = one_or_several!($(KnownOf<$C>),+);
        }

        impl<$DB, $($C),+> Named<$DB> for ($($C,)+)
        where
            $DB: $($lists)*,
            Self: Columns,
            $($C: Column + QueryFragment<$DB>,)+
        {
            $($array)*
            fn list<'b>(&'b self, mut out: AstPass<'_, 'b, $DB>) -> QueryResult<()> {
                let parenthesised = Self::NAMES.len() > 1;
                if parenthesised {
                    out.push_sql("(");
                }
                self.select(out.reborrow())?;
                if parenthesised {
                    out.push_sql(")");
                }
                Ok(())
            }

            fn select<'b>(&'b self, mut out: AstPass<'_, 'b, $DB>) -> QueryResult<()> {
                separated!(out, ", ", $(self.$index.walk_ast(out.reborrow())?),+);
                Ok(())
            }

            fn present<'b>(&'b self, mut out: AstPass<'_, 'b, $DB>) -> QueryResult<()> {
                separated!(out, " AND ", $({
                    self.$index.walk_ast(out.reborrow())?;
                    out.push_sql(" IS NOT NULL");
                }),+);
                Ok(())
            }

            fn clear<'b>(&'b self, mut out: AstPass<'_, 'b, $DB>) -> QueryResult<()> {
                separated!(out, ", ", $({
                    out.push_identifier($C::NAME)?;
                    out.push_sql(" = NULL");
                }),+);
                Ok(())
            }
        }

        impl<$($C, $V),+> Bind<($($C,)+)> for ($($V,)+)
        where
            $(
                $C: Expression<SqlType: SqlType + TypedExpressionType>,
                $V: AsExpression<$C::SqlType, Expression: QueryId>,
            )+
        {
            type Bound = ($($V::Expression,)+);
            fn bind(self) -> Self::Bound {
                ($(self.$index.as_expression(),)+)
            }
        }

        impl<DB, $($C, $V),+> Terms<($($C,)+), DB> for ($($V,)+)
        where
            DB: Backend,
            $($C: Column + QueryFragment<DB>, $V: QueryFragment<DB>,)+
        {
            fn equal<'b>(
                &'b self,
                columns: &'b ($($C,)+),
                mut out: AstPass<'_, 'b, DB>,
            ) -> QueryResult<()> {
                separated!(out, " AND ", $({
                    columns.$index.walk_ast(out.reborrow())?;
                    out.push_sql(" = ");
                    self.$index.walk_ast(out.reborrow())?;
                }),+);
                Ok(())
            }

            fn assign<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                separated!(out, ", ", $({
                    out.push_identifier($C::NAME)?;
                    out.push_sql(" = ");
                    self.$index.walk_ast(out.reborrow())?;
                }),+);
                Ok(())
            }

            fn list<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                let parenthesised = [$($index),+].len() > 1;
                if parenthesised {
                    out.push_sql("(");
                }
                separated!(out, ", ", $(self.$index.walk_ast(out.reborrow())?),+);
                if parenthesised {
                    out.push_sql(")");
                }
                Ok(())
            }

            fn first(&self) -> &dyn QueryFragment<DB> {
                &self.0
            }
        }
    };
}

macro_rules! several {
    ($($C:ident $V:ident $index:tt),+) => {
        columns!(DB: { Backend } {} $($C $V $index),+);

        impl<$($C, $V),+> Spread<($($C,)+)> for ($($V,)+)
        where
            Self: Bind<($($C,)+)> + 'static,
        {
            type Values = Self;
            fn spread(self) -> Self {
                self
            }
        }
    };
}

columns!(
    DB: { Lists<<Self as Columns>::Known> }
    { const ARRAY: Option<PushArray<DB>> = <DB as Lists<<Self as Columns>::Known>>::ARRAY; }
    C0 V0 0
);
several!(C0 V0 0, C1 V1 1);
several!(C0 V0 0, C1 V1 1, C2 V2 2);
several!(C0 V0 0, C1 V1 1, C2 V2 2, C3 V3 3);
several!(C0 V0 0, C1 V1 1, C2 V2 2, C3 V3 3, C4 V4 4);
several!(C0 V0 0, C1 V1 1, C2 V2 2, C3 V3 3, C4 V4 4, C5 V5 5);
several!(C0 V0 0, C1 V1 1, C2 V2 2, C3 V3 3, C4 V4 4, C5 V5 5, C6 V6 6);
several!(C0 V0 0, C1 V1 1, C2 V2 2, C3 V3 3, C4 V4 4, C5 V5 5, C6 V6 6, C7 V7 7);
