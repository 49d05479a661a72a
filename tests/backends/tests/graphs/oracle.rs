//! What Django's rules say of a delete, written naively over rows in memory.

use std::collections::{BTreeMap, BTreeSet};

use backends::{System, system};
use diesel_hooks::relation::OnDelete;

use super::chosen::{Choice, DEFAULT};
use super::heard::{Event, Moment};
use super::rows::{Row, Rows};
use super::schema::{Clause, Relation, Schema};
use super::verdict::{Blockers, Failure, Verdict};

/// Rows, and the models by which a delete came to each.
type Collected = BTreeMap<Row, BTreeSet<&'static str>>;

/// A delete of some rows as rows of a model.
pub(crate) struct Delete<'a> {
    schema: &'a Schema,
    rows: &'a Rows,
    pub(crate) collected: Collected,
}

impl<'a> Delete<'a> {
    /// Collects what goes with these rows, themselves included.
    pub(crate) fn new(
        schema: &'a Schema,
        rows: &'a Rows,
        model: &'static str,
        roots: BTreeSet<Row>,
    ) -> Self {
        let roots = roots.into_iter().filter(|row| rows.0.contains_key(row));
        let mut collected: Collected = roots.map(|row| (row, [model].into())).collect();
        loop {
            let gone = collected.keys().cloned().collect();
            let before: usize = collected.values().map(BTreeSet::len).sum();
            for relation in by(schema, OnDelete::Cascade) {
                for child in rows.referring(relation, &gone) {
                    let models = collected.entry(child).or_default();
                    models.insert(relation.info.child.name);
                }
            }
            if collected.values().map(BTreeSet::len).sum::<usize>() == before {
                return Delete {
                    schema,
                    rows,
                    collected,
                };
            }
        }
    }

    pub(crate) fn verdict(&self, choice: Choice, most: Option<usize>) -> Verdict {
        let mut verdict = Verdict::nothing(self.rows);
        if let Some(failure) = self.blocked(most) {
            verdict.early.insert(failure);
            return verdict;
        }
        verdict.before = self.events(Moment::PreDelete);
        verdict.after = self.events(Moment::PostDelete);
        self.write(choice, &mut verdict);
        verdict
    }

    /// First some rows are made to refer to something else, then others go, and the database has its say.
    fn write(&self, choice: Choice, verdict: &mut Verdict) {
        let mut replaced = self.rows.clone();
        self.replace(&mut replaced, choice, verdict);
        if replaced.dangles(self.schema, Clause::IMMEDIATE) {
            verdict.late.insert(Failure::Refused);
        }
        let by_database = self.by_database(&replaced);
        verdict.rows = self.without(&replaced, &by_database);
        verdict.late.extend(self.refused(&verdict.rows));
        if self.may_be_refused(&replaced, &by_database) {
            verdict.maybe.insert(Failure::Refused);
        }
        if system() == System::Mysql {
            let refused = match by_database.is_empty() {
                true => &mut verdict.late,
                false => &mut verdict.maybe,
            };
            refused.extend(self.keeps_itself().then_some(Failure::Refused));
        }
        if self.names_what_goes(&replaced) {
            // Which of the two is told depends on the row that is refused first.
            for failures in [&mut verdict.late, &mut verdict.maybe] {
                if failures.contains(&Failure::Refused) {
                    failures.insert(Failure::Set);
                } else if failures.contains(&Failure::Set) && !by_database.is_empty() {
                    failures.insert(Failure::Refused);
                }
            }
        }
        verdict.deleted = self.count(|_| true);
        verdict.maybe_uncounted = self.count(|row| by_database.contains(row));
    }

    fn gone(&self) -> BTreeSet<Row> {
        self.collected.keys().cloned().collect()
    }

    /// Why nothing is even announced.
    fn blocked(&self, most: Option<usize>) -> Option<Failure> {
        if most.is_some_and(|most| self.collected.len() > most) {
            return Some(Failure::TooManyRows);
        }
        let protecting = self.blockers(OnDelete::Protect, |_| true);
        if !protecting.is_empty() {
            return Some(Failure::Protected(protecting));
        }
        let stays = |row: &Row| !self.collected.contains_key(row);
        let restricting = self.blockers(OnDelete::Restrict, stays);
        if !restricting.is_empty() {
            return Some(Failure::Restricted(restricting));
        }
        self.has_closed_circle().then_some(Failure::Cycle)
    }

