use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashSet;
use std::marker::PhantomData;

use super::blocked::{Blocking, Found, Path};
use super::leaves::AllLeaves;
use super::order::Number;
use super::plan::{FoundChildren, Opener, Plan, Planned};
use super::{Deleted, Stop, Turn, execute};
use crate::connection::{RawConnection, scoped};
use crate::each::each;
use crate::error::{Blocker, Error, Key, Result};
use crate::lifecycle::MOST_PARAMETERS;
use crate::model::{ModelInfo, Persist};
use crate::relation::{Chosen, OnDelete, Parents, Relation, RelationInfo};
use crate::signal::{PostDelete, PreDelete};

/// The rows of one model that go, with the model's type forgotten.
pub(super) trait Collected<C>: Any {
    fn model(&self) -> TypeId;
    fn table(&self) -> TypeId;
    /// How many rows one statement may name.
    fn rows_at_once(&self) -> usize;
    fn info(&self) -> ModelInfo;
    /// Whether it has whole rows, for their signals, and not just their keys.
    fn keeps_rows(&self) -> bool;
    /// Gives a row up to another group.
    fn forget(&mut self, at: usize) -> Was;
    /// The keys of these rows, as a `Vec` of them.
    fn keys(&self, rows: &[usize]) -> Box<dyn Any>;
    /// The key of this row as errors tell it.
    fn key(&self, at: usize) -> Key;
    fn is_followed(&self) -> bool;
    /// Makes every row one whose relations were not followed yet.
    fn follow_from_the_first(&mut self);
    /// Follows the relations of the rows that were not looked at yet.
    fn follow(
        &mut self,
        conn: &mut C,
        planned: &Planned,
        leaves: &mut AllLeaves<C>,
        found: &mut Found,
    ) -> Result<Vec<FoundChildren<C>>>;
    /// The rows that refer to these and may go or not: those that restrict, of which a table that the plan
    /// does not have is found to block, and those that are given another parent if they stay.
    fn told_apart(
        &self,
        conn: &mut C,
        planned: &Planned,
        found: &mut Found,
    ) -> Result<Vec<FoundChildren<C>>>;
    /// Sends the `PreDelete` of these rows, and says whether a receiver had the connection.
    fn announce(&mut self, conn: &mut C, planned: &Planned, rows: &[usize]) -> Result<bool>;
    /// Ends what depends on these rows and goes without being loaded.
    fn end_unloaded(
        &self,
        conn: &mut C,
        planned: &Planned,
        turn: Turn,
        chosen: &mut Chosen,
        deleted: &mut Deleted,
    ) -> Result<()>;
    /// Makes the rows that stay refer to something else than these.
    fn replace(&self, conn: &mut C, planned: &Planned, chosen: &mut Chosen) -> Result<()>;
    /// The rows that would, by each relation, and those that the database takes care of.
    fn left(
        &self,
        conn: &mut C,
        planned: &Planned,
        rows: &[usize],
    ) -> Result<Vec<(RelationInfo, usize)>>;
    /// Deletes these rows, by one statement if they are to go together, sends the `PostDelete` of those
    /// that went, and says how many that were.
    fn delete(
        &mut self,
        conn: &mut C,
        planned: &Planned,
        rows: Vec<u32>,
        together: bool,
    ) -> Result<usize, Stop>;
    /// The receivers that hear of these rows.
    fn receivers(&self) -> Result<Vec<&'static str>>;
}

/// What a group knows of a row.
pub(super) struct Was {
    /// Whether this delete sends its signals.
    pub(super) mine: bool,
    /// Whether its relations were followed.
    pub(super) followed: bool,
}

/// Rows of some model that a relation led to.
pub(crate) trait Loaded<C> {
    /// Adds them to the plan, which says the number of each.
    fn join(self: Box<Self>, conn: &mut C, plan: &mut Plan<C>) -> Result<Vec<Number>>;
    /// The number that one of them has in the plan.
    fn number(&self, planned: &Planned, at: usize) -> Option<Number>;
    fn key(&self, at: usize) -> Key;
}

/// The keys of rows of `M`.
pub(crate) struct Keys<M: Persist<C>, C: RawConnection>(
    pub(crate) Vec<M::Pk>,
    pub(crate) PhantomData<fn(C)>,
);

