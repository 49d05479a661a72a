use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;

use diesel::QueryResult;

use crate::backend::catalog::TableNames;
use crate::connection::RawConnection;
use crate::model::Persist;

/// What a model is called on a connection type, if it is stored there.
pub type StoredAs = Option<QueryResult<TableNames>>;

/// Asks the compiler whether a model can be stored on a connection type: its own method is found first, if
/// the bounds hold.
pub struct Names<M, C>(PhantomData<fn() -> (M, C)>);

impl<M, C> Names<M, C> {
    #[expect(
        clippy::new_without_default,
        reason = "only the derive's output makes one"
    )]
    /// The question.
    pub fn new() -> Self {
        Names(PhantomData)
    }
}

impl<M: Persist<C>, C: RawConnection> Names<M, C> {
    /// What it is called, if this is the connection type.
    pub fn on(&self, connection: &dyn Any) -> StoredAs {
        let connection = connection.downcast_ref::<C>()?;
        Some(M::names(&connection.backend()))
    }
}

/// The answer no.
pub struct NotStored;

impl NotStored {
    /// Nothing.
    pub fn on(&self, _connection: &dyn Any) -> StoredAs {
        None
    }
}

impl<M, C> Deref for Names<M, C> {
    type Target = NotStored;

    fn deref(&self) -> &NotStored {
        &NotStored
    }
}
