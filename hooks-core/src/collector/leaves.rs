//! Rows that one relation leads to and on which nothing depends: each is reached once, so the plan need not
//! know it by its key, and one statement takes the children of all parents.

use std::mem::take;
use std::sync::Arc;

use diesel::QueryResult;

use super::Stop;
use super::plan::Planned;
use crate::connection::RawConnection;
use crate::each::{each, turn_each};
use crate::error::{Error, Operation, Result};
use crate::model::{Hooked, Model, ModelInfo, Stored};
use crate::relation::{ParentKey, Parents, Reference, Referring};
use crate::signal::{Origin, PostDelete, PreDelete};

/// Such rows, with their types forgotten.
pub(crate) trait Leaves<C> {
    fn info(&self) -> ModelInfo;
    /// Sends the `PreDelete` of each; none of its receivers has the connection.
    fn announce(&mut self, conn: &mut C, origin: &Arc<Origin>) -> Result<()>;
    /// Deletes them, sends the `PostDelete` of each, and says how many there were.
    fn delete(&mut self, conn: &mut C, origin: &Arc<Origin>) -> Result<usize>;
}

/// The children of some parents.
pub(crate) struct ChildrenOf<R: Reference> {
    /// None where there are fewer rows than these: then they are deleted by their own keys.
    parents: Option<Vec<ParentKey<R>>>,
    rows: Vec<R::Child>,
}

impl<R: Reference> ChildrenOf<R> {
    pub(crate) fn load<C>(conn: &mut C, parents: &[ParentKey<R>]) -> Result<Self>
    where
        C: RawConnection,
        R: Referring<C>,
    {
        let rows = R::lock_rows(conn, Parents::Keys(parents));
        let rows = rows.map_err(Error::query(R::Child::INFO.name, Operation::Load))?;
        Ok(ChildrenOf {
            parents: (rows.len() >= parents.len()).then(|| parents.to_vec()),
            rows,
        })
    }

    fn remove<C>(&self, conn: &mut C) -> QueryResult<usize>
    where
        C: RawConnection,
        R: Referring<C>,
    {
        if let Some(parents) = &self.parents {
            return R::delete(conn, Parents::Keys(parents));
        }
        let mut count = 0;
        for rows in self.rows.chunks(conn.system().keys_at_once()) {
            let keys = each(rows, Model::pk);
            count += R::Child::remove_many(conn, &keys)?;
        }
        Ok(count)
    }
}

impl<R: Referring<C>, C: RawConnection> Leaves<C> for ChildrenOf<R> {
    fn info(&self) -> ModelInfo {
        R::Child::INFO
    }

    fn announce(&mut self, conn: &mut C, origin: &Arc<Origin>) -> Result<()> {
        let receivers = &R::Child::hooks()?.pre_delete;
        if receivers.is_empty() {
            return Ok(());
        }
        let mut events = turn_each(take(&mut self.rows), |instance| PreDelete {
            origin: origin.clone(),
            instance,
        });
        receivers.send_many(&mut events, conn)?;
        self.rows = turn_each(events, |event| event.instance);
        Ok(())
    }

    fn delete(&mut self, conn: &mut C, origin: &Arc<Origin>) -> Result<usize> {
        if self.rows.is_empty() {
            return Ok(0);
        }
        let hooks = R::Child::hooks()?;
        let count = self.remove(conn);
        let count = count.map_err(Error::query(R::Child::INFO.name, Operation::Delete))?;
        // Nobody else had the connection since they were loaded, and the transaction keeps others out.
        if count != self.rows.len() {
            return Err(Error::RowCount {
                model: R::Child::INFO.name,
                operation: Operation::Delete,
                expected: self.rows.len(),
                actual: count,
            });
        }
        for row in &self.rows {
            hooks.bury(&row.pk(), conn)?;
        }
        if hooks.post_delete.is_empty() {
            return Ok(count);
        }
        let mut events = turn_each(take(&mut self.rows), |instance| PostDelete {
            origin: origin.clone(),
            instance,
        });
        hooks.post_delete.send_many(&mut events, conn)?;
        Ok(count)
    }
}

/// The leaves of a plan.
pub(super) struct AllLeaves<C>(Vec<Box<dyn Leaves<C>>>);

impl<C> Default for AllLeaves<C> {
    fn default() -> Self {
        AllLeaves(Vec::new())
    }
}

impl<C: RawConnection> AllLeaves<C> {
    pub(super) fn push(&mut self, leaves: Box<dyn Leaves<C>>) {
        self.0.push(leaves);
    }

    pub(super) fn announce(&mut self, conn: &mut C, planned: &Planned) -> Result<()> {
        let mut all = self.0.iter_mut();
        all.try_for_each(|leaves| leaves.announce(conn, &planned.origin))
    }

    pub(super) fn delete(
        &mut self,
        conn: &mut C,
        planned: &Planned,
        mut count: impl FnMut(&'static str, usize),
    ) -> Result<(), Stop> {
        for leaves in &mut self.0 {
            let went = leaves.delete(conn, &planned.origin)?;
            count(leaves.info().name, went);
        }
        Ok(())
    }
}
