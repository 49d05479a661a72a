//! What can depend on the rows of a table, by the relations alone, and so what a delete need not load.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};

use super::Turn;
use crate::connection::RawConnection;
use crate::error::Result;
use crate::model::Persist;
use crate::relation::OnDelete;

/// Whether a statement on some table may do more than it says, on the connection that this takes.
type Surprises = fn(&mut dyn Any) -> bool;

/// The tables that a delete from one of them can reach.
///
/// Rows go without being loaded where nobody hears of them nor of what depends on them. Those of tables that
/// depend on each other in a circle are loaded, since only their keys tell where that ends, and those that may
/// restrict or are given another parent, with what they then refer to, since it must be known whether they go
/// too. So must those that would go by a column that becomes NULL before.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// The tables whose rows are loaded.
    loaded: HashSet<TypeId>,
    /// The tables under which something may block.
    guarded: HashSet<TypeId>,
    /// Whether the database itself takes rows of some of them.
    by_database: bool,
    /// Whether rows that depend on some are made to refer to something else.
    replaces: bool,
    /// Whether a statement on one of them may do more than it says.
    surprises: Vec<Surprises>,
    /// The tables on which nothing depends and to which only one relation leads: no row is reached twice.
    sole: HashSet<TypeId>,
}

impl Reach {
    /// Of a delete of rows of `M`.
    pub(crate) fn of<M: Persist<C>, C: RawConnection>() -> Result<Self> {
        let mut survey = Survey::default();
        survey.visit::<M, C>()?;
        Ok(survey.reach())
    }

    pub(super) fn loads(&self, table: TypeId) -> bool {
        self.loaded.contains(&table)
    }

    /// Whether rows that were found may be gone before it is their turn, by no statement of ours.
    pub(super) fn surprises<C: RawConnection>(&self, conn: &mut C) -> bool {
        self.by_database || self.surprises.iter().any(|surprises| surprises(conn))
    }

    pub(super) fn is_sole(&self, table: TypeId) -> bool {
        self.sole.contains(&table)
    }

    /// In which order rows that nobody loads are ended: no UPDATE may name a row that a DELETE took before it.
    pub(super) fn turns(&self) -> &'static [Turn] {
        match self.replaces {
            true => &[Turn::Updates, Turn::Deletes],
            false => &[Turn::Deletes],
        }
    }

    pub(super) fn may_block(&self, table: TypeId) -> bool {
        self.guarded.contains(&table)
    }
}

/// Goes from a model to those that refer to it, each once.
#[derive(Default)]
pub(crate) struct Survey {
    models: HashSet<TypeId>,
    tables: Vec<Table>,
    /// How many relations lead to a table, whatever they say.
    ways: HashMap<TypeId, usize>,
    by_database: bool,
    replaces: bool,
    surprises: Vec<Surprises>,
    /// The columns by which rows go.
    cascading: Vec<Columns>,
    /// Those that become NULL when rows of a table go.
    nulled: Vec<(usize, Columns)>,
}

/// Columns of a table.
#[derive(Clone, Copy)]
struct Columns {
    table: TypeId,
    names: &'static [&'static str],
}

impl Columns {
    /// Whether some but not all of them are the same.
    fn share(&self, other: &Columns) -> bool {
        let both = |name| other.names.contains(name);
        self.table == other.table && self.names != other.names && self.names.iter().any(both)
    }
}

struct Table {
    id: TypeId,
    heard: bool,
    blocked: bool,
    has_dependents: bool,
    /// The tables whose rows go with these, by their places.
    children: HashSet<usize>,
    /// The tables whose rows restrict these or are given another parent, unless they go too.
    told_apart: HashSet<TypeId>,
}

impl Survey {
    pub(crate) fn visit<M: Persist<C>, C: RawConnection>(&mut self) -> Result<()> {
        let hooks = M::hooks()?;
        let table = self.place(TypeId::of::<M::Table>());
        self.tables[table].heard |= hooks.hears_delete();
        if !self.models.insert(TypeId::of::<M>()) {
            return Ok(());
        }
        self.tables[table].has_dependents |= !hooks.relations.is_empty();
        self.surprises
            .push(|conn| conn.downcast_mut::<C>().is_some_and(M::guarded));
        for relation in &hooks.relations {
            *self.ways.entry(relation.child_table()).or_default() += 1;
            let columns = Columns {
                table: relation.child_table(),
                names: relation.info().columns,
            };
            self.replaces |= relation.on_delete().replaces();
            match relation.on_delete() {
                OnDelete::Protect => self.tables[table].blocked = true,
                OnDelete::Restrict => {
                    self.tables[table].blocked = true;
                    self.tables[table].told_apart.insert(relation.child_table());
                }
                OnDelete::SetDefault | OnDelete::Set => {
                    self.tables[table].told_apart.insert(relation.child_table());
                }
                OnDelete::SetNull => self.nulled.push((table, columns)),
                OnDelete::Cascade => {
                    self.cascading.push(columns);
                    let child = self.place(relation.child_table());
                    self.tables[table].children.insert(child);
                    relation.survey(self)?;
                }
                OnDelete::Database => self.by_database = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn place(&mut self, id: TypeId) -> usize {
        let known = self.tables.iter().position(|table| table.id == id);
        known.unwrap_or_else(|| {
            self.tables.push(Table {
                id,
                heard: false,
                blocked: false,
                has_dependents: false,
                children: HashSet::new(),
                told_apart: HashSet::new(),
            });
            self.tables.len() - 1
        })
    }

    fn reach(mut self) -> Reach {
        // A column that became NULL would not lead to the row any more.
        for (table, nulled) in &self.nulled {
            if self.cascading.iter().any(|it| it.share(nulled)) {
                self.tables[*table].told_apart.insert(nulled.table);
            }
        }
        let mut reach = Reach {
            by_database: self.by_database,
            replaces: self.replaces,
            ..Reach::default()
        };
        let told_apart: HashSet<_> = self.tables.iter().flat_map(|it| &it.told_apart).collect();
        let may_go = |id: &TypeId| self.tables.iter().any(|it| it.id == *id);
        for (place, table) in self.tables.iter().enumerate() {
            let below = self.below(place);
            let in_circle = |at: &usize| self.below(*at).contains(at);
            let loads = |at: &usize| {
                let it = &self.tables[*at];
                let tells_apart = told_apart.contains(&it.id) || it.told_apart.iter().any(may_go);
                it.heard || tells_apart || in_circle(at)
            };
            if loads(&place) || below.iter().any(loads) {
                reach.loaded.insert(table.id);
            }
            if !table.has_dependents && self.ways.get(&table.id) == Some(&1) {
                reach.sole.insert(table.id);
            }
            if table.blocked || below.iter().any(|at| self.tables[*at].blocked) {
                reach.guarded.insert(table.id);
            }
        }
        reach.surprises = self.surprises;
        reach
    }

    /// The tables whose rows can go with those of this one; itself only if they form a circle.
    fn below(&self, place: usize) -> HashSet<usize> {
        let mut seen = HashSet::new();
        let mut open = vec![place];
        while let Some(table) = open.pop() {
            let children = self.tables[table].children.iter();
            open.extend(children.filter(|child| seen.insert(**child)));
        }
        seen
    }
}
