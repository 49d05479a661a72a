use std::any::{Any, TypeId};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use super::blocked::{Blocking, Found, Path};
use super::by_key::ByKey;
use super::claims::Operation;
use super::leaves::AllLeaves;
use super::order::{self, Edge, Number, Step};
use super::rows::{Collected, Loaded, Rows, Was};
use super::survey::Reach;
use super::{Deleted, Stop, Turn};
use crate::backend::System;
use crate::connection::RawConnection;
use crate::error::{Error, Result};
use crate::model::Persist;
use crate::relation::{Chosen, OnDelete, RelationInfo};
use crate::signal::Origin;

/// Everything that a delete does, before it does any of it.
pub(crate) struct Plan<C> {
    /// The rows that go, by the struct that reached them first.
    groups: Vec<Box<dyn Collected<C>>>,
    planned: Planned,
    leaves: AllLeaves<C>,
    edges: Vec<Edge>,
    /// The relations of the edges.
    relations: Vec<Followed<C>>,
    /// How many rows, by their numbers, had their `PreDelete`, if somebody hears of them.
    announced: Number,
    /// Those of which somebody hears since.
    late: HashSet<Number>,
}

/// The rows of a plan, numbered in the order in which they were reached.
pub(crate) struct Planned {
    pub(super) operation: Operation,
    pub(super) origin: Arc<Origin>,
    pub(super) load: Load,
    /// Whether rows may be gone before it is their turn, by no statement of ours.
    pub(super) surprised: bool,
    /// How many rows it may have.
    pub(super) max_rows: Option<usize>,
    numbers: ByKey<Number>,
    places: Vec<Place>,
    paths: Paths,
    /// Once it is written what rows refer to that stay.
    pub(super) chosen: Chosen,
}

/// Which rows are loaded.
pub(super) enum Load {
    /// All: somebody counts them, or may hear of any.
    All,
    /// Those that somebody hears of, and those on the way to them.
    Some(&'static Reach),
}

impl Load {
    pub(super) fn loads(&self, table: TypeId) -> bool {
        match self {
            Load::All => true,
            Load::Some(reach) => reach.loads(table),
        }
    }

    /// Whether rows are reached once and nothing depends on them.
    fn is_sole(&self, table: TypeId) -> bool {
        match self {
            Load::All => false,
            Load::Some(reach) => reach.is_sole(table),
        }
    }

    /// In which order the rest is ended.
    fn turns(&self) -> &'static [Turn] {
        match self {
            Load::All => &[],
            Load::Some(reach) => reach.turns(),
        }
    }

    pub(super) fn may_block(&self, table: TypeId) -> bool {
        match self {
            Load::All => true,
            Load::Some(reach) => reach.may_block(table),
        }
    }
}

/// Where a row is kept, and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    group: u32,
    at: u32,
    path: u32,
}

/// The ways to rows, each once.
struct Paths {
    paths: Vec<Path>,
    places: HashMap<(u32, RelationInfo), u32>,
}

impl Paths {
    fn new() -> Self {
        Paths {
            paths: vec![Path::default()],
            places: HashMap::new(),
        }
    }

    /// One relation further.
    fn and(&mut self, path: u32, relation: RelationInfo) -> u32 {
        let Paths { paths, places } = self;
        *places.entry((path, relation)).or_insert_with(|| {
            let next = paths[path as usize].and(relation);
            match next == paths[path as usize] {
                true => path,
                false => {
                    paths.push(next);
                    narrow(paths.len() - 1)
                }
            }
        })
    }
}

/// A relation that was followed.
struct Followed<C> {
    info: RelationInfo,
    /// Makes children refer to nothing; none, if their columns cannot be NULL.
    opener: Option<Opener<C>>,
}

/// Makes the rows with these keys, a `Vec` of them, refer to nothing by some relation.
pub(crate) type Opener<C> = fn(&mut C, &dyn Any) -> Result<()>;

/// The children of some rows through one relation, and the number of the row that each refers to.
pub(super) struct FoundChildren<C> {
    pub(super) relation: RelationInfo,
    pub(super) opener: Option<Opener<C>>,
    pub(super) rows: Box<dyn Loaded<C>>,
    pub(super) parents: Vec<Number>,
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("a plan has fewer rows than that")
}