/// The children of some rows whose key is `K`, and whom each refers to.
pub(crate) struct Children<K, C> {
    pub(crate) rows: Box<dyn Loaded<C>>,
    pub(crate) parents: Vec<Option<K>>,
    pub(crate) opener: Option<Opener<C>>,
}

impl<K, C> Children<K, C> {
    /// The places of those that do not go.
    pub(super) fn unplanned(&self, planned: &Planned) -> Vec<usize> {
        unplanned(&*self.rows, self.parents.len(), planned)
    }
}

fn unplanned<C>(rows: &dyn Loaded<C>, count: usize, planned: &Planned) -> Vec<usize> {
    let stays = |at: &usize| rows.number(planned, *at).is_none();
    (0..count).filter(stays).collect()
}

impl<M: Persist<C>, C: RawConnection> Loaded<C> for Vec<M> {
    fn join(self: Box<Self>, conn: &mut C, plan: &mut Plan<C>) -> Result<Vec<Number>> {
        plan.add(conn, each(&self, M::pk), Some(*self))
    }

    fn number(&self, planned: &Planned, at: usize) -> Option<Number> {
        planned.number::<M, C>(&self[at].pk())
    }

    fn key(&self, at: usize) -> Key {
        self[at].key()
    }
}

impl<M: Persist<C>, C: RawConnection> Loaded<C> for Keys<M, C> {
    fn join(self: Box<Self>, conn: &mut C, plan: &mut Plan<C>) -> Result<Vec<Number>> {
        plan.add::<M>(conn, self.0, None)
    }

    fn number(&self, planned: &Planned, at: usize) -> Option<Number> {
        planned.number::<M, C>(&self.0[at])
    }

    fn key(&self, at: usize) -> Key {
        M::key_of(&self.0[at])
    }
}

/// Rows of `M` on a connection of type `C`, each once.
pub(super) struct Rows<M: Persist<C>, C: RawConnection> {
    keys: Vec<M::Pk>,
    /// None of a row that went, that an event has, or that another group has.
    rows: Option<Vec<Option<M>>>,
    state: Vec<State>,
    /// How many rows, from the first, had their relations followed.
    followed: usize,
    /// Those whose relations another group followed.
    followed_elsewhere: Vec<usize>,
    on: PhantomData<fn(&mut C)>,
}

/// What of some children is loaded.
#[derive(Clone, Copy)]
enum Loading {
    /// Their rows, if somebody hears of them, else their keys.
    AsHeard,
    Keys,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// This delete sends its signals.
    Mine,
    /// A delete around this one does.
    Anothers,
    /// Another group has it.
    Forgotten,
}

impl State {
    /// Where no other group has the row.
    fn own(all: &[State]) -> Vec<usize> {
        let is_own = |at: &usize| all[*at] != State::Forgotten;
        (0..all.len()).filter(is_own).collect()
    }

    fn keep_own(all: &[State], rows: &mut Vec<u32>) {
        rows.retain(|at| all[*at as usize] != State::Forgotten);
    }
}

impl<M: Persist<C>, C: RawConnection> Rows<M, C> {
    pub(super) fn new(keeps_rows: bool) -> Self {
        Rows {
            keys: Vec::new(),
            rows: keeps_rows.then(Vec::new),
            state: Vec::new(),
            followed: 0,
            followed_elsewhere: Vec::new(),
            on: PhantomData,
        }
    }

    /// Keeps a row, and says where.
    pub(super) fn push(&mut self, key: M::Pk, row: Option<M>, was: Was) -> usize {
        if was.followed {
            self.followed_elsewhere.push(self.keys.len());
        }
        self.keys.push(key);
        if let Some(rows) = &mut self.rows {
            rows.push(row);
        }
        self.state.push(match was.mine {
            true => State::Mine,
            false => State::Anothers,
        });
        self.keys.len() - 1
    }

