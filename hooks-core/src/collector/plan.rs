use std::any::{Any, TypeId};
use std::collections::hash_map::Entry;
use std::mem;
use std::sync::Arc;

use super::by_key::ByKey;
use super::claims::Operation;
use super::order::{self, Batch};
use super::rows::{Collected, Loaded, Rows};
use super::{Deleted, Stop};
use crate::connection::RawConnection;
use crate::error::{Blocker, Result};
use crate::model::Persist;
use crate::signal::Origin;

/// Everything that a delete does, before it does any of it.
pub(crate) struct Plan<C> {
    /// The rows that go, by the struct that reached them first.
    groups: Vec<Box<dyn Collected<C>>>,
    planned: Planned,
    /// Which row refers to which, by their numbers: child, parent.
    edges: Vec<(usize, usize)>,
    /// How many rows, by their numbers, had their `PreDelete`.
    announced: usize,
}

/// The rows of a plan, numbered in the order in which they were reached.
pub(crate) struct Planned {
    pub(super) operation: Operation,
    pub(super) origin: Arc<Origin>,
    numbers: ByKey<usize>,
    places: Vec<Place>,
}

/// Where a row is kept.
#[derive(Clone, Copy)]
struct Place {
    group: usize,
    at: usize,
}

/// What the relations of some rows lead to.
pub(super) struct Found<C> {
    pub(super) children: Vec<FoundChildren<C>>,
    pub(super) blockers: Vec<Blocker>,
}

/// The children through one relation, and the number of the row that each refers to.
pub(super) struct FoundChildren<C> {
    pub(super) rows: Box<dyn Loaded<C>>,
    pub(super) parents: Vec<usize>,
}

impl Planned {
    pub(super) fn number<M: Persist<C>, C: RawConnection>(&self, key: &M::Pk) -> Option<usize> {
        self.numbers.get::<M>(key).copied()
    }
}

impl<C: RawConnection> Plan<C> {
    pub(super) fn of<M: Persist<C>>(conn: &mut C, operation: Operation, root: M) -> Result<Self> {
        let mut plan = Plan {
            groups: Vec::new(),
            planned: Planned {
                operation,
                origin: Origin::new(M::INFO.name, root.key()),
                numbers: ByKey::default(),
                places: Vec::new(),
            },
            edges: Vec::new(),
            announced: 0,
        };
        plan.add(conn, vec![root])?;
        Ok(plan)
    }

    /// Takes over the rows that are not here yet, and says the number of each.
    pub(super) fn add<M: Persist<C>>(&mut self, conn: &mut C, rows: Vec<M>) -> Result<Vec<usize>> {
        let mut numbers = Vec::with_capacity(rows.len());
        if rows.is_empty() {
            return Ok(numbers);
        }
        let index = self.group_of::<M>();
        let group: &mut dyn Any = &mut *self.groups[index];
        let group: &mut Rows<M, C> = group
            .downcast_mut()
            .expect("a group is found by the type of its rows");
        let Planned {
            operation,
            numbers: known,
            places,
            ..
        } = &mut self.planned;
        let known = known.of::<M>()?;
        for row in rows {
            let key = row.pk();
            match known.entry(key) {
                Entry::Occupied(entry) => numbers.push(*entry.get()),
                Entry::Vacant(entry) => {
                    let claimed = operation.claim::<M, C>(conn, entry.key())?;
                    let at = group.push(row, claimed);
                    numbers.push(*entry.insert(places.len()));
                    places.push(Place { group: index, at });
                }
            }
        }
        Ok(numbers)
    }

    fn group_of<M: Persist<C>>(&mut self) -> usize {
        let position = self
            .groups
            .iter()
            .position(|group| group.model() == TypeId::of::<M>());
        position.unwrap_or_else(|| {
            self.groups.push(Box::new(Rows::<M, C>::new()));
            self.groups.len() - 1
        })
    }

