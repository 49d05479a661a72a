//! A list of keys as one parameter, where the database has arrays.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment};

use crate::backend::Dialect;

/// A backend, as it takes lists of values of an SQL type.
#[doc(hidden)]
pub trait Lists<ST>: Dialect {
    /// What writes a list as one parameter: a statement has one text then, however many values it names. Without
    /// that each value is a parameter.
    const ARRAY: Option<PushArray<Self>> = None;
}

/// Writes a list as a parameter.
pub(crate) type PushArray<DB> =
    for<'a, 'b> fn(AstPass<'a, 'b, DB>, &'b dyn List<DB>) -> QueryResult<()>;

/// Values of one column.
#[doc(hidden)]
pub trait List<DB: Backend> {
    /// Each as it would be a parameter by itself.
    fn values(&self) -> Vec<&dyn QueryFragment<DB>>;
}
