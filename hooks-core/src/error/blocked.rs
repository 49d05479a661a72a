use std::fmt;

use super::Key;
use crate::relation::RelationInfo;

/// A delete that rows of other models block.
#[derive(Debug)]
#[non_exhaustive]
pub struct Blocked {
    /// The model of which rows were to be deleted.
    pub model: &'static str,
    /// The key of that row; none, if those of a query were to be deleted.
    pub key: Option<Key>,
    blockers: Vec<Blocker>,
    verb: &'static str,
}

/// The rows of one relation that block a delete.
#[derive(Debug)]
#[non_exhaustive]
pub struct Blocker {
    /// The relation, as `Child.field`.
    pub relation: String,
    /// The model of the blocking rows.
    pub model: &'static str,
    /// The keys of some of them, at most [`Blocker::LISTED`].
    pub keys: Vec<Key>,
    /// How many more there are.
    pub more: usize,
    /// The relations that lead from the deleted row to these, as `Child.field`, theirs last.
    pub path: Vec<String>,
}

impl Blocked {
    pub(crate) fn protected(
        model: &'static str,
        key: Option<Key>,
        blockers: Vec<Blocker>,
    ) -> Box<Self> {
        let verb = "is protected by";
        Box::new(Blocked {
            model,
            key,
            blockers,
            verb,
        })
    }

    pub(crate) fn restricted(
        model: &'static str,
        key: Option<Key>,
        blockers: Vec<Blocker>,
    ) -> Box<Self> {
        let verb = "is restricted by";
        Box::new(Blocked {
            model,
            key,
            blockers,
            verb,
        })
    }

    /// What blocks the delete, one entry for each relation and way to it.
    pub fn blockers(&self) -> &[Blocker] {
        &self.blockers
    }
}

impl Blocker {
    /// How many keys an error lists.
    pub const LISTED: usize = 100;

    pub(crate) fn new(relation: &RelationInfo, path: Vec<String>) -> Self {
        Blocker {
            relation: relation.name(),
            model: relation.child.name,
            keys: Vec::new(),
            more: 0,
            path,
        }
    }

    /// Adds rows, and the keys of some of them.
    pub(crate) fn add(&mut self, keys: Vec<Key>, count: usize) {
        let listed = self.keys.len();
        self.keys
            .extend(keys.into_iter().take(Self::LISTED - listed));
        self.more += count - (self.keys.len() - listed);
    }
}

impl std::error::Error for Blocked {}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{} {key} {} ", self.model, self.verb)?,
            None => write!(f, "a {} {} ", self.model, self.verb)?,
        }
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
        list(f, &self.keys, self.more)?;
        write!(f, " (through {})", self.path.join(", "))
    }
}

/// `1, 2, 3 and 4 more`
pub(crate) fn list(f: &mut fmt::Formatter<'_>, keys: &[Key], more: usize) -> fmt::Result {
    for (index, key) in keys.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{key}")?;
    }
    match more {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}
