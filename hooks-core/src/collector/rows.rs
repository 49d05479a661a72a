use std::any::{Any, TypeId};
use std::marker::PhantomData;

use super::plan::{Found, FoundChildren, Plan, Planned};
use super::{Deleted, Stop, execute};
use crate::connection::{RawConnection, scoped};
use crate::error::Result;
use crate::model::{ModelInfo, Persist};
use crate::relation::{OnDelete, Relation};
use crate::signal::{PostDelete, PreDelete};

/// The rows of one model that go, with the model's type forgotten.
pub(super) trait Collected<C>: Any {
    fn model(&self) -> TypeId;
    fn table(&self) -> TypeId;
    fn info(&self) -> ModelInfo;
    fn is_followed(&self) -> bool;
    /// Makes every row one whose relations were not followed yet.
    fn follow_from_the_first(&mut self);
    /// Follows the relations of the rows that were not looked at yet.
    fn follow(&mut self, conn: &mut C, planned: &Planned) -> Result<Found<C>>;
    /// Sends the `PreDelete` of these rows, and says whether a receiver had the connection.
    fn announce(&mut self, conn: &mut C, planned: &Planned, rows: &[usize]) -> Result<bool>;
    /// The tables whose rows go with these without being loaded.
    fn unheard_tables(&self, conn: &mut C, planned: &Planned) -> Result<Vec<TypeId>>;
    fn delete_unheard_children(
        &self,
        conn: &mut C,
        planned: &Planned,
        deleted: &mut Deleted,
    ) -> Result<()>;
    /// Deletes these rows, sends the `PostDelete` of those that went, and says how many that were.
    fn delete(&mut self, conn: &mut C, planned: &Planned, rows: &[usize]) -> Result<usize, Stop>;
}

/// Rows of some model that a relation led to.
pub(crate) trait Loaded<C> {
    /// Adds them to the plan, which says the number of each.
    fn join(self: Box<Self>, conn: &mut C, plan: &mut Plan<C>) -> Result<Vec<usize>>;
    fn has_unplanned(&self, planned: &Planned) -> bool;
}

/// The children of some rows whose key is `K`, and whom each refers to.
pub(crate) struct Children<K, C> {
    pub(crate) rows: Box<dyn Loaded<C>>,
    pub(crate) parents: Vec<Option<K>>,
}

impl<M: Persist<C>, C: RawConnection> Loaded<C> for Vec<M> {
    fn join(self: Box<Self>, conn: &mut C, plan: &mut Plan<C>) -> Result<Vec<usize>> {
        plan.add(conn, *self)
    }

    fn has_unplanned(&self, planned: &Planned) -> bool {
        self.iter()
            .any(|row| planned.number::<M, C>(&row.pk()).is_none())
    }
}

/// Rows of `M` on a connection of type `C`, each once.
pub(super) struct Rows<M: Persist<C>, C: RawConnection> {
    rows: Vec<Planning<M>>,
    /// How many rows, from the first, had their relations followed.
    followed: usize,
    on: PhantomData<fn(&mut C)>,
}

struct Planning<M> {
    /// None once it went, and while an event has it.
    row: Option<M>,
    /// Whether this delete sends its signals, and not one around this one.
    heard: bool,
}

impl<M: Persist<C>, C: RawConnection> Rows<M, C> {
    pub(super) fn new() -> Self {
        Rows {
            rows: Vec::new(),
            followed: 0,
            on: PhantomData,
        }
    }

    /// Keeps a row, and says where.
    pub(super) fn push(&mut self, row: M, heard: bool) -> usize {
        let row = Some(row);
        self.rows.push(Planning { row, heard });
        self.rows.len() - 1
    }

    fn keys(&self, from: usize) -> Vec<M::Pk> {
        let rows = self.rows[from..].iter();
        rows.filter_map(|it| it.row.as_ref().map(M::pk)).collect()
    }
}

/// Whether a relation's children are loaded: for their signals, or those of a delete around this one.
fn must_load<K, C: RawConnection>(
    relation: &dyn Relation<K, C>,
    conn: &mut C,
    planned: &Planned,
) -> Result<bool> {
    Ok(relation.must_load(conn)?
        || planned
            .operation
            .is_inside_one_of(conn, relation.child_table()))
}

fn goes_unheard<K, C: RawConnection>(
    relation: &dyn Relation<K, C>,
    conn: &mut C,
    planned: &Planned,
) -> Result<bool> {
    match relation.on_delete() {
        OnDelete::Protect => Ok(false),
        _ => Ok(!must_load(relation, conn, planned)?),
    }
}

impl<M: Persist<C>, C: RawConnection> Collected<C> for Rows<M, C> {
    fn model(&self) -> TypeId {
        TypeId::of::<M>()
    }

    fn table(&self) -> TypeId {
        TypeId::of::<M::Table>()
    }

