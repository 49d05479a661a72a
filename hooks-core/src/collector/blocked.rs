//! What keeps rows from being deleted, and the way from the deleted row to it.

use crate::error::{Blocker, Key};
use crate::relation::{OnDelete, RelationInfo};

/// By which rule a row blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocking {
    Protect,
    Restrict,
}

impl Blocking {
    pub(crate) fn of(on_delete: OnDelete) -> Option<Self> {
        match on_delete {
            OnDelete::Protect => Some(Blocking::Protect),
            OnDelete::Restrict => Some(Blocking::Restrict),
            _ => None,
        }
    }
}

/// The relations that lead from the deleted row to others, the first at that row.
///
/// One that leads to rows of the same table is there once, however often it was followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Path(Vec<RelationInfo>);

/// How many relations a path tells: two models that refer to each other could make one without end.
const LONGEST: usize = 32;

impl Path {
    pub(crate) fn and(&self, relation: RelationInfo) -> Self {
        let mut path = self.clone();
        if path.0.last() != Some(&relation) && path.0.len() < LONGEST {
            path.0.push(relation);
        }
        path
    }

    /// The relation that led here; none to the deleted row itself.
    pub(super) fn last(&self) -> Option<&RelationInfo> {
        self.0.last()
    }

    /// The path to the parent of this one.
    pub(super) fn up(&self) -> Self {
        let mut path = self.clone();
        path.0.pop();
        path
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(RelationInfo::name).collect()
    }
}

/// What was found to block a delete.
#[derive(Default)]
pub(crate) struct Found {
    rows: Vec<(Blocking, Path, Blocker)>,
}

impl Found {
    /// Adds some rows that block, of which there are `count`.
    pub(crate) fn add(&mut self, blocking: Blocking, path: &Path, keys: Vec<Key>, count: usize) {
        let Some(relation) = path.last().filter(|_| count > 0) else {
            return;
        };
        let known = self
            .rows
            .iter_mut()
            .find(|(by, at, _)| *by == blocking && at == path);
        let blocker = match known {
            Some((_, _, blocker)) => blocker,
            None => {
                let blocker = Blocker::new(relation, path.names());
                self.rows.push((blocking, path.clone(), blocker));
                let (_, _, blocker) = self.rows.last_mut().expect("one was added");
                blocker
            }
        };
        blocker.add(keys, count);
    }

    /// The blockers by this rule.
    pub(super) fn take(&mut self, blocking: Blocking) -> Vec<Blocker> {
        let found = self.take_with_paths(blocking);
        found.into_iter().map(|(_, blocker)| blocker).collect()
    }

    /// The same, with the way to each.
    pub(super) fn take_with_paths(&mut self, blocking: Blocking) -> Vec<(Path, Blocker)> {
        let these = self.rows.extract_if(.., |(by, ..)| *by == blocking);
        these.map(|(_, path, blocker)| (path, blocker)).collect()
    }
}
