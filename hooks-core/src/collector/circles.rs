//! Rows that refer to each other in circles.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::order::{Circle, Number, Rows, Step, place};

/// To which rows each refers, and by which relation.
type Parents = [Vec<(Number, u32)>];

/// Rows that wait for each other, and those that wait for them.
pub(super) struct Circles {
    /// In one of several rows, each leads to each other. What refers comes before what it refers to.
    components: Vec<Vec<Number>>,
    /// The component of each row.
    component: Vec<usize>,
}

impl Circles {
    pub(super) fn new(rows: &[Number], parents: &Parents) -> Self {
        let components = strong_components(rows, parents);
        let mut component = vec![usize::MAX; parents.len()];
        for (at, rows) in components.iter().enumerate() {
            rows.iter().for_each(|row| component[place(*row)] = at);
        }
        Circles {
            components,
            component,
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Number> {
        self.components.iter().flatten()
    }

    /// What tells the rows that lead to this one and back from others.
    pub(super) fn of(&self, row: Number) -> usize {
        self.component[place(row)]
    }

    /// Whether one of these leads to the other and back.
    pub(super) fn have(&self, one: Number, other: Number) -> bool {
        self.of(one) == self.of(other)
    }

    /// A relation on a circle that can be NULL.
    pub(super) fn openable(
        &self,
        parents: &Parents,
        can_open: &impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let on_circle = |row: &Number| {
            let of = |(parent, _): &&(Number, u32)| self.have(*row, *parent);
            let relations = parents[place(*row)].iter().filter(of).map(|(_, it)| *it);
            relations.filter(|relation| can_open(*relation)).min()
        };
        self.rows().find_map(on_circle)
    }

    /// Each circle by one statement, which several small ones share.
    pub(super) fn together(
        &self,
        parents: &Parents,
        rows: &Rows<'_>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Circle> {
        let mut depths = vec![0; self.components.len()];
        let mut levels: BTreeMap<usize, BTreeMap<u32, Vec<&[Number]>>> = BTreeMap::new();
        for (at, members) in self.components.iter().enumerate() {
            if members.iter().all(|row| place(*row) < rows.count()) {
                let Some(group) = rows.one_statement(members) else {
                    return Err(circle(members, parents));
                };
                let level = levels.entry(depths[at]).or_default();
                level.entry(group).or_default().push(members);
            }
            for (parent, _) in members.iter().flat_map(|row| &parents[place(*row)]) {
                let above = self.component[place(*parent)];
                if above != at {
                    depths[above] = depths[above].max(depths[at] + 1);
                }
            }
        }
        for (group, components) in levels.into_values().flatten() {
            let (alone, circles): (Vec<_>, Vec<_>) =
                components.into_iter().partition(|rows| rows.len() == 1);
            if !alone.is_empty() {
                let rows = alone.concat();
                steps.push(Step::Delete { group, rows });
            }
            let circles = share(&circles).into_iter();
            steps.extend(circles.map(|rows| Step::DeleteTogether { group, rows }));
        }
        Ok(())
    }
}

/// How many rows of several circles go by one statement.
const TOGETHER: usize = 250;

/// As few lists of whole circles as are not too long.
fn share(circles: &[&[Number]]) -> Vec<Vec<Number>> {
    let mut lists: Vec<Vec<Number>> = Vec::new();
    for circle in circles {
        match lists.last_mut() {
            Some(list) if list.len() + circle.len() <= TOGETHER => list.extend(*circle),
            _ => lists.push(circle.to_vec()),
        }
    }
    lists
}

/// A circle among rows of which each leads to each other.
fn circle(members: &[Number], parents: &Parents) -> Circle {
    let mut children = HashMap::new();
    for child in members {
        for (parent, relation) in &parents[place(*child)] {
            children.entry(*parent).or_insert((*child, *relation));
        }
    }
    let mut way = Vec::new();
    let mut seen = HashSet::new();
    let mut next = members.first().copied();
    while let Some(row) = next.filter(|row| seen.insert(*row)) {
        let child = children.get(&row);
        way.extend(child.map(|(_, relation)| (row, *relation)));
        next = child.map(|(child, _)| *child);
    }
    let start = way.iter().position(|(row, _)| Some(*row) == next);
    let way = &way[start.unwrap_or_default()..];
    Circle(way.iter().map(|(_, relation)| *relation).collect())
}

/// The strongly connected components of these rows, what refers before what it refers to, by Tarjan's
/// algorithm without recursion on the stack.
fn strong_components(rows: &[Number], parents: &Parents) -> Vec<Vec<Number>> {
    let mut search = Search {
        parents,
        found: vec![0; parents.len()],
        earliest: vec![0; parents.len()],
        is_done: vec![false; parents.len()],
        open: Vec::new(),
        count: 0,
        components: Vec::new(),
    };
    for row in rows {
        search.from(*row);
    }
    search.components.reverse();
    search.components
}

struct Search<'a> {
    parents: &'a Parents,
    /// As which each row was found, the first as 1; 0 for one that was not.
    found: Vec<u32>,
    /// The earliest row that each leads to, among those whose component is not known.
    earliest: Vec<u32>,
    is_done: Vec<bool>,
    open: Vec<Number>,
    count: u32,
    components: Vec<Vec<Number>>,
}

impl Search<'_> {
    fn from(&mut self, row: Number) {
        if self.found[place(row)] > 0 {
            return;
        }
        let mut way = vec![(self.enter(row), 0)];
        while let Some((row, next)) = way.last_mut() {
            let row = *row;
            if let Some((parent, _)) = self.parents[place(row)].get(*next) {
                *next += 1;
                match self.found[place(*parent)] {
                    0 => way.push((self.enter(*parent), 0)),
                    found if !self.is_done[place(*parent)] => self.leads_to(row, found),
                    _ => {}
                }
                continue;
            }
            way.pop();
            if let Some((child, _)) = way.last() {
                self.leads_to(*child, self.earliest[place(row)]);
            }
            if self.earliest[place(row)] == self.found[place(row)] {
                self.close(row);
            }
        }
    }