impl Planned {
    pub(crate) fn number<M: Persist<C>, C: RawConnection>(
        &self,
        key: &M::Pk,
    ) -> Option<order::Number> {
        self.numbers.get::<M>(key).copied()
    }

    /// Whether the rows of this table need no numbers.
    pub(super) fn are_leaves(&self, table: TypeId) -> bool {
        self.load.is_sole(table) && !self.operation.may_meet_others() && !self.surprised
    }

    pub(super) fn has_table(&self, table: TypeId) -> bool {
        self.numbers.has_table(table)
    }

    fn place(&self, row: Number) -> Place {
        self.places[row as usize]
    }

    pub(super) fn path(&self, row: Number) -> &Path {
        &self.paths.paths[self.place(row).path as usize]
    }
}

impl<C: RawConnection> Plan<C> {
    pub(super) fn new(
        operation: Operation,
        origin: Arc<Origin>,
        load: Load,
        surprised: bool,
        max_rows: Option<usize>,
    ) -> Self {
        Plan {
            groups: Vec::new(),
            planned: Planned {
                operation,
                origin,
                load,
                surprised,
                max_rows,
                numbers: ByKey::default(),
                places: Vec::new(),
                paths: Paths::new(),
                chosen: Chosen::default(),
            },
            leaves: AllLeaves::default(),
            edges: Vec::new(),
            relations: Vec::new(),
            announced: 0,
            late: HashSet::new(),
        }
    }

    /// Takes over the rows that are not here yet, and says the number of each.
    ///
    /// There are no `rows` where nobody hears of them, else one for each key.
    pub(super) fn add<M: Persist<C>>(
        &mut self,
        conn: &mut C,
        keys: Vec<M::Pk>,
        rows: Option<Vec<M>>,
    ) -> Result<Vec<Number>> {
        let mut numbers = Vec::with_capacity(keys.len());
        if keys.is_empty() {
            return Ok(numbers);
        }
        let index = self.group_of::<M>(rows.is_some());
        let Planned {
            operation,
            numbers: known,
            places,
            max_rows,
            ..
        } = &mut self.planned;
        let known = known.of::<M>()?;
        known.reserve(keys.len());
        let mut rows = rows.map(Vec::into_iter);
        for key in keys {
            let row = rows.as_mut().and_then(Iterator::next);
            match known.entry(key) {
                Entry::Occupied(entry) => {
                    let number = *entry.get();
                    numbers.push(number);
                    let place = &mut places[number as usize];
                    // Somebody hears of it after all, through this struct.
                    if let Some(row) = row
                        && !self.groups[place.group as usize].keeps_rows()
                    {
                        let was = self.groups[place.group as usize].forget(place.at as usize);
                        let group = rows_of::<M, C>(&mut self.groups[index]);
                        place.at = narrow(group.push(entry.key().clone(), Some(row), was));
                        place.group = narrow(index);
                        self.late
                            .extend((number < self.announced).then_some(number));
                    }
                }
                Entry::Vacant(entry) => {
                    if max_rows.is_some_and(|max| places.len() >= max) {
                        return Err(Error::TooManyRows {
                            model: M::INFO.name,
                            max_rows: max_rows.unwrap_or_default(),
                        });
                    }
                    let mine = operation.claim::<M, C>(conn, entry.key())?;
                    let group = rows_of::<M, C>(&mut self.groups[index]);
                    let was = Was {
                        mine,
                        followed: false,
                    };
                    let at = narrow(group.push(entry.key().clone(), row, was));
                    numbers.push(*entry.insert(narrow(places.len())));
                    places.push(Place {
                        group: narrow(index),
                        at,
                        path: 0,
                    });
                }
            }
        }
        Ok(numbers)
    }

    fn group_of<M: Persist<C>>(&mut self, keeps_rows: bool) -> usize {
        let position = self.groups.iter().position(|group| {
            group.model() == TypeId::of::<M>() && group.keeps_rows() == keeps_rows
        });
        position.unwrap_or_else(|| {
            self.groups.push(Box::new(Rows::<M, C>::new(keeps_rows)));
            self.groups.len() - 1
        })
    }

