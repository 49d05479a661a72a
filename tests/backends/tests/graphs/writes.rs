//! What creates and updates do to rows.

use backends::{System, system};

use super::heard::Moment;
use super::kind::{Cells, Kind};
use super::rows::{Row, Rows};
use super::schema::{Clause, Schema};
use super::verdict::{Failure, Verdict};

/// Writes to rows of one model.
pub(crate) struct Writes<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) rows: &'a Rows,
    pub(crate) kind: &'a Kind,
}

impl Writes<'_> {
    pub(crate) fn row(&self, cells: &Cells) -> Row {
        self.kind.row(cells)
    }

    /// The row as all structs over its table see it.
    fn whole(&self, cells: &Cells) -> Cells {
        let stored = self.rows.0.get(&self.row(cells)).cloned();
        let nothing = || {
            let columns = self.schema.columns(self.kind.table);
            columns.iter().map(|it| (it.name, None)).collect()
        };
        let mut whole: Cells = stored.unwrap_or_else(nothing);
        whole.extend(cells);
        whole
    }

    /// What creating these rows does, the keys included that the database makes.
    pub(crate) fn create(&self, new: &[Cells]) -> Verdict {
        let mut verdict = Verdict::nothing(self.rows);
        let mut taken = false;
        for cells in new {
            let mut given = cells.clone();
            given.retain(|name, _| !self.kind.is_generated || !self.kind.key.contains(name));
            verdict
                .before
                .extend(self.kind.event(Moment::PreSave, &given));
            verdict
                .after
                .extend(self.kind.event(Moment::PostSave, cells));
            taken |= verdict.rows.0.contains_key(&self.row(cells));
            if taken && system() == System::Mysql {
                self.judge(&mut verdict, taken, true);
            }
            verdict.rows.0.insert(self.row(cells), self.whole(cells));
        }
        self.judge(&mut verdict, taken, new.len() > 1);
        verdict
    }

    /// What writing these columns of rows does, which are there or not.
    pub(crate) fn update(&self, changed: &[Cells]) -> Verdict {
        let mut verdict = Verdict::nothing(self.rows);
        for cells in changed {
            verdict
                .before
                .extend(self.kind.event(Moment::PreSave, cells));
            if !self.rows.0.contains_key(&self.row(cells)) {
                verdict.late.insert(Failure::NotFound);
                return verdict;
            }
            verdict
                .after
                .extend(self.kind.event(Moment::PostSave, cells));
            verdict.rows.0.insert(self.row(cells), self.whole(cells));
        }
        self.judge(&mut verdict, false, changed.len() > 1);
        verdict
    }

    /// A changeset runs before anybody hears of it.
    pub(crate) fn update_set(&self, cells: &Cells) -> Verdict {
        let mut verdict = self.update(std::slice::from_ref(cells));
        verdict.early.append(&mut verdict.late);
        verdict
    }

    /// What the database says of the rows as they would be; of several statements, the first that it refuses
    /// tells. MySQL looks at one index after the other, and the others at foreign keys last.
    fn judge(&self, verdict: &mut Verdict, taken: bool, several: bool) {
        let refused = verdict.rows.dangles(self.schema, Clause::IMMEDIATE);
        let taken = taken || verdict.rows.clashes(self.schema, self.kind.table);
        if taken {
            verdict.late.insert(Failure::Taken);
        }
        if refused && (several || !taken || system() == System::Mysql) {
            verdict.late.insert(Failure::Refused);
        }
    }
}
