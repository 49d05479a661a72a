use diesel::expression::{AppearsOnTable, Expression, NonAggregate};
use diesel::sql_types::BoolOrNullableBool;

use super::{Filter, Row};
use crate::connection::RawConnection;

/// A condition on the rows of a model: any boolean expression of Diesel over its table, also one that may be
/// NULL.
///
/// There is nothing to implement.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition on the table of `{M}`",
    label = "not a boolean expression over this model's table",
    note = "a condition is what `.filter(..)` takes, such as `users::email.eq(\"ada@example.org\")`"
)]
pub trait Condition<M, C: RawConnection>: Filter<C> {}

#[diagnostic::do_not_recommend]
impl<F, M, C> Condition<M, C> for F
where
    C: RawConnection,
    M: Row,
    F: Expression<SqlType: BoolOrNullableBool> + AppearsOnTable<M::Table> + NonAggregate,
    F: Filter<C>,
{
}
