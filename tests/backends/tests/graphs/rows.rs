//! The rows of all tables, in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{Cells, values};
use super::schema::{Clause, Relation, Schema};

/// A row, by its table and its key.
pub(crate) type Row = (&'static str, Vec<i32>);

#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Rows(pub(crate) BTreeMap<Row, Cells>);

impl Rows {
    pub(crate) fn of(&self, table: &'static str) -> impl Iterator<Item = (&Row, &Cells)> {
        let from = self.0.range((table, Vec::new())..);
        from.take_while(move |((it, _), _)| *it == table)
    }

    /// The row to which this one refers.
    pub(crate) fn parent(&self, relation: &Relation, row: &Row) -> Option<Row> {
        let is_child = row.0 == relation.info.child.table;
        self.referred(relation, self.0.get(row).filter(|_| is_child)?)
    }

    /// The row to which one with these cells refers.
    pub(crate) fn referred(&self, relation: &Relation, child: &Cells) -> Option<Row> {
        let values = relation.reference(child)?;
        let mut parents = self.of(relation.info.parent.table);
        let (parent, _) = parents.find(|(_, it)| relation.target(it).as_ref() == Some(&values))?;
        Some(parent.clone())
    }

    /// Each row that refers to one of these.
    pub(crate) fn referring(&self, relation: &Relation, to: &BTreeSet<Row>) -> BTreeSet<Row> {
        let parents = to.iter().filter(|row| row.0 == relation.info.parent.table);
        let targets = parents.filter_map(|row| relation.target(self.0.get(row)?));
        let targets: BTreeSet<_> = targets.collect();
        let refers = |cells: &Cells| {
            let values = relation.reference(cells);
            values.is_some_and(|values| targets.contains(&values))
        };
        let children = self.of(relation.info.child.table);
        let children = children.filter(|(_, cells)| !targets.is_empty() && refers(cells));
        children.map(|(row, _)| row.clone()).collect()
    }

    pub(crate) fn set(&mut self, row: &Row, columns: &[&'static str], value: Option<i32>) {
        let cells = self.0.get_mut(row).expect("the row is there");
        cells.extend(columns.iter().map(|column| (*column, value)));
    }

    /// Whether a row refers to one that is not there, where the schema has such a clause.
    pub(crate) fn dangles(&self, schema: &Schema, clauses: &[Clause]) -> bool {
        let mut relations = schema.relations.iter();
        relations.any(|it| !self.dangling(it, clauses).is_empty())
    }

    /// The rows that refer to one that is not there, if the schema has such a clause.
    pub(crate) fn dangling(&self, relation: &Relation, clauses: &[Clause]) -> Vec<Row> {
        if !clauses.contains(&relation.clause) {
            return Vec::new();
        }
        let parents = self.of(relation.info.parent.table);
        let targets: BTreeSet<_> = parents.filter_map(|(_, it)| relation.target(it)).collect();
        let dangles = |cells: &Cells| {
            let values = relation.reference(cells);
            values.is_some_and(|values| !targets.contains(&values))
        };
        let children = self.of(relation.info.child.table);
        let children = children.filter(|(_, cells)| dangles(cells));
        children.map(|(row, _)| row.clone()).collect()
    }

    /// Whether two rows hold the same where none may.
    pub(crate) fn clashes(&self, schema: &Schema, table: &'static str) -> bool {
        schema.unique(table).into_iter().any(|columns| {
            let mut seen = BTreeSet::new();
            let rows = self.of(table);
            let mut values = rows.filter_map(|(_, cells)| values(cells, columns));
            values.any(|values| !seen.insert(values))
        })
    }
}
