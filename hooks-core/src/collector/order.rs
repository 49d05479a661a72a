//! Which rows go before which: children first by row, whatever their keys, in batches as large as that
//! permits.
//!
//! Between tables of which only one depends on the other, all rows of the one go before those of the
//! other. Only among tables that depend on each other, or on themselves, each row is looked at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

use super::waiting::Waiting;

/// A row of the plan, by its place among all.
pub(crate) type Number = u32;

/// One row refers to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) child: Number,
    pub(super) parent: Number,
    /// By which relation of the plan.
    pub(super) relation: u32,
}

/// What is done to rows at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These rows of a group go, of which none depends on another.
    Delete { group: u32, rows: Vec<Number> },
    /// These rows of a group go by one statement: they depend on each other.
    DeleteTogether { group: u32, rows: Vec<Number> },
    /// These rows refer by this relation to nothing any more.
    Open { relation: u32, rows: Vec<Number> },
}

/// Rows that refer to each other, by these relations, of which none can be NULL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Circle(pub(super) Vec<u32>);

/// Puts rows into an order: `groups` has the group of each row, `tables` the table of each group and how many
/// of its rows one statement may name, and `can_open` says whether a relation can be NULL.
pub(super) fn children_first<T: Eq + Hash>(
    groups: &[u32],
    tables: &[(T, usize)],
    edges: &[Edge],
    can_open: impl Fn(u32) -> bool,
) -> Result<Vec<Step>, Circle> {
    let rows = Rows {
        groups,
        tables: numbered(tables),
        at_once: tables.iter().map(|(_, at_once)| *at_once).collect(),
    };
    let components = components(&rows, edges);
    let mut members = vec![Vec::new(); tables.len()];
    for row in 0..number(groups.len()) {
        members[components[rows.table(row)]].push(row);
    }
    let place = |row| components[rows.table(row)];
    let inside =
        |edge: &&Edge| edge.child != edge.parent && place(edge.child) == place(edge.parent);
    let mut steps = Vec::new();
    let mut waiting = None;
    for (at, members) in members.into_iter().enumerate() {
        if !edges
            .iter()
            .filter(inside)
            .any(|edge| place(edge.child) == at)
        {
            steps.extend(by_group(&rows, members));
            continue;
        }
        let waiting =
            waiting.get_or_insert_with(|| Waiting::new(&rows, edges.iter().filter(inside)));
        waiting.release(members, &can_open, &mut steps)?;
    }
    Ok(steps)
}

/// What is done before them where even a row that refers to itself does not go as it is.
pub(super) fn open_rows_that_refer_to_themselves(
    edges: &[Edge],
    can_open: impl Fn(u32) -> bool,
) -> Result<Vec<Step>, Circle> {
    let mut opened: BTreeMap<u32, Vec<Number>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.child == edge.parent) {
        if !can_open(edge.relation) {
            return Err(Circle(vec![edge.relation]));
        }
        opened.entry(edge.relation).or_default().push(edge.child);
    }
    let opened = opened.into_iter();
    Ok(opened
        .map(|(relation, rows)| Step::Open { relation, rows })
        .collect())
}

pub(super) fn number(place: usize) -> Number {
    Number::try_from(place).expect("a plan has fewer rows than that")
}

pub(super) fn place(number: Number) -> usize {
    number as usize
}

pub(super) struct Rows<'a> {
    groups: &'a [u32],
    tables: Vec<usize>,
    at_once: Vec<usize>,
}

impl Rows<'_> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn group(&self, row: Number) -> u32 {
        self.groups[place(row)]
    }

    fn table(&self, row: Number) -> usize {
        self.tables[place(self.group(row))]
    }

    /// The group of these rows, if they are of one and a statement can name them all.
    pub(super) fn one_statement(&self, rows: &[Number]) -> Option<u32> {
        let group = self.only_group(rows)?;
        (rows.len() <= self.at_once[place(group)]).then_some(group)
    }

    fn only_group(&self, rows: &[Number]) -> Option<u32> {
        let group = self.group(*rows.first()?);
        let same = rows.iter().all(|row| self.group(*row) == group);
        same.then_some(group)
    }
}

/// The number of each table, in the order in which they were reached.
fn numbered<T: Eq + Hash>(tables: &[(T, usize)]) -> Vec<usize> {
    let first = |(table, _): &(T, usize)| tables.iter().position(|(it, _)| it == table);
    tables.iter().filter_map(first).collect()
}

