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

/// The row whose `delete` the deletion of another is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// Its model.
    pub model: &'static str,
    /// Its key.
    pub key: Key,
}

impl Origin {
    pub(crate) fn new(model: &'static str, key: Key) -> Arc<Self> {
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
