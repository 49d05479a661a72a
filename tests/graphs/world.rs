//! A database, and what the rules say must be in it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::{Deleted, Error};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use super::chosen::{self, Choice};
use super::drafts::{Drafts, GHOST};
use super::heard::{self, Event, Moment};
use super::kind::{Cells, Kind};
use super::oracle::Delete;
use super::program::{Draft, Operation, Program, Step, Target};
use super::rows::{Row, Rows};
use super::schema::{Clause, Schema};
use super::verdict::{Failure, Verdict};
use super::writes::Writes;
use super::{ring, tree};

type Outcome = Result<(), TestCaseError>;

pub(crate) struct World {
    schema: Schema,
    rows: Rows,
    /// What is to be heard of after the commit.
    pending: Vec<Event>,
    /// How many transactions are open.
    depth: usize,
    /// What was done, for who reads of a failure.
    story: RefCell<String>,
}

/// What an operation returns.
#[derive(Debug, PartialEq)]
enum Answer {
    Nothing,
    Rows(Vec<Cells>),
    Row(Cells, bool),
    Deleted(Deleted),
}

type Work<'a> = Box<dyn FnOnce(&mut SqliteConnection) -> diesel_hooks::Result<Answer> + 'a>;

/// An operation, and what must become of it.
struct Task<'a> {
    /// For who reads of a failure.
    what: String,
    verdict: Verdict,
    /// What it returns; of a delete, the verdict says it.
    answer: Answer,
    /// If it is a delete that somebody hears of, what goes before what.
    order: Option<Delete<'a>>,
    work: Work<'a>,
}

pub(crate) fn run(program: &Program) -> Outcome {
    let kinds = match program.in_circles {
        true => ring::kinds(),
        false => tree::kinds(),
    };
    let schema = Schema::new(kinds, &program.clauses);
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    let story = schema.sql();
    conn.batch_execute(&story).expect("the schema is right");
    let mut world = World {
        schema,
        rows: Rows::default(),
        pending: Vec::new(),
        depth: 0,
        story: story.into(),
    };
    world.go(&mut conn, program).map_err(|error| {
        let story = world.story.borrow();
        TestCaseError::fail(format!("{error}\n{story}"))
    })
}

impl World {
    fn go(&mut self, conn: &mut SqliteConnection, program: &Program) -> Outcome {
        for (model, draft) in &program.rows {
            let create = Operation::Create(*model, draft.clone());
            self.operate(conn, &create, None, Choice::Nothing)?;
        }
        for (target, draft) in &program.turns {
            let save = Operation::Save(target.clone(), draft.clone());
            self.operate(conn, &save, None, Choice::Nothing)?;
        }
        program.steps.iter().try_for_each(|step| self.take(conn, step))
    }

    fn take(&mut self, conn: &mut SqliteConnection, step: &Step) -> Outcome {
        match step {
            Step::Operation {
                operation,
                fail_after,
                choice,
            } => self.operate(conn, operation, *fail_after, *choice),
            Step::Transaction { steps, commits } => self.nest(conn, steps, *commits),
        }
    }

    /// A transaction of the application, or a savepoint inside one.
    fn nest(&mut self, conn: &mut SqliteConnection, steps: &[Step], commits: bool) -> Outcome {
        let before = self.rows.clone();
        let pending = self.pending.len();
        self.depth += 1;
        self.tell("begin");
        let mut inside = Ok(());
        let outcome = conn.transaction(|conn| {
            inside = steps.iter().try_for_each(|step| self.take(conn, step));
            match inside.is_ok() && commits {
                true => Ok(()),
                false => Err(DieselError::RollbackTransaction),
            }
        });
        self.tell(if commits { "commit" } else { "roll back" });
        self.depth -= 1;
        inside?;
        let commits = commits && !self.is_refused_at_commit(&self.rows);
        prop_assert_eq!(outcome.is_ok(), commits, "{:?}", outcome);
        if !commits {
            self.rows = before;
            self.pending.truncate(pending);
        }
        self.after_transaction(conn)
    }

    fn tell(&self, what: &str) {
        *self.story.borrow_mut() += &format!("{}{what}\n", "  ".repeat(self.depth));
    }

    fn is_refused_at_commit(&self, rows: &Rows) -> bool {
        self.depth == 0 && rows.dangles(&self.schema, &[Clause::Deferred])
    }

