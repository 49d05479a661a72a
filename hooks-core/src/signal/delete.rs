use super::{Batched, Signal};
use crate::error::Key;
use crate::model::Row;

/// Sent before a row is deleted, for the row that `delete` was called on and for those that go with it.
///
/// Every `PreDelete` of an operation comes before its first DELETE. A row that two operations delete, one
/// in a receiver of the other, is announced and reported by the one that came to it first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PreDelete<M: ?Sized> {
    /// The row.
    pub instance: M,
}

/// Sent after a row was deleted, dependents first.
///
/// A row that was gone already, or that somebody else or plain SQL deleted meanwhile, has none.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostDelete<M: ?Sized> {
    /// The row as it was.
    pub instance: M,
}

impl<M: Row> Signal for PreDelete<M> {
    type Model = M;
    const NAME: &'static str = "PreDelete";

    fn key(&self) -> Option<Key> {
        Some(self.instance.key())
    }
}

impl<M: Row> Signal for PostDelete<M> {
    type Model = M;
    const NAME: &'static str = "PostDelete";

    fn key(&self) -> Option<Key> {
        Some(self.instance.key())
    }
}

impl<M: Row> Batched for PreDelete<M> {}
impl<M: Row> Batched for PostDelete<M> {}