    /// Looks at everything, and writes nothing.
    pub(super) fn collect(&mut self, conn: &mut C) -> Result<(), Stop> {
        let mut found = self.follow(conn)?;
        self.tell_apart(conn, &mut found)?;
        super::blocked(&mut found)
    }

    /// Follows the relations of all rows that were not looked at yet.
    pub(super) fn follow(&mut self, conn: &mut C) -> Result<Found> {
        let mut found = Found::default();
        while let Some(group) = self.groups.iter_mut().find(|group| !group.is_followed()) {
            let leaves = &mut self.leaves;
            for children in group.follow(conn, &self.planned, leaves, &mut found)? {
                self.join(conn, children)?;
            }
        }
        Ok(found)
    }

    fn join(&mut self, conn: &mut C, found: FoundChildren<C>) -> Result<()> {
        let known = self.planned.places.len();
        let numbers = found.rows.join(conn, self)?;
        let relation = self.relation(found.relation, found.opener);
        let Planned { places, paths, .. } = &mut self.planned;
        for (child, parent) in numbers.into_iter().zip(found.parents) {
            if child as usize >= known {
                let path = places[parent as usize].path;
                places[child as usize].path = paths.and(path, found.relation);
            }
            self.edges.push(Edge {
                child,
                parent,
                relation,
            });
        }
        Ok(())
    }

    fn relation(&mut self, info: RelationInfo, opener: Option<Opener<C>>) -> u32 {
        let known = self.relations.iter().position(|it| it.info == info);
        narrow(known.unwrap_or_else(|| {
            self.relations.push(Followed { info, opener });
            self.relations.len() - 1
        }))
    }

