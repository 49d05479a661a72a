use std::fmt;

use super::Key;

/// A delete that rows of other models block.
#[derive(Debug)]
#[non_exhaustive]
pub struct Protected {
    /// The model whose row was to be deleted.
    pub model: &'static str,
    /// The key of that row.
    pub key: Key,
    blockers: Vec<Blocker>,
}

/// The rows of one relation that block a delete.
#[derive(Debug)]
#[non_exhaustive]
pub struct Blocker {
    /// The relation, as `Child.field`.
    pub relation: String,
    /// The model of the blocking rows.
    pub model: &'static str,
    /// Their keys, at most [`Blocker::LISTED`].
    pub keys: Vec<Key>,
    /// How many more there are.
    pub more: usize,
}

impl Protected {
    pub(crate) fn new(model: &'static str, key: Key, blockers: Vec<Blocker>) -> Self {
        Protected {
            model,
            key,
            blockers,
        }
    }

    /// What blocks the delete, one entry for each relation.
    pub fn blockers(&self) -> &[Blocker] {
        &self.blockers
    }
}

impl Blocker {
    /// How many keys an error lists.
    pub const LISTED: usize = 100;

    pub(crate) fn new(relation: String, model: &'static str, mut keys: Vec<Key>) -> Self {
        let more = keys.len().saturating_sub(Self::LISTED);
        keys.truncate(Self::LISTED);
        Blocker {
            relation,
            model,
            keys,
            more,
        }
    }

    pub(crate) fn is_of_same(&self, other: &Self) -> bool {
        self.model == other.model && self.relation == other.relation
    }

    /// Adds rows of the same relation.
    pub(crate) fn absorb(&mut self, other: Self) {
        let room = Self::LISTED - self.keys.len();
        self.more += other.more + other.keys.len().saturating_sub(room);
        self.keys.extend(other.keys.into_iter().take(room));
    }
}

impl std::error::Error for Protected {}

impl fmt::Display for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} is protected by ", self.model, self.key)?;
        for (index, blocker) in self.blockers.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{blocker}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.model)?;
        for (index, key) in self.keys.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{key}")?;
        }
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        write!(f, " (through {})", self.relation)
    }
}