    fn enter(&mut self, row: Number) -> Number {
        self.count += 1;
        self.found[place(row)] = self.count;
        self.earliest[place(row)] = self.count;
        self.open.push(row);
        row
    }

    fn leads_to(&mut self, row: Number, found: u32) {
        let earliest = &mut self.earliest[place(row)];
        *earliest = found.min(*earliest);
    }

    /// Everything that was found since this row, and is open, is in its component.
    fn close(&mut self, first: Number) {
        let start = self.open.iter().rposition(|row| *row == first);
        let component = self.open.split_off(start.unwrap_or_default());
        for row in &component {
            self.is_done[place(*row)] = true;
        }
        self.components.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::strong_components;

    #[test]
    fn rows_of_a_circle_are_together_and_what_refers_comes_first() {
        // 0 and 1 refer to each other, 2 to 1, and 0 to 3, which refers to itself by 4.
        let parents = [vec![1, 3], vec![0], vec![1], vec![4], vec![3], vec![]];
        let parents = parents.map(|it| it.into_iter().map(|parent| (parent, 0)).collect());
        let mut found = strong_components(&[0, 1, 2, 3, 4, 5], &parents);
        found.iter_mut().for_each(|it| it.sort_unstable());
        let at = |rows: &[u32]| found.iter().position(|it| it == rows);
        assert_eq!(found.len(), 4);
        assert!(at(&[5]).is_some());
        assert!(
            at(&[2]) < at(&[0, 1]) && at(&[0, 1]) < at(&[3, 4]),
            "{found:?}"
        );
        assert!(at(&[2]).is_some());
    }

    #[test]
    fn a_long_chain_that_ends_in_a_circle_ends() {
        let last = 100_000;
        let mut parents: Vec<_> = (0..last).map(|row| vec![(row + 1, 0)]).collect();
        parents.push(vec![(last - 1, 0)]);
        let rows: Vec<_> = (0..=last).collect();
        let found = strong_components(&rows, &parents);
        assert_eq!(found.len(), 100_000);
        assert_eq!(found[0], [0]);
        assert_eq!(found.last().map(Vec::len), Some(2));
    }
}
