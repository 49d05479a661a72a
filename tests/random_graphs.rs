//! Deletes in random graphs of relations do to rows, send and answer what Django's rules say.
//!
//! `DIESEL_HOOKS_GRAPHS` says how many graphs, `DIESEL_HOOKS_SEED` with which seed.
#![allow(missing_docs, reason = "schema modules are generated")]

mod common;
#[path = "graphs/oracle.rs"]
mod oracle;
#[path = "graphs/zoo.rs"]
mod zoo;

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::{Deleted, Error};
use oracle::{Relation, Row, Rows, Verdict};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use zoo::{COLUMNS, Kind, Refs, When};

/// A row to be: its model, and the rows it refers to by each column, if there are such.
type Plan = (Index, [Option<Index>; 6]);

#[derive(Debug, Clone)]
enum Step {
    Create(Plan),
    Point(Index, [Option<Index>; 6]),
    Delete {
        row: Index,
        fail_after: Option<usize>,
    },
    DeleteAtMost(Index, usize),
    DeleteAll(Vec<Index>),
    Look(Index),
}

fn refs() -> impl Strategy<Value = [Option<Index>; 6]> {
    let reference = |weight| proptest::option::weighted(weight, any::<Index>());
    (
        reference(0.5),
        reference(0.3),
        reference(0.05),
        reference(0.08),
        reference(0.2),
        reference(0.15),
    )
        .prop_map(|(a, b, p, r, n, d)| [a, b, p, r, n, d])
}

fn step() -> impl Strategy<Value = Step> {
    let row = || any::<Index>();
    prop_oneof![
        1 => (row(), refs()).prop_map(Step::Create),
        1 => (row(), refs()).prop_map(|(row, refs)| Step::Point(row, refs)),
        5 => (row(), proptest::option::weighted(0.2, 0..6usize))
            .prop_map(|(row, fail_after)| Step::Delete { row, fail_after }),
        1 => (row(), 0..6usize).prop_map(|(row, most)| Step::DeleteAtMost(row, most)),
        2 => proptest::collection::vec(row(), 0..5).prop_map(Step::DeleteAll),
        1 => row().prop_map(Step::Look),
    ]
}

fn graph() -> impl Strategy<Value = (bool, Vec<Plan>, Vec<Step>)> {
    let rows = proptest::collection::vec((any::<Index>(), refs()), 1..40);
    (
        any::<bool>(),
        rows,
        proptest::collection::vec(step(), 1..10),
    )
}

/// A database, and what the rules say must be in it.
struct World {
    conn: SqliteConnection,
    kinds: Vec<Kind>,
    relations: Vec<Relation>,
    rows: Rows,
    next: i32,
}

impl World {
    fn new(ring: bool) -> Self {
        let kinds = if ring { zoo::ring() } else { zoo::tree() };
        let relations = oracle::relations(&kinds);
        let mut schema = String::from("PRAGMA foreign_keys = ON;");
        for (place, kind) in kinds.iter().enumerate() {
            schema += &format!("CREATE TABLE {} (id INTEGER PRIMARY KEY", kind.table);
            for (column, name) in COLUMNS.iter().enumerate() {
                let relation = relations
                    .iter()
                    .find(|it| it.child == place && it.column == column);
                let parent = relation.map(|it| format!("REFERENCES {}", kinds[it.parent].table));
                schema += &format!(", {name} INTEGER {}", parent.unwrap_or_default());
            }
            schema += ");";
        }
        let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
        conn.batch_execute(&schema).expect("the schema is right");
        World {
            conn,
            kinds,
            relations,
            rows: Rows::default(),
            next: 1,
        }
    }

    fn row(&self, index: &Index) -> Option<Row> {
        let rows: Vec<_> = self.rows.0.keys().copied().collect();
        (!rows.is_empty()).then(|| *index.get(&rows))
    }

