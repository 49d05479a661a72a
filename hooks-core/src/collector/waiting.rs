//! Rows of tables that depend on each other, or on themselves: each waits for its children to go.

use std::collections::BTreeMap;
use std::mem;

use super::circles::Circles;
use super::order::{Circle, Edge, Number, Rows, Step, number, place};

/// The rows that wait for their children inside a component to go first.
///
/// Past the rows come gates, two for each circle that was opened. All of the circle waits for the one, which
/// waits for what refers to the circle; for all of the circle waits the other, and for that what the circle
/// refers to. Without them, part of a circle would let go what the rest of it refers to.
pub(super) struct Waiting<'a> {
    rows: &'a Rows<'a>,
    /// Inside the component, child to parents, and by which relation.
    parents: Vec<Vec<(Number, u32)>>,
    children_left: Vec<u32>,
    released: Vec<bool>,
}

/// Rows whose children are gone, by their groups.
type Ready = BTreeMap<u32, Vec<Number>>;

#[derive(Clone, Copy)]
struct Gates {
    before: Number,
    after: Number,
}

impl<'a> Waiting<'a> {
    pub(super) fn new<'e>(rows: &'a Rows<'a>, edges: impl Iterator<Item = &'e Edge>) -> Self {
        let mut waiting = Waiting {
            rows,
            parents: vec![Vec::new(); rows.count()],
            children_left: vec![0; rows.count()],
            released: vec![false; rows.count()],
        };
        for edge in edges {
            waiting.wait(edge.parent, edge.child, edge.relation);
        }
        waiting
    }

    fn wait(&mut self, parent: Number, child: Number, relation: u32) {
        self.parents[place(child)].push((parent, relation));
        self.children_left[place(parent)] += 1;
    }

    fn waits(&self, row: Number) -> bool {
        !self.released[place(row)]
    }

    /// Takes out, time and again, the rows of a group for which no row waits to go first.
    pub(super) fn release(
        &mut self,
        mut members: Vec<Number>,
        can_open: &impl Fn(u32) -> bool,
        steps: &mut Vec<Step>,
    ) -> Result<(), Circle> {
        let mut ready = Ready::new();
        for row in members
            .iter()
            .filter(|row| self.children_left[place(**row)] == 0)
        {
            ready.entry(self.rows.group(*row)).or_default().push(*row);
        }
        loop {
            while let Some((group, batch)) = largest(&mut ready) {
                for row in &batch {
                    self.released[place(*row)] = true;
                }
                for row in &batch {
                    self.let_parents_go(*row, &mut ready);
                }
                steps.push(Step::Delete { group, rows: batch });
            }
            members.retain(|row| self.waits(*row));
            if members.is_empty() {
                return Ok(());
            }
            let circles = Circles::new(&members, &self.parents);
            match circles.openable(&self.parents, can_open) {
                Some(relation) => steps.push(self.open(&circles, relation, &mut ready)),
                None => return circles.together(&self.parents, self.rows, steps),
            }
        }
    }

    /// This row is out of the way of those that it refers to.
    fn let_parents_go(&mut self, row: Number, ready: &mut Ready) {
        for (parent, _) in mem::take(&mut self.parents[place(row)]) {
            self.children_left[place(parent)] -= 1;
            if self.children_left[place(parent)] > 0 {
                continue;
            }
            if place(parent) >= self.rows.count() {
                self.let_parents_go(parent, ready);
            } else if self.waits(parent) {
                ready
                    .entry(self.rows.group(parent))
                    .or_default()
                    .push(parent);
            }
        }
    }

    /// Takes this relation away inside the circles.
    fn open(&mut self, circles: &Circles, relation: u32, ready: &mut Ready) -> Step {
        let mut opened = Vec::new();
        let mut gates: BTreeMap<usize, Gates> = BTreeMap::new();
        for child in circles.rows() {
            let opens =
                |(parent, by): &(Number, u32)| *by == relation && circles.have(*child, *parent);
            if self.parents[place(*child)].iter().any(opens) {
                opened.push(*child);
                gates
                    .entry(circles.of(*child))
                    .or_insert_with(|| self.gates());
            }
        }
        for row in circles.rows() {
            self.lead_through(&gates, circles, *row, relation);
        }
        for Gates { before, .. } in gates.into_values() {
            if self.children_left[place(before)] == 0 {
                self.let_parents_go(before, ready);
            }
        }
        opened.sort_unstable();
        Step::Open {
            relation,
            rows: opened,
        }
    }

    fn gates(&mut self) -> Gates {
        let before = self.parents.len();
        self.parents.extend([Vec::new(), Vec::new()]);
        self.children_left.extend([0, 0]);
        Gates {
            before: number(before),
            after: number(before + 1),
        }
    }

    /// Lets what a row refers to wait for the gate after its circle, or be the gate before another.
    fn lead_through(
        &mut self,
        gates: &BTreeMap<usize, Gates>,
        circles: &Circles,
        row: Number,
        opened: u32,
    ) {
        let own = gates.get(&circles.of(row));
        for (parent, relation) in mem::take(&mut self.parents[place(row)]) {
            self.children_left[place(parent)] -= 1;
            let inside = circles.have(row, parent);
            if inside && own.is_some() && relation == opened {
                continue;
            }
            match (inside, own, gates.get(&circles.of(parent))) {
                (true, ..) => self.wait(parent, row, relation),
                (false, own, next) => self.wait(
                    next.map_or(parent, |it| it.before),
                    own.map_or(row, |it| it.after),
                    relation,
                ),
            }
        }
        if let Some(Gates { before, after }) = own {
            self.wait(row, *before, opened);
            self.wait(*after, row, opened);
        }
    }
}

fn largest(ready: &mut Ready) -> Option<(u32, Vec<Number>)> {
    let (group, _) = ready.iter().max_by_key(|(_, rows)| rows.len())?;
    let group = *group;
    Some((group, ready.remove(&group)?))
}
