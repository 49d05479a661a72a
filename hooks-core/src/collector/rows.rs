use std::any::{Any, TypeId};
use std::collections::HashSet;
use std::marker::PhantomData;
use std::mem;

use super::plan::Found;
use crate::connection::RawConnection;
use crate::error::{Error, Operation, Result};
use crate::model::{ModelInfo, Persist};
use crate::relation::OnDelete;
use crate::signal::{Origin, PostDelete, PreDelete};

/// The rows of one model that go, with the model's type forgotten.
pub(crate) trait Collected<C>: Any {
    fn model(&self) -> TypeId;
    fn info(&self) -> ModelInfo;
    /// Takes over the rows that are not here yet, and says whether there were any.
    fn merge(&mut self, other: Box<dyn Collected<C>>) -> bool;
    /// Follows the relations of the rows that were not looked at yet.
    fn dependents(&mut self, conn: &mut C) -> Result<Found<C>>;
    /// Turns the rows round: a row was collected after the row of its own model that it depends on.
    fn put_children_first(&mut self);
    fn send_pre_delete(&mut self, conn: &mut C) -> Result<()>;
    /// Deletes the rows, forgets those that were gone, and says how many went.
    fn delete(&mut self, conn: &mut C) -> Result<usize>;
    fn send_post_delete(&mut self, conn: &mut C) -> Result<()>;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Rows of `M` on a connection of type `C`, each once.
pub(crate) struct Rows<M: Persist<C>, C: RawConnection> {
    rows: Vec<M>,
    keys: HashSet<M::Pk>,
    /// How many rows, from the first, had their relations followed.
    followed: usize,
    on: PhantomData<fn(&mut C)>,
}

impl<M: Persist<C>, C: RawConnection> Rows<M, C> {
    pub(crate) fn new(rows: Vec<M>) -> Self {
        let mut unique = Rows {
            rows: Vec::with_capacity(rows.len()),
            keys: HashSet::with_capacity(rows.len()),
            followed: 0,
            on: PhantomData,
        };
        unique.extend(rows);
        unique
    }

    fn extend(&mut self, rows: Vec<M>) {
        for row in rows {
            if self.keys.insert(row.pk()) {
                self.rows.push(row);
            }
        }
    }
}

impl<M: Persist<C>, C: RawConnection> Collected<C> for Rows<M, C> {
    fn model(&self) -> TypeId {
        TypeId::of::<M>()
    }

    fn info(&self) -> ModelInfo {
        M::INFO
    }

    fn merge(&mut self, other: Box<dyn Collected<C>>) -> bool {
        let before = self.rows.len();
        if let Ok(other) = other.into_any().downcast::<Self>() {
            self.extend(other.rows);
        }
        self.rows.len() > before
    }

    fn dependents(&mut self, conn: &mut C) -> Result<Found<C>> {
        let mut found = Found::default();
        let keys: Vec<M::Pk> = self.rows[self.followed..].iter().map(M::pk).collect();
        self.followed = self.rows.len();
        for relation in &M::hooks()?.relations {
            match relation.info().on_delete {
                OnDelete::Protect => found.blockers.extend(relation.blocker(conn, &keys)?),
                OnDelete::Cascade if relation.must_load()? => {
                    found.loaded.push(relation.load_children(conn, &keys)?);
                }
                OnDelete::Cascade => {
                    let keys = keys.clone();
                    let delete = move |conn: &mut C| relation.delete_children(conn, &keys);
                    found
                        .silent
                        .push((relation.info().child.name, Box::new(delete)));
                }
            }
        }
        Ok(found)
    }

    fn put_children_first(&mut self) {
        self.rows.reverse();
    }

    fn send_pre_delete(&mut self, conn: &mut C) -> Result<()> {
        let hooks = M::hooks()?;
        if hooks.pre_delete.is_empty() {
            return Ok(());
        }
        let rows = mem::take(&mut self.rows).into_iter();
        let mut events: Vec<_> = rows
            .map(|instance| PreDelete {
                origin: Origin::new(M::INFO.name, instance.key()),
                instance,
            })
            .collect();
        hooks.pre_delete.send_many(&mut events, conn)?;
        self.rows = events.into_iter().map(|event| event.instance).collect();
        Ok(())
    }

    fn delete(&mut self, conn: &mut C) -> Result<usize> {
        let mut went = Vec::with_capacity(self.rows.len());
        for row in mem::take(&mut self.rows) {
            let count =
                M::remove(conn, row.pk()).map_err(Error::query(M::INFO.name, Operation::Delete))?;
            match count {
                1 => went.push(row),
                0 => still_there::<M, C>(conn, &row)?,
                actual => return Err(row_count::<M, C>(1, actual)),
            }
        }
        self.rows = went;
        Ok(self.rows.len())
    }

    fn send_post_delete(&mut self, conn: &mut C) -> Result<()> {
        let hooks = M::hooks()?;
        if hooks.post_delete.is_empty() {
            return Ok(());
        }
        let rows = mem::take(&mut self.rows).into_iter();
        let mut events: Vec<_> = rows
            .map(|instance| PostDelete {
                origin: Origin::new(M::INFO.name, instance.key()),
                instance,
            })
            .collect();
        hooks.post_delete.send_many(&mut events, conn)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// An error if a row that a DELETE did not touch is there all the same: a trigger kept it.
fn still_there<M: Persist<C>, C: RawConnection>(conn: &mut C, row: &M) -> Result<()> {
    let found = M::find(conn, row.pk()).map_err(Error::query(M::INFO.name, Operation::Delete))?;
    match found {
        None => Ok(()),
        Some(_) => Err(row_count::<M, C>(1, 0)),
    }
}

fn row_count<M: Persist<C>, C: RawConnection>(expected: usize, actual: usize) -> Error {
    Error::RowCount {
        model: M::INFO.name,
        operation: Operation::Delete,
        expected,
        actual,
    }
}
