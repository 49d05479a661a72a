use std::sync::Arc;

use crate::error::Key;

/// Sent before a row is deleted, for the row that `delete` was called on and for those that go with it.
///
/// Every `PreDelete` of an operation comes before its first DELETE. A row that two operations delete, one
/// in a receiver of the other, is announced and reported by the one that came to it first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PreDelete<M: ?Sized> {
    pub(crate) origin: Arc<Origin>,
    /// The row.
    pub instance: M,
}

/// Sent after a row was deleted, dependents first.
///
/// A row that was gone already, or that somebody else or plain SQL deleted meanwhile, has none.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostDelete<M: ?Sized> {
    pub(crate) origin: Arc<Origin>,
    /// The row as it was.
    pub instance: M,
}

/// What was told to delete, of which the deletion of a row is a part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The model whose row or query it was.
    pub model: &'static str,
    /// The key of that row; none, if it was the rows of a query.
    pub key: Option<Key>,
}

impl Origin {
    pub(crate) fn new(model: &'static str, key: Option<Key>) -> Arc<Self> {
        Arc::new(Origin { model, key })
    }
}

impl<M: ?Sized> PreDelete<M> {
    /// The row that `delete` was called on: this one, or one that this one depends on.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl<M: ?Sized> PostDelete<M> {
    /// The row that `delete` was called on: this one, or one that this one depends on.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
