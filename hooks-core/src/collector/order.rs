//! Which rows go before which: children first by row, whatever their keys, in batches as large as that
//! permits.
//!
//! Between tables of which only one depends on the other, all rows of the one go before those of the
//! other. Only among tables that depend on each other, or on themselves, each row is looked at.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::mem;

/// Rows of one group of which none depends on another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) group: usize,
    pub(super) rows: Vec<usize>,
}

/// Puts rows into an order: `groups` has the group of each row, `tables` the table of each group, and
/// `edges` which row (first) refers to which.
///
/// Rows that refer to each other in a circle come in some order, and rows that they refer to after them.
pub(super) fn children_first<T: Eq + Hash>(
    groups: &[usize],
    tables: &[T],
    edges: &[(usize, usize)],
) -> Vec<Batch> {
    let rows = Rows {
        groups,
        tables: numbered(tables),
    };
    let components = components(&rows, edges);
    let mut waiting = Waiting::new(&rows, &components, edges);
    let mut members = vec![Vec::new(); tables.len()];
    for row in 0..groups.len() {
        members[components[rows.table(row)]].push(row);
    }
    members
        .into_iter()
        .flat_map(|members| waiting.release(&rows, members))
        .collect()
}

struct Rows<'a> {
    groups: &'a [usize],
    tables: Vec<usize>,
}

impl Rows<'_> {
    fn table(&self, row: usize) -> usize {
        self.tables[self.groups[row]]
    }
}

/// The number of each table, in the order in which they were reached.
fn numbered<T: Eq + Hash>(tables: &[T]) -> Vec<usize> {
    let first = |table| tables.iter().position(|it| it == table);
    tables.iter().filter_map(first).collect()
}

/// The place of each table; those that depend on each other share one.
fn components(rows: &Rows<'_>, edges: &[(usize, usize)]) -> Vec<usize> {
    let count = rows.tables.len();
    let mut parents = vec![HashSet::new(); count];
    for (child, parent) in edges {
        parents[rows.table(*child)].insert(rows.table(*parent));
    }
    let reach: Vec<_> = (0..count).map(|table| reachable(&parents, table)).collect();
    let representative = |table: usize| {
        (0..count).find(|it| reach[table].contains(it) && reach[*it].contains(&table))
    };
    // What depends on another table reaches all that this one reaches, and itself. Among equals, the one
    // that was reached last is the farthest from the root.
    let key = |table: usize| Reverse((reach[table].len(), representative(table)));
    let mut keys: Vec<_> = (0..count).map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let place = |table| keys.partition_point(|it| *it < key(table));
    (0..count).map(place).collect()
}

fn reachable(parents: &[HashSet<usize>], table: usize) -> HashSet<usize> {
    let mut seen = HashSet::from([table]);
    let mut open = vec![table];
    while let Some(table) = open.pop() {
        open.extend(parents[table].iter().filter(|parent| seen.insert(**parent)));
    }
    seen
}

/// The rows that wait for their children inside a component to go first.
struct Waiting {
    /// Inside the component, child to parents.
    parents: Vec<Vec<usize>>,
    children: OnceCell<Vec<Vec<usize>>>,
    children_left: Vec<usize>,
    released: Vec<bool>,
}

impl Waiting {
    fn new(rows: &Rows<'_>, components: &[usize], edges: &[(usize, usize)]) -> Self {
        let count = rows.groups.len();
        let mut waiting = Waiting {
            parents: vec![Vec::new(); count],
            children: OnceCell::new(),
            children_left: vec![0; count],
            released: vec![false; count],
        };
        let place = |row| components[rows.table(row)];
        for (child, parent) in edges {
            if child != parent && place(*child) == place(*parent) {
                waiting.parents[*child].push(*parent);
                waiting.children_left[*parent] += 1;
            }
        }
        waiting
    }