    /// The keys that no other group has.
    fn own_keys(&self) -> Cow<'_, [M::Pk]> {
        match self.state.contains(&State::Forgotten) {
            false => Cow::Borrowed(&self.keys),
            true => Cow::Owned(self.keys_at(&State::own(&self.state))),
        }
    }

    fn keys_at(&self, rows: &[usize]) -> Vec<M::Pk> {
        each(rows, |at| self.keys[*at].clone())
    }

    /// The keys past this place of which `is_meant`, by the way to their rows.
    fn keys_by_path(
        &self,
        planned: &Planned,
        from: usize,
        is_meant: impl Fn(usize) -> bool,
    ) -> Vec<(Path, Vec<M::Pk>)> {
        let mut ways: Vec<(Path, Vec<M::Pk>)> = Vec::new();
        for at in from..self.keys.len() {
            let key = &self.keys[at];
            let Some(number) = planned
                .number::<M, C>(key)
                .filter(|_| self.state[at] != State::Forgotten && is_meant(at))
            else {
                continue;
            };
            let path = planned.path(number);
            match ways.iter_mut().find(|(it, _)| it == path) {
                Some((_, keys)) => keys.push(key.clone()),
                None => ways.push((path.clone(), vec![key.clone()])),
            }
        }
        ways
    }

    /// Finds the parents of these children in the plan.
    ///
    /// A database that compares without case finds children whose own spelling of the key is none of ours.
    /// These are asked for key by key, since the order needs to know.
    fn numbered(
        &self,
        conn: &mut C,
        planned: &Planned,
        keys: &[M::Pk],
        relation: &dyn Relation<M::Pk, C>,
        how: Loading,
    ) -> Result<Vec<FoundChildren<C>>> {
        if let Some(max_rows) = planned.max_rows {
            enough_room(conn, relation, keys, max_rows)?;
        }
        let Children {
            rows,
            parents,
            opener,
        } = match how {
            Loading::AsHeard => relation.children(conn, keys)?,
            Loading::Keys => relation.child_keys(conn, keys, None)?,
        };
        let mut numbers = Vec::with_capacity(parents.len());
        match keys {
            [key] => {
                if let Some(number) = planned.number::<M, C>(key) {
                    numbers.resize(parents.len(), number);
                }
            }
            _ => {
                for key in parents.iter().flatten() {
                    numbers.extend(planned.number::<M, C>(key));
                }
            }
        }
        if keys.len() == 1 || numbers.len() == parents.len() {
            return Ok(vec![FoundChildren {
                relation: relation.info(),
                opener,
                rows,
                parents: numbers,
            }]);
        }
        let mut found = Vec::new();
        for key in keys.chunks(1) {
            found.extend(self.numbered(conn, planned, key, relation, how)?);
        }
        Ok(found)
    }

    /// Finds which rows block these through a relation, as far as that is listed.
    fn blockers(
        &self,
        conn: &mut C,
        blocking: Blocking,
        relation: &dyn Relation<M::Pk, C>,
        (path, keys): (&Path, &[M::Pk]),
        found: &mut Found,
    ) -> Result<()> {
        let children = relation.child_keys(conn, keys, Some(Blocker::LISTED + 1))?;
        let listed = children.parents.len();
        let count = match listed > Blocker::LISTED {
            true => relation.count(conn, Parents::Keys(keys))?,
            false => listed,
        };
        let keys = (0..listed).map(|at| children.rows.key(at)).collect();
        found.add(blocking, &path.and(relation.info()), keys, count);
        Ok(())
    }
}

/// An error if more rows go by a relation than are to go in all, without reading those past that.
fn enough_room<K, C: RawConnection>(
    conn: &mut C,
    relation: &dyn Relation<K, C>,
    keys: &[K],
    max_rows: usize,
) -> Result<()> {
    let info = relation.info();
    if info.on_delete != OnDelete::Cascade {
        return Ok(());
    }
    let some = relation.child_keys(conn, keys, Some(max_rows.saturating_add(1)))?;
    match some.parents.len() > max_rows {
        true => Err(Error::TooManyRows {
            model: info.child.name,
            max_rows,
        }),
        false => Ok(()),
    }
}

impl<M: Persist<C>, C: RawConnection> Collected<C> for Rows<M, C> {
    fn model(&self) -> TypeId {
        TypeId::of::<M>()
    }

    fn table(&self) -> TypeId {
        TypeId::of::<M::Table>()
    }

