//! From the operations of a program to what is done and what must become of it.

use std::collections::{BTreeMap, BTreeSet};

use backends::TestConnection;
use diesel_hooks::Deleted;
use proptest::sample::Index;

use super::chosen::Choice;
use super::drafts::{Drafts, GHOST};
use super::kind::{Cells, Kind};
use super::oracle::Delete;
use super::program::{Draft, Operation, Target};
use super::rows::{Row, Rows};
use super::schema::Schema;
use super::verdict::Verdict;
use super::writes::Writes;

/// What an operation returns.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Nothing,
    Rows(Vec<Cells>),
    Row(Cells, bool),
    Deleted(Deleted),
}

pub(crate) type Work<'a> =
    Box<dyn FnOnce(&mut TestConnection) -> diesel_hooks::Result<Answer> + 'a>;

/// An operation, and what must become of it.
pub(crate) struct Task<'a> {
    /// For who reads of a failure.
    pub(crate) what: String,
    pub(crate) verdict: Verdict,
    /// What it returns; of a delete, the verdict says it.
    pub(crate) answer: Answer,
    /// If it is a delete that somebody hears of, what goes before what.
    pub(crate) order: Option<Delete<'a>>,
    pub(crate) work: Work<'a>,
}

/// What the operations of a program choose among.
pub(crate) struct Tasks<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) rows: &'a Rows,
    /// By table, where a server makes them.
    pub(crate) next_keys: BTreeMap<&'static str, i32>,
}