    /// The database has what the rules say, and what waited for the commit ran if it is over.
    fn after_transaction(&mut self, conn: &mut SqliteConnection) -> Outcome {
        let mut stored = Rows::default();
        for kind in &self.schema.kinds {
            for cells in (kind.stored)(conn) {
                stored.0.entry(kind.row(&cells)).or_default().extend(cells);
            }
        }
        prop_assert_eq!(&stored, &self.rows);
        let due = match self.depth {
            0 => std::mem::take(&mut self.pending),
            _ => Vec::new(),
        };
        prop_assert_eq!(heard::committed(), due);
        Ok(())
    }

    fn operate(
        &mut self,
        conn: &mut SqliteConnection,
        operation: &Operation,
        fail_after: Option<usize>,
        choice: Choice,
    ) -> Outcome {
        if let Operation::Plan(target) = operation {
            return self.plan(conn, target);
        }
        let Some(Task {
            what,
            mut verdict,
            answer,
            order,
            work,
        }) = self.task(operation, choice)
        else {
            return Ok(());
        };
        if self.is_refused_at_commit(&verdict.rows) {
            verdict.commit.insert(Failure::Refused);
        }
        let story = format!("{what}, {choice:?}, receivers fail after {fail_after:?}");
        chosen::choose(choice);
        heard::fail_after(fail_after);
        let outcome = work(conn);
        heard::fail_after(None);
        let events = heard::events();
        let asked = chosen::asked();
        let failure = outcome.as_ref().err().map(Failure::of);
        self.tell(&format!("{story}: {failure:?}"));
        let answers = verdict.answers(fail_after);
        prop_assert!(
            answers.contains(&failure),
            "{outcome:?} where the rules say {answers:?}: {story}"
        );
        match outcome {
            Err(_) => part_of(&events, &verdict)?,
            Ok(returned) => {
                match returned {
                    Answer::Deleted(deleted) => counted(&deleted, &verdict, &events, &self.schema)?,
                    returned => prop_assert_eq!(sorted(returned), sorted(answer)),
                }
                all_heard(&events, &verdict)?;
                prop_assert_eq!(asked, verdict.asked);
                if let Some(order) = order {
                    in_order(&events, &order, &self.schema)?;
                }
                let after = [Moment::PostSave, Moment::PostDelete];
                let posts = events.into_iter().filter(|it| after.contains(&it.moment));
                self.pending.extend(posts);
                self.rows = verdict.rows;
            }
        }
        self.after_transaction(conn)
    }