    /// The relations and keys of rows that refer to what goes.
    fn blockers(&self, on_delete: OnDelete, blocks: impl Fn(&Row) -> bool) -> Blockers {
        let gone = self.gone();
        let mut blockers = BTreeSet::new();
        for relation in by(self.schema, on_delete) {
            for row in self.rows.referring(relation, &gone) {
                if blocks(&row) {
                    let key = self.schema.key_text(row.0, &row.1);
                    blockers.insert((relation.name(), key));
                }
            }
        }
        blockers
    }

    /// Whether rows of several tables refer to each other and none of them can refer to nothing instead.
    fn has_closed_circle(&self) -> bool {
        let leads_to = |row: &Row| self.reach(row, |it| !it.nullable);
        let reach: BTreeMap<_, _> = self.collected.keys().map(|it| (it, leads_to(it))).collect();
        reach.iter().any(|(row, parents)| {
            let other_tables = parents.iter().filter(|parent| parent.0 != row.0);
            let mut back = other_tables.map(|parent| &reach[parent]);
            back.any(|parents| parents.contains(row))
        })
    }

    /// The rows that go and to which this one refers, directly or not, by such relations.
    fn reach(&self, row: &Row, follows: impl Fn(&Relation) -> bool) -> BTreeSet<Row> {
        let mut seen = BTreeSet::new();
        let mut open = vec![row.clone()];
        while let Some(row) = open.pop() {
            let relations = self.schema.relations.iter();
            for relation in relations.filter(|it| it.orders() && follows(it)) {
                if let Some(parent) = self.rows.parent(relation, &row)
                    && self.collected.contains_key(&parent)
                    && seen.insert(parent.clone())
                {
                    open.push(parent);
                }
            }
        }
        seen
    }

    /// Whether one row has to go before another, and the other not before it.
    pub(crate) fn goes_first(&self, row: &Row, other: &Row) -> bool {
        let leads = |from, to| self.reach(from, |_| true).contains(to);
        leads(row, other) && !leads(other, row)
    }

