//! From the numbers of a draft to the columns of a row.

use std::collections::BTreeSet;

use diesel_hooks::relation::OnDelete;
use proptest::sample::Index;

use super::kind::{Cells, Kind};
use super::program::Draft;
use super::rows::Rows;
use super::schema::{Relation, Schema};

/// A key that no row has.
pub(crate) const GHOST: i32 = 1_000;

/// What rows are drafted among.
pub(crate) struct Drafts<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) rows: &'a Rows,
    pub(crate) kind: &'a Kind,
    /// What a server makes the key of the first row.
    pub(crate) next_key: Option<i32>,
    /// How many rows were drafted before, which are not there yet.
    pub(crate) ahead: usize,
}

impl Drafts<'_> {
    /// A row to create; none, if it needs a parent and there is none.
    pub(crate) fn new_row(&self, draft: &Draft) -> Option<Cells> {
        let mut cells = Cells::new();
        let columns = self.kind.columns.iter();
        for (column, (roll, index)) in columns.zip(draft.iter().rev()) {
            let value = match self.kind.key.contains(&column.name) {
                true if self.kind.is_generated => self.next_key(),
                true => Some(self.key(*roll, index)),
                false => self.own(*roll, index).or((!column.nullable).then_some(1)),
            };
            cells.insert(column.name, value);
        }
        self.refer(&mut cells, draft, |_| true).then_some(cells)
    }

    /// With the key that the database makes.
    pub(crate) fn with_next_key(&self, mut cells: Cells) -> Cells {
        let key = self.kind.key.iter();
        cells.extend(key.map(|name| (*name, self.next_key())));
        cells
    }

    /// A row that is there, made to refer to other rows.
    pub(crate) fn turned(&self, cells: &Cells, draft: &Draft) -> Cells {
        let mut turned = cells.clone();
        let columns = self.kind.columns.iter();
        for (column, (roll, index)) in columns.zip(draft.iter().rev()) {
            if column.nullable && !self.is_reference(column.name) && roll % 4 == 0 {
                turned.insert(column.name, self.own(*roll, index));
            }
        }
        let is_free = |name: &&str| !self.kind.key.contains(name);
        self.refer(&mut turned, draft, |it| it.info.columns.iter().all(is_free));
        turned
    }

    /// The same for one relation.
    pub(crate) fn turned_once(&self, cells: &Cells, draft: &Draft) -> Cells {
        let mut turned = cells.clone();
        let relations = self.schema.relations_of(self.kind.name);
        let is_free = |name: &&str| !self.kind.key.contains(name);
        let free: Vec<_> = relations
            .filter(|it| it.info.columns.iter().all(is_free))
            .collect();
        if let Some((_, index)) = draft.last().filter(|_| !free.is_empty()) {
            let one = index.get(&free).info.columns;
            self.refer(&mut turned, draft, |it| it.info.columns == one);
        }
        turned
    }

    fn is_reference(&self, column: &str) -> bool {
        let mut relations = self.schema.relations_of(self.kind.name);
        relations.any(|it| it.info.columns.contains(&column))
    }

    /// SQLite makes it one more than the last that is there.
    fn next_key(&self) -> Option<i32> {
        let last = self.rows.of(self.kind.table).last();
        let after_last = || last.map_or(1, |((_, key), _)| key[0] + 1);
        let ahead = i32::try_from(self.ahead).expect("few rows");
        Some(self.next_key.unwrap_or_else(after_last) + ahead)
    }

    fn key(&self, roll: u8, index: &Index) -> i32 {
        let used: Vec<_> = self.rows.of(self.kind.table).collect();
        match roll >= 250 && !used.is_empty() {
            true => index.get(&used).0.1[0],
            false => self.fresh(),
        }
    }

    /// A number that no row of the table has for its own.
    fn fresh(&self) -> i32 {
        let columns = self.kind.columns.iter();
        let own: Vec<_> = columns.filter(|it| !self.is_reference(it.name)).collect();
        let rows = self.rows.of(self.kind.table);
        let values = rows.flat_map(|(_, cells)| own.iter().filter_map(|it| cells[it.name]));
        let ahead = i32::try_from(self.ahead).expect("few rows");
        values.max().unwrap_or_default() + 1 + ahead
    }

    /// The value of a column that refers to nothing, but may be referred to.
    fn own(&self, roll: u8, index: &Index) -> Option<i32> {
        match roll {
            0..60 => None,
            250.. => Some(i32::try_from(index.index(6)).expect("small")),
            _ => Some(self.fresh()),
        }
    }

    /// Fills the columns of these relations in; false, if there is nothing to refer to.
    fn refer(
        &self,
        cells: &mut Cells,
        draft: &Draft,
        is_meant: impl Fn(&Relation) -> bool,
    ) -> bool {
        let relations = self.schema.relations_of(self.kind.name).zip(draft);
        let mut relations: Vec<_> = relations.filter(|(it, _)| is_meant(it)).collect();
        // So that a reference of several columns wins over one of a part of them.
        relations.sort_by_key(|(it, _)| it.info.columns.len());
        for (relation, (roll, index)) in relations {
            let columns = relation.info.columns.iter().copied();
            if is_filled(relation, self.kind, *roll) {
                let targets = self.targets(relation, cells, *roll);
                if !targets.is_empty() {
                    let target = index.get(&targets).iter().map(|it| Some(*it));
                    cells.extend(columns.zip(target));
                    continue;
                }
            }
            let by_others = |name: &&str| {
                let mut others = self.schema.relations_of(self.kind.name);
                others.any(|it| {
                    it.info.columns != relation.info.columns && it.info.columns.contains(name)
                })
            };
            for name in columns.filter(|it| !by_others(it)) {
                match self.is_nullable(name) {
                    true => drop(cells.insert(name, None)),
                    false if relation.info.columns.len() == 1 => return false,
                    false => {}
                }
            }
        }
        true
    }

    fn is_nullable(&self, name: &str) -> bool {
        let mut columns = self.kind.columns.iter();
        columns.any(|it| it.name == name && it.nullable)
    }

    /// What a row can refer to: other rows, itself, and, seldom, one that is not there.
    fn targets(&self, relation: &Relation, cells: &Cells, roll: u8) -> Vec<Vec<i32>> {
        if roll >= 253 {
            return vec![vec![GHOST; relation.info.columns.len()]];
        }
        let parents = self.rows.of(relation.info.parent.table);
        let mut targets: BTreeSet<_> = parents.filter_map(|(_, it)| relation.target(it)).collect();
        let is_self = relation.info.parent.table == self.kind.table && !self.kind.is_generated;
        if is_self {
            targets.extend(relation.target(cells));
        }
        targets.into_iter().collect()
    }
}

/// Whether a column that may be NULL is not, in as many rows of 256 as say what makes good graphs.
fn is_filled(relation: &Relation, kind: &Kind, roll: u8) -> bool {
    let required = |name: &&str| {
        kind.columns
            .iter()
            .any(|it| it.name == *name && !it.nullable)
    };
    let rows = match relation.info.on_delete {
        OnDelete::Cascade => 110,
        OnDelete::Protect => 12,
        OnDelete::Restrict => 25,
        OnDelete::SetNull => 60,
        OnDelete::SetDefault | OnDelete::Set => 40,
        OnDelete::Database => 25,
        _ => 15,
    };
    relation.info.columns.iter().all(required) || roll >= 255 - rows
}