    /// None, if there is nothing that it could be done to.
    fn task(&self, operation: &Operation, choice: Choice) -> Option<Task<'_>> {
        match operation {
            Operation::Create(model, draft) => self.create(model, draft),
            Operation::CreateMany(model, drafts) => self.create_many(model, drafts),
            Operation::Save(target, draft) => {
                let (kind, cells) = self.target(target)?;
                let to = self.drafts(kind, 0).turned(&cells, draft);
                let what = format!("save {} {}", kind.name, told(&to));
                let verdict = self.writes(kind).update(std::slice::from_ref(&to));
                let row = to.clone();
                let work = move |conn: &mut SqliteConnection| (kind.save)(conn, &row);
                Some(Task::write(what, verdict, to, work))
            }
            Operation::Update(target, draft) => {
                let (kind, cells) = self.target(target)?;
                let to = self.drafts(kind, 0).turned_once(&cells, draft);
                let what = format!("update {} {} to {}", kind.name, told(&cells), told(&to));
                let changed: Vec<_> = (to != cells).then(|| to.clone()).into_iter().collect();
                let verdict = self.writes(kind).update(&changed);
                let row = to.clone();
                let work = move |conn: &mut SqliteConnection| (kind.update)(conn, &cells, &row);
                Some(Task::write(what, verdict, to, work))
            }
            Operation::UpdateSet(target, draft) => {
                let (kind, cells) = self.target(target)?;
                let to = self.drafts(kind, 0).turned(&cells, draft);
                let what = format!("set {} {} to {}", kind.name, told(&cells), told(&to));
                let verdict = self.writes(kind).update_set(&to);
                let row = to.clone();
                let work = move |conn: &mut SqliteConnection| (kind.update_set)(conn, &cells, &row);
                Some(Task::write(what, verdict, to, work))
            }
            Operation::UpdateAll(target, others, draft) => self.update_all(target, others, draft),
            Operation::Upsert(target, draft) => self.upsert(target, draft),
            Operation::GetOrCreate(target, draft) => self.get_or_create(target, draft),
            Operation::Delete(target, most) => {
                let (kind, cells) = self.target(target)?;
                let most = *most;
                let root: BTreeSet<Row> = [kind.row(&cells)].into();
                if self.left_orphans(&root) {
                    return None;
                }
                let what = format!("delete {} {:?}, at most {most:?}", kind.name, kind.row(&cells).1);
                let work = move |conn: &mut SqliteConnection| (kind.delete)(conn, &cells, most);
                Some(self.delete(what, kind, root, choice, most, work))
            }
            Operation::DeleteAll(target, others, most) => {
                let most = *most;
                let (kind, firsts, rows) = self.targets(target, others)?;
                let what = format!("delete each {} of {firsts:?}, at most {most:?}", kind.name);
                let roots = rows.into_iter().map(|cells| kind.row(&cells)).collect();
                let work = move |conn: &mut SqliteConnection| (kind.delete_all)(conn, &firsts, most);
                Some(self.delete(what, kind, roots, choice, most, work))
            }
            Operation::Plan(_) => None,
        }
    }

    fn create(&self, model: &Index, draft: &Draft) -> Option<Task<'_>> {
        let kind = model.get(&self.schema.kinds);
        let cells = self.drafts(kind, 0).new_row(draft)?;
        let verdict = self.writes(kind).create(std::slice::from_ref(&cells));
        let row = cells.clone();
        let what = format!("create {} {}", kind.name, told(&cells));
        let work = move |conn: &mut SqliteConnection| (kind.create)(conn, &row);
        Some(Task::write(what, verdict, cells, work))
    }

    fn create_many(&self, model: &Index, drafts: &[Draft]) -> Option<Task<'_>> {
        let kind = model.get(&self.schema.kinds);
        let drafts = drafts.iter().enumerate();
        let rows = drafts.filter_map(|(ahead, draft)| self.drafts(kind, ahead).new_row(draft));
        let rows: Vec<Cells> = rows.collect();
        let verdict = self.writes(kind).create(&rows);
        let new = rows.clone();
        let what = format!("create many {} {rows:?}", kind.name);
        let work = move |conn: &mut SqliteConnection| (kind.create_many)(conn, &new);
        Some(Task::of(what, verdict, Answer::Rows(rows), work))
    }

    fn update_all(&self, target: &Target, others: &[Index], draft: &Draft) -> Option<Task<'_>> {
        let (kind, firsts, rows) = self.targets(target, others)?;
        let (_, first) = self.target(target)?;
        let to = self.drafts(kind, 0).turned_once(&first, draft);
        let mut change = to.clone();
        change.retain(|name, value| first[name] != *value);
        let with_change = |row: &Cells| {
            let mut row = row.clone();
            row.extend(&change);
            row
        };
        let after: Vec<_> = rows.iter().map(with_change).collect();
        let changed = rows.iter().zip(&after).filter(|(before, after)| before != after);
        let changed: Vec<_> = changed.map(|(_, after)| after.clone()).collect();
        let verdict = self.writes(kind).update(&changed);
        let what = format!("update each {} of {firsts:?} to {change:?}", kind.name);
        let work = move |conn: &mut SqliteConnection| (kind.update_all)(conn, &firsts, &change);
        Some(Task::of(what, verdict, Answer::Rows(after), work))
    }

    fn upsert(&self, target: &Target, draft: &Draft) -> Option<Task<'_>> {
        let (kind, created, cells) = self.new_or_there(target, draft)?;
        if kind.is_generated {
            return None;
        }
        let rows = std::slice::from_ref(&cells);
        let verdict = match created {
            true => self.writes(kind).create(rows),
            false => self.writes(kind).update(rows),
        };
        let row = cells.clone();
        let what = format!("upsert {} {}", kind.name, told(&cells));
        let work = move |conn: &mut SqliteConnection| {
            let outcome = (kind.upsert)(conn, &row);
            outcome.expect("the application makes the key")
        };
        Some(Task::found(what, verdict, (cells, created), work))
    }

    fn get_or_create(&self, target: &Target, draft: &Draft) -> Option<Task<'_>> {
        let (kind, created, cells) = self.new_or_there(target, draft)?;
        let (verdict, found) = match created {
            true => (self.writes(kind).create(std::slice::from_ref(&cells)), cells.clone()),
            false => (Verdict::nothing(&self.rows), kind.part(&self.rows.0[&kind.row(&cells)])),
        };
        let what = format!("get or create {} {}", kind.name, told(&cells));
        let work = move |conn: &mut SqliteConnection| (kind.get_or_create)(conn, &cells);
        Some(Task::found(what, verdict, (found, created), work))
    }

    /// A row that is there, as it is to be, or one that is to be created.
    fn new_or_there(&self, target: &Target, draft: &Draft) -> Option<(&Kind, bool, Cells)> {
        let (kind, cells) = self.target(target)?;
        let drafts = self.drafts(kind, 0);
        let cells = match draft.last().is_some_and(|(roll, _)| roll % 2 == 0) {
            true => drafts.new_row(draft)?,
            false => drafts.turned(&cells, draft),
        };
        let created = !self.rows.0.contains_key(&kind.row(&cells));
        let cells = match created && kind.is_generated {
            true => drafts.with_next_key(cells),
            false => cells,
        };
        Some((kind, created, cells))
    }

    fn delete<'a>(
        &'a self,
        what: String,
        kind: &'a Kind,
        roots: BTreeSet<Row>,
        choice: Choice,
        most: Option<usize>,
        work: impl FnOnce(&mut SqliteConnection) -> diesel_hooks::Result<Deleted> + 'a,
    ) -> Task<'a> {
        let delete = Delete::new(&self.schema, &self.rows, kind.name, roots);
        Task {
            what,
            verdict: delete.verdict(choice, most),
            answer: Answer::Nothing,
            order: Some(delete),
            work: Box::new(|conn| work(conn).map(Answer::Deleted)),
        }
    }

    /// Whether rows refer to one that is gone, where the schema lets them: what becomes of them when it is
    /// deleted again is not promised.
    fn left_orphans(&self, roots: &BTreeSet<Row>) -> bool {
        let mut gone = roots.iter().filter(|row| !self.rows.0.contains_key(*row));
        let refers = |(table, key): &Row| {
            let relations = self.schema.relations.iter();
            let mut relations = relations.filter(|it| it.info.parent.table == *table);
            relations.any(|it| {
                let mut children = self.rows.of(it.info.child.table);
                children.any(|(_, cells)| it.reference(cells).as_ref() == Some(key))
            })
        };
        gone.any(refers)
    }

    fn plan(&mut self, conn: &mut SqliteConnection, target: &Target) -> Outcome {
        let Some((kind, cells)) = self.target(target) else {
            return Ok(());
        };
        let root = kind.row(&cells);
        let outcome = (kind.plan)(conn, &cells);
        if !self.rows.0.contains_key(&root) {
            prop_assert!(matches!(outcome, Err(Error::NotFound { .. })), "{outcome:?}");
            return Ok(());
        }
        let plan = outcome.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let delete = Delete::new(&self.schema, &self.rows, kind.name, [root].into());
        let blocked = !delete.verdict(Choice::Nothing, None).early.is_empty();
        prop_assert_eq!(plan.is_blocked(), blocked, "{}", plan);
        prop_assert_eq!(plan.total(), delete.collected.len(), "{}", plan);
        prop_assert!(heard::events().is_empty());
        self.after_transaction(conn)
    }

    /// A row as a struct sees it.
    fn target(&self, target: &Target) -> Option<(&Kind, Cells)> {
        let rows: Vec<_> = self.rows.0.iter().collect();
        if rows.is_empty() {
            return None;
        }
        let ((table, _), cells) = target.row.get(&rows);
        let kind = *target.struct_.get(&self.schema.kinds_over(table));
        let mut cells = kind.part(cells);
        if target.is_gone {
            cells.extend(kind.key.iter().map(|name| (*name, Some(GHOST))));
        }
        Some((kind, cells))
    }

    /// What a query finds that asks for the first column of some keys.
    fn targets(&self, target: &Target, others: &[Index]) -> Option<(&Kind, Vec<i32>, Vec<Cells>)> {
        let (kind, cells) = self.target(target)?;
        let rows: Vec<_> = self.rows.of(kind.table).collect();
        let mut firsts: Vec<_> = others.iter().map(|it| it.get(&rows).0.1[0]).collect();
        firsts.push(kind.row(&cells).1[0]);
        let rows = rows.into_iter().filter(|((_, key), _)| firsts.contains(&key[0]));
        let rows = rows.map(|(_, cells)| kind.part(cells)).collect();
        Some((kind, firsts, rows))
    }

    fn drafts<'a>(&'a self, kind: &'a Kind, ahead: usize) -> Drafts<'a> {
        Drafts {
            schema: &self.schema,
            rows: &self.rows,
            kind,
            ahead,
        }
    }

    fn writes<'a>(&'a self, kind: &'a Kind) -> Writes<'a> {
        Writes {
            schema: &self.schema,
            rows: &self.rows,
            kind,
        }
    }
}