impl<'a> Tasks<'a> {
    /// None, if there is nothing that it could be done to.
    pub(crate) fn task(&self, operation: &Operation, choice: Choice) -> Option<Task<'a>> {
        match operation {
            Operation::Create(model, draft) => self.create(model, draft),
            Operation::CreateMany(model, drafts) => self.create_many(model, drafts),
            Operation::Save(target, draft) => {
                let (kind, cells) = self.target(target)?;
                let to = self.drafts(kind, 0).turned(&cells, draft);
                let what = format!("save {} {}", kind.name, told(&to));
                let verdict = self.writes(kind).update(std::slice::from_ref(&to));
                let row = to.clone();
                let work = move |conn: &mut TestConnection| (kind.save)(conn, &row);
                Some(Task::write(what, verdict, to, work))
            }
            Operation::Update(target, draft) => {
                let (kind, cells) = self.target(target)?;
                let to = self.drafts(kind, 0).turned_once(&cells, draft);
                let what = format!("update {} {} to {}", kind.name, told(&cells), told(&to));
                let changed: Vec<_> = (to != cells).then(|| to.clone()).into_iter().collect();
                let verdict = self.writes(kind).update(&changed);
                let row = to.clone();
                let work = move |conn: &mut TestConnection| (kind.update)(conn, &cells, &row);
                Some(Task::write(what, verdict, to, work))
            }
            Operation::UpdateSet(target, draft) => {
                let (kind, cells) = self.target(target)?;
                let to = self.drafts(kind, 0).turned(&cells, draft);
                let what = format!("set {} {} to {}", kind.name, told(&cells), told(&to));
                let verdict = self.writes(kind).update_set(&to);
                let row = to.clone();
                let work = move |conn: &mut TestConnection| (kind.update_set)(conn, &cells, &row);
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
                let what = format!(
                    "delete {} {:?}, at most {most:?}",
                    kind.name,
                    kind.row(&cells).1
                );
                let work = move |conn: &mut TestConnection| (kind.delete)(conn, &cells, most);
                Some(self.delete(what, kind, root, choice, most, work))
            }
            Operation::DeleteAll(target, others, most) => {
                let most = *most;
                let (kind, firsts, rows) = self.targets(target, others)?;
                let what = format!("delete each {} of {firsts:?}, at most {most:?}", kind.name);
                let roots = rows.into_iter().map(|cells| kind.row(&cells)).collect();
                let work = move |conn: &mut TestConnection| (kind.delete_all)(conn, &firsts, most);
                Some(self.delete(what, kind, roots, choice, most, work))
            }
            Operation::Plan(_) => None,
        }
    }

    fn create(&self, model: &Index, draft: &Draft) -> Option<Task<'a>> {
        let kind = model.get(&self.schema.kinds);
        let cells = self.drafts(kind, 0).new_row(draft)?;
        let verdict = self.writes(kind).create(std::slice::from_ref(&cells));
        let row = cells.clone();
        let what = format!("create {} {}", kind.name, told(&cells));
        let work = move |conn: &mut TestConnection| (kind.create)(conn, &row);
        Some(Task::write(what, verdict, cells, work))
    }

    fn create_many(&self, model: &Index, drafts: &[Draft]) -> Option<Task<'a>> {
        let kind = model.get(&self.schema.kinds);
        let drafts = drafts.iter().enumerate();
        let rows = drafts.filter_map(|(ahead, draft)| self.drafts(kind, ahead).new_row(draft));
        let rows: Vec<Cells> = rows.collect();
        let verdict = self.writes(kind).create(&rows);
        let new = rows.clone();
        let what = format!("create many {} {rows:?}", kind.name);
        let work = move |conn: &mut TestConnection| (kind.create_many)(conn, &new);
        Some(Task::of(what, verdict, Answer::Rows(rows), work))
    }

    fn update_all(&self, target: &Target, others: &[Index], draft: &Draft) -> Option<Task<'a>> {
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
        let changed = rows
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after);
        let changed: Vec<_> = changed.map(|(_, after)| after.clone()).collect();
        let verdict = self.writes(kind).update(&changed);
        let what = format!("update each {} of {firsts:?} to {change:?}", kind.name);
        let work = move |conn: &mut TestConnection| (kind.update_all)(conn, &firsts, &change);
        Some(Task::of(what, verdict, Answer::Rows(after), work))
    }

    fn upsert(&self, target: &Target, draft: &Draft) -> Option<Task<'a>> {
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
        let work = move |conn: &mut TestConnection| {
            let outcome = (kind.upsert)(conn, &row);
            outcome.expect("the application makes the key")
        };
        Some(Task::found(what, verdict, (cells, created), work))
    }

    fn get_or_create(&self, target: &Target, draft: &Draft) -> Option<Task<'a>> {
        let (kind, created, cells) = self.new_or_there(target, draft)?;
        let (verdict, found) = match created {
            true => (
                self.writes(kind).create(std::slice::from_ref(&cells)),
                cells.clone(),
            ),
            false => (
                Verdict::nothing(self.rows),
                kind.part(&self.rows.0[&kind.row(&cells)]),
            ),
        };
        let what = format!("get or create {} {}", kind.name, told(&cells));
        let work = move |conn: &mut TestConnection| (kind.get_or_create)(conn, &cells);
        Some(Task::found(what, verdict, (found, created), work))
    }

    /// A row that is there, as it is to be, or one that is to be created.
    fn new_or_there(&self, target: &Target, draft: &Draft) -> Option<(&'a Kind, bool, Cells)> {
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

    fn delete(
        &self,
        what: String,
        kind: &'a Kind,
        roots: BTreeSet<Row>,
        choice: Choice,
        most: Option<usize>,
        work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result<Deleted> + 'a,
    ) -> Task<'a> {
        let delete = Delete::new(self.schema, self.rows, kind.name, roots);
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

    /// A row as a struct sees it.
    pub(crate) fn target(&self, target: &Target) -> Option<(&'a Kind, Cells)> {
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
    fn targets(
        &self,
        target: &Target,
        others: &[Index],
    ) -> Option<(&'a Kind, Vec<i32>, Vec<Cells>)> {
        let (kind, cells) = self.target(target)?;
        let rows: Vec<_> = self.rows.of(kind.table).collect();
        let mut firsts: Vec<_> = others.iter().map(|it| it.get(&rows).0.1[0]).collect();
        firsts.push(kind.row(&cells).1[0]);
        let rows = rows
            .into_iter()
            .filter(|((_, key), _)| firsts.contains(&key[0]));
        let rows = rows.map(|(_, cells)| kind.part(cells)).collect();
        Some((kind, firsts, rows))
    }

    fn drafts(&self, kind: &'a Kind, ahead: usize) -> Drafts<'a> {
        Drafts {
            schema: self.schema,
            rows: self.rows,
            kind,
            next_key: self.next_keys.get(kind.table).copied(),
            ahead,
        }
    }

    fn writes(&self, kind: &'a Kind) -> Writes<'a> {
        Writes {
            schema: self.schema,
            rows: self.rows,
            kind,
        }
    }
}

impl<'a> Task<'a> {
    fn of(
        what: String,
        verdict: Verdict,
        answer: Answer,
        work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result<Vec<Cells>> + 'a,
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
        work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result<Cells> + 'a,
    ) -> Self {
        Task::of(what, verdict, Answer::Rows(vec![row]), |conn| {
            Ok(vec![work(conn)?])
        })
    }

    fn found(
        what: String,
        verdict: Verdict,
        (row, created): (Cells, bool),
        work: impl FnOnce(&mut TestConnection) -> diesel_hooks::Result<(Cells, bool)> + 'a,
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
    let columns = cells
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)));
    columns.collect::<Vec<_>>().join(" ")
}