    fn info(&self) -> ModelInfo {
        M::INFO
    }

    fn is_followed(&self) -> bool {
        self.followed == self.rows.len()
    }

    fn follow_from_the_first(&mut self) {
        self.followed = 0;
    }

    fn follow(&mut self, conn: &mut C, planned: &Planned) -> Result<Found<C>> {
        let keys = self.keys(self.followed);
        self.followed = self.rows.len();
        let (mut found, mut blockers) = (Vec::new(), Vec::new());
        for relation in &M::hooks()?.relations {
            match relation.on_delete() {
                OnDelete::Protect => blockers.extend(relation.blocker(conn, &keys)?),
                OnDelete::Cascade if must_load(&**relation, conn, planned)? => {
                    found.extend(children::<M, C>(&**relation, conn, planned, &keys)?);
                }
                _ => {}
            }
        }
        Ok(Found {
            children: found,
            blockers,
        })
    }

    fn announce(&mut self, conn: &mut C, planned: &Planned, rows: &[usize]) -> Result<bool> {
        let receivers = &M::hooks()?.pre_delete;
        if receivers.is_empty() && !scoped::here(conn) {
            return Ok(false);
        }
        let heard = rows.iter().filter(|at| self.rows[**at].heard);
        let heard: Vec<usize> = heard.copied().collect();
        let instances = heard.iter().filter_map(|at| self.rows[*at].row.take());
        let mut events: Vec<_> = instances
            .map(|instance| PreDelete {
                origin: planned.origin.clone(),
                instance,
            })
            .collect();
        receivers.send_many(&mut events, conn)?;
        for (at, event) in heard.iter().zip(events) {
            self.rows[*at].row = Some(event.instance);
        }
        let had_connection = receivers.takes_connection() || scoped::has_connected(conn);
        Ok(!heard.is_empty() && had_connection)
    }

    fn unheard_tables(&self, conn: &mut C, planned: &Planned) -> Result<Vec<TypeId>> {
        let mut tables = Vec::new();
        for relation in &M::hooks()?.relations {
            if goes_unheard(&**relation, conn, planned)? {
                tables.push(relation.child_table());
            }
        }
        Ok(tables)
    }

    fn delete_unheard_children(
        &self,
        conn: &mut C,
        planned: &Planned,
        deleted: &mut Deleted,
    ) -> Result<()> {
        let mut keys = None;
        for relation in &M::hooks()?.relations {
            if goes_unheard(&**relation, conn, planned)? {
                let keys: &Vec<_> = keys.get_or_insert_with(|| self.keys(0));
                let count = relation.delete_children(conn, keys)?;
                deleted.add(relation.info().child.name, count);
            }
        }
        Ok(())
    }

    fn delete(&mut self, conn: &mut C, planned: &Planned, rows: &[usize]) -> Result<usize, Stop> {
        let hooks = M::hooks()?;
        let unheard = hooks.post_delete.is_empty() && !scoped::here(conn);
        let mut events = Vec::new();
        let mut count = 0;
        for at in rows {
            let Planning { row, heard } = &mut self.rows[*at];
            let Some(instance) = row.take() else { continue };
            let went = execute::remove(conn, planned, &instance)?;
            match heard {
                true => planned.operation.release::<M, C>(conn, &instance.pk())?,
                false if went => planned.operation.take::<M, C>(conn, instance.pk())?,
                false => {}
            }
            if !went {
                continue;
            }
            count += 1;
            hooks.bury(&instance.pk(), conn)?;
            if *heard && !unheard {
                let origin = planned.origin.clone();
                events.push(PostDelete { origin, instance });
            }
        }
        if !events.is_empty() {
            hooks.post_delete.send_many(&mut events, conn)?;
        }
        Ok(count)
    }
}

/// Loads the children of some rows, and finds out which row each refers to.
///
/// A database that compares without case finds children whose own spelling of the key is none of ours.
/// These are asked for key by key, since the order needs to know.
fn children<M: Persist<C>, C: RawConnection>(
    relation: &dyn Relation<M::Pk, C>,
    conn: &mut C,
    planned: &Planned,
    keys: &[M::Pk],
) -> Result<Vec<FoundChildren<C>>> {
    let Children { rows, parents } = relation.load_children(conn, keys)?;
    if let [key] = keys {
        let parent = planned.number::<M, C>(key).into_iter();
        let parents = parent.cycle().take(parents.len()).collect();
        return Ok(vec![FoundChildren { rows, parents }]);
    }
    let number = |key: &Option<M::Pk>| planned.number::<M, C>(key.as_ref()?);
    if let Some(parents) = parents.iter().map(number).collect() {
        return Ok(vec![FoundChildren { rows, parents }]);
    }
    let mut found = Vec::new();
    for key in keys.chunks(1) {
        found.extend(children::<M, C>(relation, conn, planned, key)?);
    }
    Ok(found)
}