impl<'a> Task<'a> {
    fn of(
        what: String,
        verdict: Verdict,
        answer: Answer,
        work: impl FnOnce(&mut SqliteConnection) -> diesel_hooks::Result<Vec<Cells>> + 'a,
    ) -> Self {
        Task {
            what,
            verdict,
            answer,
            order: None,
            work: Box::new(|conn| work(conn).map(Answer::Rows)),
        }
    }

    /// Of one row, which then is so.
    fn write(
        what: String,
        verdict: Verdict,
        row: Cells,
        work: impl FnOnce(&mut SqliteConnection) -> diesel_hooks::Result<Cells> + 'a,
    ) -> Self {
        Task::of(what, verdict, Answer::Rows(vec![row]), |conn| Ok(vec![work(conn)?]))
    }

    fn found(
        what: String,
        verdict: Verdict,
        (row, created): (Cells, bool),
        work: impl FnOnce(&mut SqliteConnection) -> diesel_hooks::Result<(Cells, bool)> + 'a,
    ) -> Self {
        Task {
            what,
            verdict,
            answer: Answer::Row(row, created),
            order: None,
            work: Box::new(|conn| work(conn).map(|(row, created)| Answer::Row(row, created))),
        }
    }
}

/// The columns that are not NULL.
fn told(cells: &Cells) -> String {
    let columns = cells.iter().filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)));
    columns.collect::<Vec<_>>().join(" ")
}

