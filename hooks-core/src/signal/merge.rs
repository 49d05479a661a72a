//! What several events of one row and transaction become for a receiver that hears them once.

use super::{PostCreate, PostSave, PostUpdate};
use crate::model::Row;
use crate::receiver::Merge;

macro_rules! merge {
    ($($signal:ident: |$first:ident, $later:ident| $absorb:block)*) => {$(
        impl<M: Row> Merge for $signal<M> {
            type Key = M::Pk;
            type Table = M::Table;

            fn row_key(&self) -> M::Pk {
                self.instance.pk()
            }

            fn absorb(&mut self, $later: Self) {
                let $first = self;
                $absorb
            }
        }
    )*};
}

merge! {
    PostCreate: |first, later| {
        *first = later;
    }
    PostUpdate: |first, later| {
        first.changes = first.changes.and(later.changes);
        first.instance = later.instance;
    }
    PostSave: |first, later| {
        first.created |= later.created;
        first.changes = first.changes.and(later.changes);
        first.instance = later.instance;
    }
}