    fn rows_at_once(&self) -> usize {
        MOST_PARAMETERS / M::KEY.len().max(1)
    }

    fn info(&self) -> ModelInfo {
        M::INFO
    }

    fn keeps_rows(&self) -> bool {
        self.rows.is_some()
    }

    fn forget(&mut self, at: usize) -> Was {
        let mine = self.state[at] == State::Mine;
        self.state[at] = State::Forgotten;
        Was {
            mine,
            followed: at < self.followed,
        }
    }

    fn keys(&self, rows: &[usize]) -> Box<dyn Any> {
        Box::new(self.keys_at(rows))
    }

    fn key(&self, at: usize) -> Key {
        M::key_of(&self.keys[at])
    }

    fn is_followed(&self) -> bool {
        self.followed == self.keys.len()
    }

    fn follow_from_the_first(&mut self) {
        self.followed = 0;
        self.followed_elsewhere.clear();
    }

    fn follow(
        &mut self,
        conn: &mut C,
        planned: &Planned,
        leaves: &mut AllLeaves<C>,
        found: &mut Found,
    ) -> Result<Vec<FoundChildren<C>>> {
        let from = self.followed;
        self.followed = self.keys.len();
        let mut children = Vec::new();
        let mut ways = None;
        let to_follow =
            || self.keys_by_path(planned, from, |at| !self.followed_elsewhere.contains(&at));
        for relation in &M::hooks()?.relations {
            let table = relation.child_table();
            let on_delete = relation.info().on_delete;
            if on_delete == OnDelete::Cascade && planned.load.loads(table) {
                let keys = &self.keys[from..];
                if planned.are_leaves(table)
                    && let Some(rows) = relation.leaves(conn, keys)?
                {
                    leaves.push(rows);
                    continue;
                }
                let how = Loading::AsHeard;
                children.extend(self.numbered(conn, planned, keys, &**relation, how)?);
            } else if on_delete == OnDelete::Protect {
                let ways: &Vec<_> = ways.get_or_insert_with(to_follow);
                for (path, keys) in ways {
                    let way = (path, &**keys);
                    self.blockers(conn, Blocking::Protect, &**relation, way, found)?;
                }
            } else if on_delete == OnDelete::Cascade && planned.load.may_block(table) {
                let ways: &Vec<_> = ways.get_or_insert_with(to_follow);
                for (path, keys) in ways {
                    relation.find_blockers(conn, Parents::Keys(keys), path, found)?;
                }
            }
        }
        Ok(children)
    }

    fn told_apart(
        &self,
        conn: &mut C,
        planned: &Planned,
        found: &mut Found,
    ) -> Result<Vec<FoundChildren<C>>> {
        let mut children = Vec::new();
        for relation in &M::hooks()?.relations {
            let on_delete = relation.on_delete();
            if !on_delete.tells_apart() {
                continue;
            }
            if planned.has_table(relation.child_table()) {
                let how = Loading::Keys;
                let keys = self.own_keys();
                children.extend(self.numbered(conn, planned, &keys, &**relation, how)?);
                continue;
            }
            if on_delete != OnDelete::Restrict {
                continue;
            }
            for (path, keys) in &self.keys_by_path(planned, 0, |_| true) {
                let way = (path, &**keys);
                self.blockers(conn, Blocking::Restrict, &**relation, way, found)?;
            }
        }
        Ok(children)
    }

    fn announce(&mut self, conn: &mut C, planned: &Planned, rows: &[usize]) -> Result<bool> {
        let receivers = &M::hooks()?.pre_delete;
        let Some(kept) = &mut self.rows else {
            return Ok(false);
        };
        if receivers.is_empty() && !scoped::here(conn) {
            return Ok(false);
        }
        let heard = rows.iter().filter(|at| self.state[**at] == State::Mine);
        let heard: Vec<usize> = heard.copied().collect();
        let mut events = Vec::with_capacity(heard.len());
        for at in &heard {
            if let Some(instance) = kept[*at].take() {
                let origin = planned.origin.clone();
                events.push(PreDelete { origin, instance });
            }
        }
        receivers.send_many(&mut events, conn)?;
        for (at, event) in heard.iter().zip(events) {
            kept[*at] = Some(event.instance);
        }
        let had_connection = receivers.needs.connection || scoped::has_connected(conn);
        Ok(!heard.is_empty() && had_connection)
    }

