use diesel::Column;

use super::ColumnSet;
use crate::model::Row;

/// Which columns an operation wrote with another value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    columns: ColumnSet,
    names: &'static [&'static str],
}

impl Changes {
    pub(crate) fn of<M: Row>(columns: ColumnSet) -> Self {
        Changes {
            columns,
            names: M::COLUMNS,
        }
    }

    pub(crate) fn all<M: Row>() -> Self {
        Changes::of::<M>(ColumnSet::first(M::COLUMNS.len()))
    }

    /// Whether this column is among them. The columns inside an embedded struct have no names here: they
    /// change together.
    pub(super) fn has<C: Column>(self) -> bool {
        let name = match self.names.contains(&C::NAME) {
            true => C::NAME,
            false => "",
        };
        self.names
            .iter()
            .enumerate()
            .any(|(index, it)| *it == name && self.columns.has(index))
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let named = self.names.iter().enumerate();
        named.filter_map(move |(index, name)| {
            (self.columns.has(index) && !name.is_empty()).then_some(*name)
        })
    }

    pub(super) fn and(self, later: Changes) -> Self {
        Changes {
            columns: self.columns.union(later.columns),
            ..self
        }
    }
}
