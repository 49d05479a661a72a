use std::any::TypeId;
use std::collections::VecDeque;

use super::{Collected, Deleted};
use crate::error::{Blocker, Result};

/// Deletes rows that nobody listens to and nothing depends on, without loading them.
type SilentDelete<C> = Box<dyn FnOnce(&mut C) -> Result<usize>>;

/// What the relations of some rows lead to.
pub(crate) struct Found<C> {
    pub(super) loaded: Vec<Box<dyn Collected<C>>>,
    pub(super) silent: Vec<(&'static str, SilentDelete<C>)>,
    pub(super) blockers: Vec<Blocker>,
}

impl<C> Default for Found<C> {
    fn default() -> Self {
        Found {
            loaded: Vec::new(),
            silent: Vec::new(),
            blockers: Vec::new(),
        }
    }
}

/// Everything that a delete does, before it does any of it.
pub(super) struct Plan<C> {
    /// The rows that go, by model.
    groups: Vec<Box<dyn Collected<C>>>,
    /// Which model's rows led to which other's, parent before child.
    edges: Vec<(TypeId, TypeId)>,
    silent: Vec<(&'static str, SilentDelete<C>)>,
    blockers: Vec<Blocker>,
}

impl<C: 'static> Plan<C> {
    /// Follows the relations from the root, level by level.
    pub(super) fn collect(conn: &mut C, root: impl Collected<C>) -> Result<Self> {
        let mut plan = Plan {
            groups: Vec::new(),
            edges: Vec::new(),
            silent: Vec::new(),
            blockers: Vec::new(),
        };
        let mut open = VecDeque::from([root.model()]);
        plan.add(Box::new(root));
        while let Some(model) = open.pop_front() {
            let found = plan.group(model).dependents(conn)?;
            plan.silent.extend(found.silent);
            plan.blockers.extend(found.blockers);
            for rows in found.loaded {
                let child = rows.model();
                plan.edges.push((model, child));
                if plan.add(rows) {
                    open.push_back(child);
                }
            }
        }
        Ok(plan)
    }

    pub(super) fn is_blocked(&self) -> bool {
        !self.blockers.is_empty()
    }

    pub(super) fn into_blockers(self) -> Vec<Blocker> {
        self.blockers
    }

    /// Sends and deletes, dependents first.
    pub(super) fn execute(mut self, conn: &mut C) -> Result<Deleted> {
        self.sort_children_first();
        let mut deleted = Deleted::default();
        for group in &mut self.groups {
            group.put_children_first();
            group.send_pre_delete(conn)?;
        }
        for (model, delete) in self.silent {
            deleted.add(model, delete(conn)?);
        }
        for group in &mut self.groups {
            deleted.add(group.info().name, group.delete(conn)?);
            group.send_post_delete(conn)?;
        }
        Ok(deleted)
    }

    /// Adds rows, and says whether any of them is new.
    fn add(&mut self, rows: Box<dyn Collected<C>>) -> bool {
        match self
            .groups
            .iter_mut()
            .find(|group| group.model() == rows.model())
        {
            Some(group) => group.merge(rows),
            None => {
                self.groups.push(rows);
                true
            }
        }
    }

    fn group(&mut self, model: TypeId) -> &mut Box<dyn Collected<C>> {
        self.groups
            .iter_mut()
            .find(|group| group.model() == model)
            .expect("a model is opened when its group is added")
    }

    /// Takes out, time and again, a model that no remaining one depends on.
    fn sort_children_first(&mut self) {
        let mut sorted = Vec::with_capacity(self.groups.len());
        while !self.groups.is_empty() {
            let has_child_left = |model: TypeId| {
                self.edges.iter().any(|(parent, child)| {
                    *parent == model
                        && *child != model
                        && self.groups.iter().any(|it| it.model() == *child)
                })
            };
            let leaf = self
                .groups
                .iter()
                .rposition(|group| !has_child_left(group.model()));
            // On a cycle of models the one that was reached last is the farthest from the root.
            let next = leaf.unwrap_or(self.groups.len() - 1);
            sorted.push(self.groups.remove(next));
        }
        self.groups = sorted;
    }
}