    /// Turns places among the rows of the parent's model into keys; the row itself is one of them.
    fn refs(&self, row: Row, refs: &[Option<Index>; 6]) -> Refs {
        let mut keys = [None; 6];
        for relation in self.relations.iter().filter(|it| it.child == row.0) {
            let mut parents: BTreeSet<i32> = self
                .rows
                .0
                .keys()
                .filter(|(model, _)| *model == relation.parent)
                .map(|(_, key)| *key)
                .collect();
            if relation.parent == row.0 {
                parents.insert(row.1);
            }
            let parents: Vec<_> = parents.into_iter().collect();
            let index = refs[relation.column]
                .as_ref()
                .filter(|_| !parents.is_empty());
            keys[relation.column] = index.map(|index| *index.get(&parents));
        }
        keys
    }

    fn create(&mut self, (model, refs): &Plan) {
        let row = (model.index(self.kinds.len()), self.next);
        self.next += 1;
        let refs = self.refs(row, refs);
        (self.kinds[row.0].create)(&mut self.conn, row.1, refs)
            .expect("it refers to what is there");
        self.rows.0.insert(row, refs);
    }

    fn point(&mut self, row: Row, refs: &[Option<Index>; 6]) {
        let refs = self.refs(row, refs);
        (self.kinds[row.0].point)(&mut self.conn, row.1, refs).expect("it refers to what is there");
        self.rows.0.insert(row, refs);
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        zoo::events();
        match step {
            Step::Create(plan) => self.create(plan),
            Step::Point(row, refs) => {
                if let Some(row) = self.row(row) {
                    self.point(row, refs);
                }
            }
            Step::Delete { row, fail_after } => {
                if let Some(row) = self.row(row) {
                    zoo::fail_after(*fail_after);
                    let outcome = (self.kinds[row.0].delete)(&mut self.conn, row.1, None);
                    zoo::fail_after(None);
                    self.compare(&[row], outcome, None)?;
                }
            }
            Step::DeleteAtMost(row, most) => {
                if let Some(row) = self.row(row) {
                    let outcome = (self.kinds[row.0].delete)(&mut self.conn, row.1, Some(*most));
                    self.compare(&[row], outcome, Some(*most))?;
                }
            }
            Step::DeleteAll(indexes) => {
                let rows: Vec<Row> = indexes.iter().filter_map(|index| self.row(index)).collect();
                let Some((model, _)) = rows.first().copied() else {
                    return Ok(());
                };
                let rows: Vec<_> = rows.into_iter().filter(|row| row.0 == model).collect();
                let keys: Vec<_> = rows.iter().map(|row| row.1).collect();
                let outcome = (self.kinds[model].delete_all)(&mut self.conn, &keys);
                self.compare(&rows, outcome, None)?;
            }
            Step::Look(row) => {
                if let Some(row) = self.row(row) {
                    let plan = (self.kinds[row.0].plan)(&mut self.conn, row.1).expect("planned");
                    let verdict = self.rows.clone().delete(&self.relations, &[row]);
                    let blocked = matches!(verdict, Verdict::Protected | Verdict::Restricted);
                    prop_assert_eq!(plan.is_blocked(), blocked, "{}", plan);
                    if let Verdict::Done(collected) = verdict {
                        prop_assert_eq!(plan.total(), collected.len(), "{}", plan);
                    }
                    prop_assert!(zoo::events().is_empty());
                }
            }
        }
        prop_assert_eq!(&self.stored(), &self.rows);
        Ok(())
    }