    /// Takes out, time and again, the rows of a group for which no row waits to go first.
    fn release(&mut self, rows: &Rows<'_>, mut members: Vec<usize>) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut ready: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for row in members.iter().filter(|row| self.children_left[**row] == 0) {
            ready.entry(rows.groups[*row]).or_default().push(*row);
        }
        while let Some(batch) = largest(&mut ready).or_else(|| self.open_circle(rows, &mut members))
        {
            for row in &batch.rows {
                self.released[*row] = true;
            }
            for row in &batch.rows {
                for parent in mem::take(&mut self.parents[*row]) {
                    self.children_left[parent] -= 1;
                    if self.children_left[parent] == 0 && !self.released[parent] {
                        ready.entry(rows.groups[parent]).or_default().push(parent);
                    }
                }
            }
            batches.push(batch);
        }
        batches
    }

    /// A row of a circle on which the farthest of the rows that are left depends.
    fn open_circle(&self, rows: &Rows<'_>, members: &mut Vec<usize>) -> Option<Batch> {
        while self.released[*members.last()?] {
            members.pop();
        }
        let children = self.children.get_or_init(|| reversed(&self.parents));
        let mut row = *members.last()?;
        let mut seen = HashSet::new();
        while seen.insert(row) {
            let mut left = children[row].iter().filter(|child| !self.released[**child]);
            row = *left.next()?;
        }
        Some(Batch {
            group: rows.groups[row],
            rows: vec![row],
        })
    }
}

fn largest(ready: &mut BTreeMap<usize, Vec<usize>>) -> Option<Batch> {
    let (group, _) = ready.iter().max_by_key(|(_, rows)| rows.len())?;
    let group = *group;
    let rows = ready.remove(&group)?;
    Some(Batch { group, rows })
}

/// Of the rows that are left, who their children are.
fn reversed(parents: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); parents.len()];
    for (child, parents) in parents.iter().enumerate() {
        for parent in parents {
            children[*parent].push(child);
        }
    }
    children
}

#[cfg(test)]
mod tests {
    use super::{Batch, children_first};

    fn order(
        groups: &[usize],
        tables: &[char],
        edges: &[(usize, usize)],
    ) -> Vec<(usize, Vec<usize>)> {
        let batches = children_first(groups, tables, edges).into_iter();
        batches.map(|Batch { group, rows }| (group, rows)).collect()
    }

    #[test]
    fn rows_of_tables_without_a_circle_go_in_one_batch_each() {
        let edges = [(1, 0), (2, 0), (3, 1), (4, 2), (4, 3)];
        assert_eq!(
            order(&[0, 1, 1, 2, 2], &['a', 'b', 'c'], &edges[..4]),
            [(2, vec![3, 4]), (1, vec![1, 2]), (0, vec![0])]
        );
    }

    #[test]
    fn a_row_reached_at_two_depths_goes_before_both_that_it_refers_to() {
        // 3 refers to 0 and to 2, which refers to 1, which refers to 0.
        let edges = [(1, 0), (3, 0), (2, 1), (3, 2)];
        assert_eq!(
            order(&[0; 4], &['a'], &edges),
            [(0, vec![3]), (0, vec![2]), (0, vec![1]), (0, vec![0])]
        );
    }

    #[test]
    fn structs_over_one_table_are_ordered_by_row() {
        let edges = [(1, 0), (2, 1)];
        assert_eq!(
            order(&[0, 1, 0], &['a', 'a'], &edges),
            [(0, vec![2]), (1, vec![1]), (0, vec![0])]
        );
    }

    #[test]
    fn what_a_circle_refers_to_goes_after_it() {
        // 1 and 2 refer to each other, 1 to 0, and 1 to 3, which refers to 0.
        let edges = [(1, 0), (2, 1), (1, 2), (3, 0), (1, 3)];
        let order: Vec<_> = order(&[0; 4], &['a'], &edges)
            .into_iter()
            .flat_map(|it| it.1)
            .collect();
        let place = |row| order.iter().position(|it| *it == row);
        assert_eq!(order.len(), 4);
        assert!(
            place(1).max(place(2)) < place(3) && place(3) < place(0),
            "{order:?}"
        );
    }

    #[test]
    fn many_circles_and_a_long_chain_end() {
        let chain = (0..10_000).map(|row| (row + 1, row));
        let circles = (0..10_000).step_by(2).map(|row| (row, row + 1));
        let edges: Vec<_> = chain.chain(circles).collect();
        let order = order(&[0; 10_001], &['a'], &edges);
        assert_eq!(order.iter().map(|it| it.1.len()).sum::<usize>(), 10_001);
    }
}