/// Rows in any order.
fn sorted(mut answer: Answer) -> Answer {
    if let Answer::Rows(rows) = &mut answer {
        rows.sort_unstable();
    }
    answer
}

/// What was heard of an operation that failed is a part of what is heard of it, in phases.
fn part_of(events: &[Event], verdict: &Verdict) -> Outcome {
    let mut all: Vec<_> = verdict.before.iter().chain(&verdict.after).collect();
    for event in events {
        let place = all.iter().position(|it| *it == event);
        prop_assert!(place.is_some(), "{event:?} in {events:?}");
        all.swap_remove(place.unwrap_or_default());
    }
    in_phases(events)
}

/// All before the write, then all after it, except those of rows that may be gone before their turn.
fn all_heard(events: &[Event], verdict: &Verdict) -> Outcome {
    let (before, after) = phases(events);
    let sorted = |events: &[Event]| {
        let mut events = events.to_vec();
        events.sort_unstable();
        events
    };
    prop_assert_eq!(sorted(before), sorted(&verdict.before));
    if verdict.maybe_uncounted.is_empty() {
        prop_assert_eq!(sorted(after), sorted(&verdict.after));
    }
    part_of(events, verdict)
}

fn phases(events: &[Event]) -> (&[Event], &[Event]) {
    let before = [Moment::PreSave, Moment::PreDelete];
    events.split_at(events.partition_point(|it| before.contains(&it.moment)))
}

fn in_phases(events: &[Event]) -> Outcome {
    let (_, after) = phases(events);
    let late = after.iter().find(|it| matches!(it.moment, Moment::PreSave | Moment::PreDelete));
    prop_assert_eq!(late, None);
    Ok(())
}

/// Each model's rows are counted, those of which somebody hears as they are heard of.
fn counted(deleted: &Deleted, verdict: &Verdict, events: &[Event], schema: &Schema) -> Outcome {
    prop_assert_eq!(deleted.total, deleted.by_model.values().sum::<usize>());
    let known = |model: &&&str| verdict.deleted.contains_key(**model);
    prop_assert_eq!(deleted.by_model.keys().find(|it| !known(it)), None);
    for (model, most) in &verdict.deleted {
        let count = deleted.by_model.get(model).copied().unwrap_or_default();
        let maybe = verdict.maybe_uncounted.get(model).copied().unwrap_or_default();
        prop_assert!((most - maybe..=*most).contains(&count), "{count} {model} of {most}");
        if schema.kind(model).hears(Moment::PostDelete) {
            let went = |it: &&Event| it.moment == Moment::PostDelete && it.model == *model;
            prop_assert_eq!(count, events.iter().filter(went).count());
        }
    }
    Ok(())
}

/// What depends on a row is heard of before it.
fn in_order(events: &[Event], delete: &Delete<'_>, schema: &Schema) -> Outcome {
    for moment in [Moment::PreDelete, Moment::PostDelete] {
        let these = events.iter().filter(|it| it.moment == moment);
        let rows: Vec<Row> = these.map(|it| schema.kind(it.model).row(&it.row)).collect();
        for (at, row) in rows.iter().enumerate() {
            let late = rows[at + 1..].iter().find(|later| delete.goes_first(later, row));
            prop_assert_eq!(late, None, "it depends on {:?}", row);
        }
    }
    Ok(())
}