    fn end_unloaded(
        &self,
        conn: &mut C,
        planned: &Planned,
        turn: Turn,
        chosen: &mut Chosen,
        deleted: &mut Deleted,
    ) -> Result<()> {
        for relation in &M::hooks()?.relations {
            let cascades = relation.info().on_delete == OnDelete::Cascade;
            if cascades && !planned.load.loads(relation.child_table()) {
                let parents = Parents::Keys(&self.keys);
                relation.end_unloaded(conn, parents, turn, chosen, deleted)?;
            }
        }
        Ok(())
    }

    fn replace(&self, conn: &mut C, planned: &Planned, chosen: &mut Chosen) -> Result<()> {
        for relation in &M::hooks()?.relations {
            let on_delete = relation.on_delete();
            if on_delete == OnDelete::SetNull
                || (on_delete.replaces() && !planned.has_table(relation.child_table()))
            {
                relation.replace(conn, Parents::Keys(&self.keys), chosen)?;
            } else if on_delete.replaces() {
                // What goes must not be made to refer to another row that goes, and maybe before it.
                relation.replace_unless_they_go(conn, &self.keys, planned, chosen)?;
            }
        }
        Ok(())
    }

    fn left(
        &self,
        conn: &mut C,
        planned: &Planned,
        rows: &[usize],
    ) -> Result<Vec<(RelationInfo, usize)>> {
        let keys = self.keys_at(rows);
        let mut left = Vec::new();
        for relation in &M::hooks()?.relations {
            let info = relation.info();
            if !info.on_delete.replaces() && info.on_delete != OnDelete::Database {
                continue;
            }
            let count = match planned.has_table(relation.child_table()) {
                false => relation.count(conn, Parents::Keys(&keys))?,
                true => relation
                    .child_keys(conn, &keys, None)?
                    .unplanned(planned)
                    .len(),
            };
            left.push((info, count));
        }
        left.retain(|(_, count)| *count > 0);
        Ok(left)
    }

    fn delete(
        &mut self,
        conn: &mut C,
        planned: &Planned,
        mut rows: Vec<u32>,
        together: bool,
    ) -> Result<usize, Stop> {
        let hooks = M::hooks()?;
        State::keep_own(&self.state, &mut rows);
        let keys = each(&rows, |at| self.keys[*at as usize].clone());
        let gone = execute::remove::<M, C>(conn, planned, &keys, together)?;
        let unheard = hooks.post_delete.is_empty() && !scoped::here(conn);
        let mut events = Vec::new();
        let mut count = 0;
        for (at, key) in rows.into_iter().zip(&keys) {
            let at = at as usize;
            let went = gone.has(key);
            match self.state[at] {
                State::Mine => planned.operation.release::<M, C>(conn, key)?,
                State::Anothers if went => planned.operation.take::<M, C>(conn, key.clone())?,
                _ => {}
            }
            let row = self.rows.as_mut().and_then(|rows| rows[at].take());
            if !went {
                continue;
            }
            count += 1;
            hooks.bury(key, conn)?;
            if let Some(instance) = row.filter(|_| self.state[at] == State::Mine && !unheard) {
                let origin = planned.origin.clone();
                events.push(PostDelete { origin, instance });
            }
        }
        if !events.is_empty() {
            hooks.post_delete.send_many(&mut events, conn)?;
        }
        Ok(count)
    }

    fn receivers(&self) -> Result<Vec<&'static str>> {
        let hooks = M::hooks()?;
        let mut uids = hooks.pre_delete.uids();
        uids.append(&mut hooks.post_delete.uids());
        Ok(uids)
    }
}

/// Which of some rows a statement deleted.
pub(super) enum Gone<K> {
    All,
    These(HashSet<K>),
}

impl<K: Eq + std::hash::Hash> Gone<K> {
    fn has(&self, key: &K) -> bool {
        match self {
            Gone::All => true,
            Gone::These(keys) => keys.contains(key),
        }
    }
}
