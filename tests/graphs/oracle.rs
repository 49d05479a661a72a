//! What Django's rules say of a delete, written naively over rows in memory.

use std::collections::{BTreeMap, BTreeSet};

use diesel_hooks::relation::OnDelete;

use super::zoo::{COLUMNS, DEFAULT, Kind, Refs};

/// A row, by its model's place and its key.
pub(crate) type Row = (usize, i32);

/// A relation: of which model, by which column, to which model.
pub(crate) struct Relation {
    pub(crate) child: usize,
    pub(crate) column: usize,
    pub(crate) parent: usize,
    pub(crate) on_delete: OnDelete,
}

/// The rows of all models.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Rows(pub(crate) BTreeMap<Row, Refs>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// These rows go.
    Done(BTreeSet<Row>),
    Protected,
    Restricted,
    /// The database would find a row that refers to nothing.
    Dangling,
}

/// The relations between these models, as they were registered.
pub(crate) fn relations(kinds: &[Kind]) -> Vec<Relation> {
    let place = |name| kinds.iter().position(|kind| kind.name == name);
    let column = |name| COLUMNS.iter().position(|it| *it == name);
    diesel_hooks::registry()
        .relations()
        .filter_map(|info| {
            Some(Relation {
                child: place(info.child.name)?,
                column: column(info.field)?,
                parent: place(info.parent.name)?,
                on_delete: info.on_delete,
            })
        })
        .collect()
}

impl Rows {
    /// Each row that refers to one of these by such a relation.
    fn referring<'a>(
        &'a self,
        relations: &'a [Relation],
        to: &'a BTreeSet<Row>,
        on_delete: OnDelete,
    ) -> impl Iterator<Item = (Row, &'a Relation)> {
        let relations = relations.iter().filter(move |it| it.on_delete == on_delete);
        relations.flat_map(move |relation| {
            let children = self
                .0
                .iter()
                .filter(|((model, _), _)| *model == relation.child);
            children.filter_map(move |(child, refs)| {
                let parent = (relation.parent, refs[relation.column]?);
                to.contains(&parent).then_some((*child, relation))
            })
        })
    }

    /// What goes with these rows, themselves included.
    fn collect(&self, relations: &[Relation], roots: &[Row]) -> BTreeSet<Row> {
        let mut collected: BTreeSet<Row> = roots
            .iter()
            .copied()
            .filter(|row| self.0.contains_key(row))
            .collect();
        loop {
            let more: Vec<_> = self
                .referring(relations, &collected, OnDelete::Cascade)
                .map(|(child, _)| child)
                .filter(|child| !collected.contains(child))
                .collect();
            if more.is_empty() {
                return collected;
            }
            collected.extend(more);
        }
    }

    /// Deletes these rows and what goes with them, if nothing blocks that.
    pub(crate) fn delete(&mut self, relations: &[Relation], roots: &[Row]) -> Verdict {
        let collected = self.collect(relations, roots);
        if self
            .referring(relations, &collected, OnDelete::Protect)
            .next()
            .is_some()
        {
            return Verdict::Protected;
        }
        let mut restricting = self.referring(relations, &collected, OnDelete::Restrict);
        if restricting.any(|(row, _)| !collected.contains(&row)) {
            return Verdict::Restricted;
        }
        drop(restricting);
        let mut after = self.clone();
        for (on_delete, value) in [
            (OnDelete::SetNull, None),
            (OnDelete::SetDefault, Some(DEFAULT)),
        ] {
            for (child, relation) in self.referring(relations, &collected, on_delete) {
                if let Some(refs) = after.0.get_mut(&child) {
                    refs[relation.column] = value;
                }
            }
        }
        after.0.retain(|row, _| !collected.contains(row));
        if after.dangles(relations) {
            return Verdict::Dangling;
        }
        *self = after;
        Verdict::Done(collected)
    }

    /// How many rows go with these.
    pub(crate) fn reach(&self, relations: &[Relation], roots: &[Row]) -> usize {
        self.collect(relations, roots).len()
    }

    fn dangles(&self, relations: &[Relation]) -> bool {
        relations.iter().any(|relation| {
            let children = self
                .0
                .iter()
                .filter(|((model, _), _)| *model == relation.child);
            let mut parents = children.filter_map(|(_, refs)| refs[relation.column]);
            parents.any(|key| !self.0.contains_key(&(relation.parent, key)))
        })
    }

    /// Whether a row refers to another, directly or not, by relations that a delete follows.
    pub(crate) fn depends(&self, relations: &[Relation], row: Row, on: Row) -> bool {
        let mut open = vec![row];
        let mut seen = BTreeSet::new();
        while let Some(row) = open.pop() {
            for relation in relations.iter().filter(|it| {
                it.child == row.0 && matches!(it.on_delete, OnDelete::Cascade | OnDelete::Restrict)
            }) {
                let Some(key) = self.0.get(&row).and_then(|refs| refs[relation.column]) else {
                    continue;
                };
                let parent = (relation.parent, key);
                if parent == on {
                    return true;
                }
                if seen.insert(parent) {
                    open.push(parent);
                }
            }
        }
        false
    }
}