    /// Sends and deletes, dependents first.
    pub(super) fn run(mut self, conn: &mut C) -> Result<Deleted, Stop> {
        self.collect(conn)?;
        let mut order = self.children_first();
        if self.announce(conn, &order)? {
            self.look_again(conn)?;
            order = self.children_first();
            self.announce(conn, &order)?;
        }
        self.delete(conn, order)
    }

    /// Follows the relations of all rows that were not looked at yet.
    fn collect(&mut self, conn: &mut C) -> Result<(), Stop> {
        let mut blockers: Vec<Blocker> = Vec::new();
        while let Some(group) = self.groups.iter_mut().find(|group| !group.is_followed()) {
            let found = group.follow(conn, &self.planned)?;
            for blocker in found.blockers {
                match blockers.iter_mut().find(|it| it.is_of_same(&blocker)) {
                    Some(known) => known.absorb(blocker),
                    None => blockers.push(blocker),
                }
            }
            for FoundChildren { rows, parents } in found.children {
                let numbers = rows.join(conn, self)?;
                self.edges.extend(numbers.into_iter().zip(parents));
            }
        }
        match blockers.is_empty() {
            true => Ok(()),
            false => Err(Stop::Blocked(blockers)),
        }
    }

    /// Looks at every relation once more, because receivers had the connection.
    fn look_again(&mut self, conn: &mut C) -> Result<(), Stop> {
        self.edges.clear();
        for group in &mut self.groups {
            group.follow_from_the_first();
        }
        self.collect(conn)
    }

    /// Sends the `PreDelete` of the rows that had none yet, and says whether a receiver had the connection.
    fn announce(&mut self, conn: &mut C, order: &[Batch]) -> Result<bool> {
        let announced = mem::replace(&mut self.announced, self.planned.places.len());
        let mut had_connection = false;
        for run in order.chunk_by(|one, next| one.group == next.group) {
            let numbers = run.iter().flat_map(|batch| &batch.rows);
            let new = numbers.filter(|number| **number >= announced);
            let rows: Vec<_> = new.map(|number| self.planned.places[*number].at).collect();
            had_connection |= self.groups[run[0].group].announce(conn, &self.planned, &rows)?;
        }
        Ok(had_connection)
    }

    fn delete(mut self, conn: &mut C, order: Vec<Batch>) -> Result<Deleted, Stop> {
        let mut deleted = Deleted::default();
        let mut unheard = Vec::new();
        for group in &self.groups {
            unheard.extend(group.unheard_tables(conn, &self.planned)?);
        }
        // Nothing depends on rows of a table from which some go unheard, so those that are heard may be
        // first, and must, to be counted.
        let (first, rest): (Vec<_>, Vec<_>) = order
            .into_iter()
            .partition(|batch| unheard.contains(&self.groups[batch.group].table()));
        self.delete_batches(conn, first, &mut deleted)?;
        for group in &self.groups {
            group.delete_unheard_children(conn, &self.planned, &mut deleted)?;
        }
        self.delete_batches(conn, rest, &mut deleted)?;
        Ok(deleted)
    }

    fn delete_batches(
        &mut self,
        conn: &mut C,
        batches: Vec<Batch>,
        deleted: &mut Deleted,
    ) -> Result<(), Stop> {
        for batch in batches {
            let places = batch.rows.iter().map(|number| self.planned.places[*number]);
            let rows: Vec<_> = places.map(|place| place.at).collect();
            let group = &mut self.groups[batch.group];
            let count = group.delete(conn, &self.planned, &rows)?;
            deleted.add(group.info().name, count);
        }
        Ok(())
    }

    fn children_first(&self) -> Vec<Batch> {
        let tables: Vec<_> = self.groups.iter().map(|group| group.table()).collect();
        let groups: Vec<_> = self.planned.places.iter().map(|it| it.group).collect();
        order::children_first(&groups, &tables, &self.edges)
    }
}
