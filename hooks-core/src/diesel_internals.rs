//! All that needs Diesel's feature `i-implement-a-third-party-backend-and-opt-into-breaking-changes`, so
//! that the next Diesel is a small step.

use std::any::{Any, TypeId};

use diesel::QueryResult;
use diesel::connection::{
    Connection, DynInstrumentation, Instrumentation, TransactionManager, TransactionManagerStatus,
};
use diesel::query_builder::QueryFragment;

/// The type that a connection without instrumentation shows.
pub(crate) fn no_instrumentation() -> TypeId {
    type_of(&*DynInstrumentation::none())
}

pub(crate) fn type_of(instrumentation: &dyn Instrumentation) -> TypeId {
    Any::type_id(instrumentation.as_any())
}

pub(crate) fn transaction_status<C: Connection>(conn: &mut C) -> &mut TransactionManagerStatus {
    C::TransactionManager::transaction_manager_status_mut(conn)
}

/// Whether this part of a statement writes nothing.
pub(crate) fn is_empty<C: Connection>(
    fragment: &impl QueryFragment<C::Backend>,
    backend: &C::Backend,
) -> QueryResult<bool> {
    fragment.is_noop(backend)
}