    /// A row is heard by its struct that somebody listens to, if a relation leads to it.
    fn model(&self, row: &Row) -> &'static str {
        let models = &self.collected[row];
        let is_heard = |model: &&&str| self.schema.kind(model).hears(Moment::PreDelete);
        let first = models.first().expect("something led to it");
        models.iter().find(is_heard).unwrap_or(first)
    }

    fn events(&self, moment: Moment) -> Vec<Event> {
        let rows = self.collected.keys().filter_map(|row| {
            let kind = self.schema.kind(self.model(row));
            kind.event(moment, &self.rows.0[row])
        });
        rows.collect()
    }

    fn count(&self, counts: impl Fn(&Row) -> bool) -> BTreeMap<&'static str, usize> {
        let mut by_model = BTreeMap::new();
        for row in self.collected.keys().filter(|row| counts(row)) {
            *by_model.entry(self.model(row)).or_default() += 1;
        }
        by_model
    }

    /// Makes the rows that stay refer to something else.
    fn replace(&self, rows: &mut Rows, choice: Choice, verdict: &mut Verdict) {
        let gone = self.gone();
        for relation in self.schema.relations.iter().filter(|it| it.replaces()) {
            let children = self.rows.referring(relation, &gone).into_iter();
            let staying: Vec<Row> = children.filter(|row| !gone.contains(row)).collect();
            if staying.is_empty() {
                continue;
            }
            verdict.asked += usize::from(relation.asks);
            if relation.asks && choice == Choice::Failure {
                verdict.late.insert(Failure::Set);
                continue;
            }
            let by = match relation.info.on_delete {
                OnDelete::SetNull => None,
                OnDelete::SetDefault => Some(DEFAULT),
                _ if relation.nullable => choice.key(),
                _ => Some(choice.key().unwrap_or(DEFAULT)),
            };
            for row in staying {
                rows.set(&row, relation.info.columns, by);
            }
        }
    }

    /// The rows that the database takes with another one.
    fn by_database(&self, rows: &Rows) -> BTreeSet<Row> {
        let mut gone = self.gone();
        let mut taken = BTreeSet::new();
        loop {
            let known = taken.len();
            for relation in &self.schema.relations {
                if relation.clause == Clause::Cascade {
                    let itself = |row: &Row| rows.parent(relation, row).as_ref() == Some(row);
                    let children = rows.referring(relation, &gone).into_iter();
                    taken.extend(children.filter(|row| !itself(row)));
                }
            }
            gone.extend(taken.iter().cloned());
            if taken.len() == known {
                return taken;
            }
        }
    }

    /// The rows that are left.
    fn without(&self, rows: &Rows, by_database: &BTreeSet<Row>) -> Rows {
        let gone: BTreeSet<Row> = self.collected.keys().chain(by_database).cloned().collect();
        let mut left = rows.clone();
        for relation in &self.schema.relations {
            if relation.clause == Clause::SetNull {
                for row in rows.referring(relation, &gone) {
                    left.set(&row, relation.info.columns, None);
                }
            }
        }
        left.0.retain(|row, _| !gone.contains(row));
        left
    }

    /// Whether a row refers to one that goes because it was made to.
    fn names_what_goes(&self, rows: &Rows) -> bool {
        let gone = self.gone();
        let relations = self.schema.relations.iter();
        let mut named = relations
            .filter(|it| it.replaces())
            .flat_map(|it| rows.referring(it, &gone));
        named.any(|row| !gone.contains(&row))
    }

    /// Whether a row refers to itself that nothing makes refer to something else: MySQL deletes none.
    fn keeps_itself(&self) -> bool {
        let relations = self.schema.relations.iter();
        let mut kept =
            relations.filter(|it| it.clause == Clause::NoAction && !it.orders() && !it.replaces());
        kept.any(|relation| {
            let mut rows = self.collected.keys();
            rows.any(|row| self.rows.parent(relation, row).as_ref() == Some(row))
        })
    }

    /// How the database refuses to leave rows that refer to nothing.
    fn refused(&self, rows: &Rows) -> BTreeSet<Failure> {
        let relations = self.schema.relations.iter();
        let dangling = relations.flat_map(|it| {
            let rows = rows.dangling(it, Clause::IMMEDIATE);
            rows.into_iter().map(move |row| (it, row))
        });
        let failures = dangling.flat_map(|(relation, row)| {
            let parent = self.rows.referred(relation, &rows.0[&row]);
            let goes = parent.is_some_and(|it| self.collected.contains_key(&it));
            // What it was made to refer to goes as well.
            match relation.replaces() && goes {
                true if self.is_told_little(relation) => vec![Failure::Set, Failure::Refused],
                true => vec![Failure::Set],
                false => vec![Failure::Refused],
            }
        });
        failures.collect()
    }

    /// Whether PostgreSQL's refusal is not explained: of rows that are not loaded, or may be taken by others.
    fn is_told_little(&self, relation: &Relation) -> bool {
        let parent = relation.info.parent.table;
        let mut over = self.schema.kinds_over(parent).into_iter();
        let own = |it: &Relation| {
            let ends = (it.info.child.table, it.info.parent.table);
            ends == (parent, parent) && it.info.on_delete == OnDelete::Database
        };
        system() == System::Postgres
            && (!over.any(|it| it.hears(Moment::PreDelete))
                || self.schema.relations.iter().any(own))
    }

    /// Whether it is up to the order of statements, which no relation says, that the database refuses one.
    fn may_be_refused(&self, replaced: &Rows, by_database: &BTreeSet<Row>) -> bool {
        let goes = |row: &Row| self.collected.contains_key(row);
        let is_taken = |row: &Row| by_database.contains(row);
        let taken: Vec<_> = by_database.iter().filter(|row| !goes(row)).collect();
        let relations = self.schema.relations.iter();
        let mut checked = relations.filter(|it| it.clause == Clause::NoAction);
        checked.any(|relation| {
            use OnDelete::{Database, DoNothing};
            let unordered = matches!(relation.info.on_delete, DoNothing | Database);
            let other = |rows: &Rows, row| rows.parent(relation, row).filter(|it| it != row);
            let mut before_ours = self
                .collected
                .keys()
                .filter_map(|row| other(self.rows, row));
            let mut before_taken = taken.iter().filter_map(|row| other(replaced, row));
            before_ours.any(|it| is_taken(&it) || (unordered && goes(&it)))
                || before_taken.any(|it| is_taken(&it) || goes(&it))
        })
    }
}

fn by(schema: &Schema, on_delete: OnDelete) -> impl Iterator<Item = &Relation> {
    let relations = schema.relations.iter();
    relations.filter(move |it| it.info.on_delete == on_delete)
}
