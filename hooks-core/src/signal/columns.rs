use std::fmt;

/// A set of a model's columns, by their place among [`Row::COLUMNS`](crate::__private::Row::COLUMNS).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnSet(u128);

impl ColumnSet {
    /// As many columns as Diesel allows a table.
    pub const CAPACITY: usize = 128;

    /// The first `count` columns.
    pub const fn first(count: usize) -> Self {
        match count {
            0 => ColumnSet(0),
            _ => ColumnSet(u128::MAX >> (Self::CAPACITY - count)),
        }
    }

    /// The columns whose flag is set.
    #[inline]
    pub fn from_flags<const N: usize>(flags: [bool; N]) -> Self {
        const { assert!(N <= Self::CAPACITY) };
        let mut bits = 0;
        for (index, flag) in flags.into_iter().enumerate() {
            bits |= (flag as u128) << index;
        }
        ColumnSet(bits)
    }

    /// Whether the column at `index` is in the set.
    #[inline]
    pub fn has(self, index: usize) -> bool {
        index < Self::CAPACITY && self.0 >> index & 1 == 1
    }

    pub(crate) fn union(self, other: Self) -> Self {
        ColumnSet(self.0 | other.0)
    }

    pub(crate) fn is_disjoint(self, other: Self) -> bool {
        self.0 & other.0 == 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The one column in the set, if it is one.
    pub(crate) fn sole(self) -> Option<usize> {
        (self.0.count_ones() == 1).then(|| self.0.trailing_zeros() as usize)
    }
}

impl fmt::Debug for ColumnSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries((0..Self::CAPACITY).filter(|index| self.has(*index)))
            .finish()
    }
}