/// The place of each table; those that depend on each other share one.
fn components(rows: &Rows<'_>, edges: &[Edge]) -> Vec<usize> {
    let count = rows.tables.len();
    let mut parents = vec![HashSet::new(); count];
    let mut last = None;
    for edge in edges {
        let tables = (rows.table(edge.child), rows.table(edge.parent));
        // Edges come table by table.
        if last.replace(tables) != Some(tables) {
            parents[tables.0].insert(tables.1);
        }
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

/// Rows that do not depend on each other, the group that was reached last first.
fn by_group(rows: &Rows<'_>, members: Vec<Number>) -> impl Iterator<Item = Step> {
    let mut groups: BTreeMap<u32, Vec<Number>> = BTreeMap::new();
    match rows.only_group(&members) {
        Some(group) => drop(groups.insert(group, members)),
        None => {
            for row in members {
                groups.entry(rows.group(row)).or_default().push(row);
            }
        }
    }
    let groups = groups.into_iter().rev();
    groups.map(|(group, rows)| Step::Delete { group, rows })
}

#[cfg(test)]
mod tests {
    use super::{Circle, Edge, Step, children_first};

    /// Rows of the groups, of these tables, which refer to each other by the relation 0.
    fn order(groups: &[u32], tables: &[char], edges: &[(u32, u32)]) -> Vec<(u32, Vec<u32>)> {
        let steps = steps(groups, tables, edges, false).expect("there is no circle");
        let batch = |step| match step {
            Step::Delete { group, rows } => (group, rows),
            other => panic!("{other:?}"),
        };
        steps.into_iter().map(batch).collect()
    }

    fn steps(
        groups: &[u32],
        tables: &[char],
        edges: &[(u32, u32)],
        can_open: bool,
    ) -> Result<Vec<Step>, Circle> {
        let edge = |(child, parent): &(u32, u32)| Edge {
            child: *child,
            parent: *parent,
            relation: 0,
        };
        let edges: Vec<_> = edges.iter().map(edge).collect();
        let tables: Vec<_> = tables.iter().map(|table| (*table, 3)).collect();
        children_first(groups, &tables, &edges, |_| can_open)
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
    fn a_circle_is_opened_where_it_can_be_and_what_it_refers_to_goes_after_it() {
        // 1 and 2 refer to each other, 1 to 0, and 1 to 3, which refers to 0.
        let edges = [(1, 0), (2, 1), (1, 2), (3, 0), (1, 3)];
        let steps = steps(&[0; 4], &['a'], &edges, true).expect("it can be opened");
        let Step::Open { rows, .. } = &steps[0] else {
            panic!("{steps:?}");
        };
        assert!(rows.contains(&1) && rows.contains(&2), "{steps:?}");
        let gone: usize = steps[1..]
            .iter()
            .map(|step| match step {
                Step::Delete { rows, .. } => rows.len(),
                other => panic!("{other:?}"),
            })
            .sum();
        assert_eq!(gone, 4);
    }

    #[test]
    fn a_circle_in_one_group_that_cannot_be_opened_goes_by_one_statement() {
        let edges = [(1, 0), (2, 1), (1, 2), (3, 2)];
        let steps = steps(&[0; 4], &['a'], &edges, false).expect("one table");
        let delete = |rows| Step::Delete { group: 0, rows };
        let circle = Step::DeleteTogether {
            group: 0,
            rows: vec![1, 2],
        };
        assert_eq!(steps, [delete(vec![3]), circle, delete(vec![0])]);
    }

    #[test]
    fn a_circle_too_long_for_a_statement_is_told_and_several_short_ones_share_one() {
        let ring = [(0, 1), (1, 2), (2, 3), (3, 0)];
        assert!(steps(&[0; 4], &['a'], &ring, false).is_err());
        let pairs = [(0, 1), (1, 0), (2, 3), (3, 2)];
        let steps = steps(&[0; 4], &['a'], &pairs, false).expect("short ones");
        assert_eq!(steps.len(), 1, "{steps:?}");
    }

    #[test]
    fn a_circle_inside_one_table_does_not_hold_up_what_it_refers_to_in_another() {
        // 1 and 2 refer to each other, 1 to 3 of another table, and a row of that to one of the first.
        let edges = [(1, 2), (2, 1), (1, 3), (3, 0)];
        let steps = steps(&[0, 0, 0, 1], &['a', 'b'], &edges, false).expect("3 can wait");
        assert_eq!(steps.len(), 3, "{steps:?}");
        assert!(matches!(&steps[0], Step::DeleteTogether { group: 0, rows } if rows.len() == 2));
        assert_eq!(
            steps[1],
            Step::Delete {
                group: 1,
                rows: vec![3]
            }
        );
    }

    #[test]
    fn a_circle_of_two_tables_that_cannot_be_opened_is_told() {
        let edges = [(1, 0), (0, 1)];
        assert_eq!(
            steps(&[0, 1], &['a', 'b'], &edges, false),
            Err(Circle(vec![0, 0]))
        );
    }

    #[test]
    fn many_circles_and_a_long_chain_end() {
        let chain = (0..10_000).map(|row| (row + 1, row));
        let circles = (0..10_000).step_by(2).map(|row| (row, row + 1));
        let edges: Vec<_> = chain.chain(circles).collect();
        let steps = steps(&[0; 10_001], &['a'], &edges, true).expect("all can be opened");
        let gone = steps.iter().map(|step| match step {
            Step::Delete { rows, .. } => rows.len(),
            _ => 0,
        });
        assert_eq!(gone.sum::<usize>(), 10_001);
    }
}