    /// Compares what a delete did with what the rules say.
    fn compare(
        &mut self,
        roots: &[Row],
        outcome: diesel_hooks::Result<Deleted>,
        most: Option<usize>,
    ) -> Result<(), TestCaseError> {
        let before = self.rows.clone();
        let events = zoo::events();
        let verdict = self.rows.delete(&self.relations, roots);
        let collected = match (outcome, verdict) {
            (Err(Error::Receiver(_)), _) => {
                self.rows = before;
                return Ok(());
            }
            (Err(Error::TooManyRows { max_rows, .. }), _) => {
                prop_assert_eq!(Some(max_rows), most);
                self.rows = before;
                prop_assert!(self.rows.reach(&self.relations, roots) > max_rows);
                return Ok(());
            }
            (Err(Error::Protected(_)), Verdict::Protected) => BTreeSet::new(),
            (Err(Error::Restricted(_)), Verdict::Restricted) => BTreeSet::new(),
            (Err(Error::Query { .. } | Error::Set { .. }), Verdict::Dangling) => {
                return Ok(());
            }
            (Ok(deleted), Verdict::Done(collected)) => {
                let mut by_model: BTreeMap<&str, usize> = BTreeMap::new();
                for (model, _) in &collected {
                    *by_model.entry(self.kinds[*model].name).or_default() += 1;
                }
                prop_assert_eq!(deleted.total, collected.len());
                prop_assert_eq!(deleted.by_model, by_model);
                collected
            }
            (outcome, verdict) => {
                let message = format!(
                    "{outcome:?} where the rules say {verdict:?} of {roots:?} in {before:?}"
                );
                return Err(TestCaseError::fail(message));
            }
        };
        self.compare_events(&before, &collected, events)
    }

    /// Each heard row before and after, all before the first after, dependents before what they depend on.
    fn compare_events(
        &self,
        before: &Rows,
        collected: &BTreeSet<Row>,
        events: Vec<(When, &'static str, i32)>,
    ) -> Result<(), TestCaseError> {
        let place = |name: &&str| {
            self.kinds
                .iter()
                .position(|kind| kind.name == *name)
                .expect("known")
        };
        let heard: Vec<Row> = collected
            .iter()
            .filter(|row| self.kinds[row.0].is_heard)
            .copied()
            .collect();
        for when in [When::Before, When::After] {
            let these = events.iter().filter(|(it, ..)| *it == when);
            let order: Vec<Row> = these.map(|(_, name, key)| (place(name), *key)).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&sorted, &heard);
            for (at, row) in order.iter().enumerate() {
                for later in &order[at + 1..] {
                    let depends = before.depends(&self.relations, *later, *row);
                    let circle = before.depends(&self.relations, *row, *later);
                    prop_assert!(!depends || circle, "{later:?} depends on {row:?}");
                }
            }
        }
        prop_assert!(events.is_sorted_by_key(|(when, ..)| *when));
        Ok(())
    }

    fn stored(&mut self) -> Rows {
        let mut rows = Rows::default();
        for (model, kind) in self.kinds.iter().enumerate() {
            for (key, refs) in (kind.rows)(&mut self.conn) {
                rows.0.insert((model, key), refs);
            }
        }
        rows
    }
}

fn run((ring, plans, steps): (bool, Vec<Plan>, Vec<Step>)) -> Result<(), TestCaseError> {
    let mut world = World::new(ring);
    for plan in &plans {
        world.create(plan);
    }
    // So that rows refer to later ones, too, and to each other in circles.
    for (place, (_, refs)) in plans.iter().enumerate().filter(|(place, _)| place % 2 == 0) {
        let key = i32::try_from(place).expect("few rows") + 1;
        let row = world.rows.0.keys().copied().find(|row| row.1 == key);
        world.point(row.expect("it was created"), refs);
    }
    steps.iter().try_for_each(|step| world.take(step))
}

#[test]
fn random_graphs_go_as_the_rules_say() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|it: String| it.parse::<u64>().ok())
    };
    let cases = number("DIESEL_HOOKS_GRAPHS").unwrap_or(256);
    let seed = number("DIESEL_HOOKS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.expect("after 1970").subsec_nanos().into()
    });
    println!("{cases} graphs, DIESEL_HOOKS_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).expect("not that many"),
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(&graph(), run) {
        panic!("DIESEL_HOOKS_SEED={seed}: {error}");
    }
}