    /// Looks at the rows of which it matters whether they go too, once that is known.
    pub(super) fn tell_apart(&mut self, conn: &mut C, found: &mut Found) -> Result<()> {
        for at in 0..self.groups.len() {
            for children in self.groups[at].told_apart(conn, &self.planned, found)? {
                let relation = self.relation(children.relation, children.opener);
                for (child, parent) in children.parents.iter().enumerate() {
                    if let Some(child) = children.rows.number(&self.planned, child) {
                        // What can refer to nothing will, before anything goes.
                        if !(children.relation.on_delete.replaces() && children.opener.is_some()) {
                            self.edges.push(Edge {
                                child,
                                parent: *parent,
                                relation,
                            });
                        }
                    } else if children.relation.on_delete == OnDelete::Restrict {
                        let path = self.planned.path(*parent).and(children.relation);
                        let key = children.rows.key(child);
                        found.add(Blocking::Restrict, &path, vec![key], 1);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends and deletes, dependents first.
    pub(super) fn run(mut self, conn: &mut C) -> Result<Deleted, Stop> {
        self.collect(conn)?;
        let mut steps = self.children_first(conn.system())?;
        self.leaves.announce(conn, &self.planned)?;
        if self.announce(conn, &steps)? {
            self.look_again(conn)?;
            steps = self.children_first(conn.system())?;
            self.announce(conn, &steps)?;
        }
        self.execute(conn, steps)
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
    fn announce(&mut self, conn: &mut C, steps: &[Step]) -> Result<bool> {
        let announced = mem::replace(&mut self.announced, narrow(self.planned.places.len()));
        let late = mem::take(&mut self.late);
        let mut had_connection = false;
        let deletes: Vec<_> = steps.iter().filter_map(deleted_by).collect();
        for run in deletes.chunk_by(|(one, _), (next, _)| one == next) {
            let group = &mut self.groups[run[0].0 as usize];
            if !group.keeps_rows() {
                continue;
            }
            let numbers = run.iter().flat_map(|(_, rows)| *rows);
            let new = numbers.filter(|number| **number >= announced || late.contains(number));
            let rows: Vec<_> = new
                .map(|row| self.planned.place(*row).at as usize)
                .collect();
            had_connection |= group.announce(conn, &self.planned, &rows)?;
        }
        Ok(had_connection)
    }

    fn execute(mut self, conn: &mut C, steps: Vec<Step>) -> Result<Deleted, Stop> {
        // The steps say the order.
        self.edges = Vec::new();
        let (mut deleted, mut chosen) = (Deleted::default(), Chosen::default());
        for group in &self.groups {
            group.replace(conn, &self.planned, &mut chosen)?;
        }
        for turn in self.planned.load.turns() {
            for group in &self.groups {
                group.end_unloaded(conn, &self.planned, *turn, &mut chosen, &mut deleted)?;
            }
        }
        self.planned.chosen = chosen;
        let count = |model, went| deleted.add(model, went);
        self.leaves.delete(conn, &self.planned, count)?;
        for step in steps {
            let (group, rows, together) = match step {
                Step::Open { relation, rows } => {
                    self.open(conn, relation, &rows)?;
                    continue;
                }
                Step::Delete { group, rows } => (group, rows, false),
                Step::DeleteTogether { group, rows } => (group, rows, true),
            };
            let rows = rows.into_iter();
            let rows = rows.map(|row| self.planned.place(row).at).collect();
            let group = &mut self.groups[group as usize];
            let count = group.delete(conn, &self.planned, rows, together)?;
            deleted.add(group.info().name, count);
        }
        Ok(deleted)
    }

    fn open(&self, conn: &mut C, relation: u32, rows: &[Number]) -> Result<()> {
        let opener = self.relations[relation as usize].opener;
        for (at, group) in self.groups.iter().enumerate() {
            let places = rows.iter().map(|row| self.planned.place(*row));
            let here = places.filter(|place| place.group as usize == at);
            let rows: Vec<_> = here.map(|place| place.at as usize).collect();
            if let Some(opener) = opener.filter(|_| !rows.is_empty()) {
                opener(conn, &*group.keys(&rows))?;
            }
        }
        Ok(())
    }

    pub(super) fn children_first(&self, system: System) -> Result<Vec<Step>> {
        let by_row = system.checks_keys_by_row();
        let at_once = |group: &dyn Collected<C>| if by_row { 1 } else { group.rows_at_once() };
        let tables: Vec<_> = self
            .groups
            .iter()
            .map(|group| (group.table(), at_once(&**group)))
            .collect();
        let groups: Vec<_> = self.planned.places.iter().map(|it| it.group).collect();
        let can_open = |relation: u32| self.relations[relation as usize].opener.is_some();
        let opened = match by_row {
            true => order::open_rows_that_refer_to_themselves(&self.edges, can_open),
            false => Ok(Vec::new()),
        };
        let steps = opened.and_then(|mut steps| {
            steps.extend(order::children_first(
                &groups,
                &tables,
                &self.edges,
                can_open,
            )?);
            Ok(steps)
        });
        steps.map_err(|circle| {
            let mut relations: Vec<_> = circle
                .0
                .into_iter()
                .map(|relation| self.relations[relation as usize].info.name())
                .collect();
            relations.sort_unstable();
            relations.dedup();
            Error::Cycle { relations }
        })
    }

    pub(super) fn planned(&self) -> &Planned {
        &self.planned
    }

    /// The rows by the way to them: the group they are in and how many there are, with the keys of some.
    pub(super) fn by_path(&self) -> Vec<(Path, &dyn Collected<C>, Vec<usize>)> {
        let mut ways: Vec<(Path, &dyn Collected<C>, Vec<usize>)> = Vec::new();
        let mut known: HashMap<(u32, u32), usize> = HashMap::new();
        for place in &self.planned.places {
            let at = *known.entry((place.path, place.group)).or_insert_with(|| {
                let path = self.planned.paths.paths[place.path as usize].clone();
                ways.push((path, &*self.groups[place.group as usize], Vec::new()));
                ways.len() - 1
            });
            ways[at].2.push(place.at as usize);
        }
        ways
    }
}

fn rows_of<M: Persist<C>, C: RawConnection>(group: &mut Box<dyn Collected<C>>) -> &mut Rows<M, C> {
    let group: &mut dyn Any = &mut **group;
    group
        .downcast_mut()
        .expect("a group is found by the type of its rows")
}

fn deleted_by(step: &Step) -> Option<(u32, &Vec<Number>)> {
    match step {
        Step::Delete { group, rows } | Step::DeleteTogether { group, rows } => Some((*group, rows)),
        Step::Open { .. } => None,
    }
}
