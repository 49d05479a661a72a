use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::ops::Deref;

use diesel::QueryResult;

use super::dependents::{self, Created, Number};
use super::reference::Setter;
use super::referring::ParentsOf;
use super::{
    Aim, AutoCreate, Chosen, Handle, OnDelete, ParentKey, Parents, Reference, Referring, Relation,
    RelationInfo, Replacement, info,
};
use crate::backend::Rider;
use crate::collector::{
    self, Blocking, Children, ChildrenOf, Deleted, Found, Keys, Leaves, Opener, Path, Planned,
    Survey, Turn, delete_scope_past,
};
use crate::connection::{RawConnection, Scope};
use crate::each::each;
use crate::error::{Blocker, Error, Operation, RegistryError, Result};
use crate::lifecycle;
use crate::model::{Hooked, Model, Persist, Row, Stored};

/// A relation whose ends can be stored on `C`.
struct Link<R, C> {
    number: Number,
    ends: PhantomData<fn() -> (R, C)>,
}

fn reading<R: Reference>() -> impl FnOnce(diesel::result::Error) -> Error {
    Error::query(R::Child::INFO.name, Operation::Load)
}

fn writing<R: Reference>(operation: Operation) -> impl FnOnce(diesel::result::Error) -> Error {
    Error::query(R::Child::INFO.name, operation)
}

/// What finds the parent of each child.
fn indexed<R: Referring<C>, C: RawConnection>(
    conn: &mut C,
    parents: &[ParentKey<R>],
) -> Result<<R::Target as Aim<R, C>>::Index> {
    let index = R::Target::index(conn, parents);
    index.map_err(Error::query(R::Parent::INFO.name, Operation::Load))
}

/// Nulls the relation of some children, to open a circle.
fn open<R: Referring<C>, C: RawConnection>(conn: &mut C, children: &dyn Any) -> Result<()> {
    let children: &Vec<<R::Child as Model>::Pk> =
        children.downcast_ref().ok_or(RegistryError::KeysOfTable {
            first: R::Child::INFO.name,
            second: R::Child::INFO.name,
        })?;
    R::set(conn, children, None)
        .map(drop)
        .map_err(writing::<R>(Operation::Update))
}

fn opener<R: Referring<C>, C: RawConnection>() -> Option<Opener<C>> {
    use crate::backend::statements::Columns;
    R::Columns::NULLABLE.then_some(open::<R, C>)
}

impl<R, C> Relation<ParentKey<R>, C> for Link<R, C>
where
    C: RawConnection,
    R: Referring<C>,
{
    fn info(&self) -> RelationInfo {
        info::<R>()
    }

    fn on_delete(&self) -> OnDelete {
        R::FACTS.on_delete
    }

    fn child_table(&self) -> TypeId {
        TypeId::of::<<R::Child as Row>::Table>()
    }

    fn child_path(&self, backend: &C::Backend) -> QueryResult<Vec<String>> {
        R::Child::path(backend)
    }

    fn create_scope(&self) -> Result<Scope> {
        lifecycle::create_scope::<R::Child, C>()
    }

    fn rider(&self, conn: &mut C) -> Result<Option<Rider<C::Backend>>> {
        if const { !auto_creates::<R>() } {
            return Ok(None);
        }
        let unique = |conn: &mut C| self.number.is_unique::<R, C>(conn);
        dependents::rider::<R, C>(conn, unique)
    }

    fn create_dependent(&self, conn: &mut C, parent: &dyn Any, key: &ParentKey<R>) -> Result<()> {
        if const { !auto_creates::<R>() } {
            return Ok(());
        }
        let unique = |conn: &mut C| self.number.is_unique::<R, C>(conn);
        dependents::create_one::<R, C>(conn, unique, parent, key)
    }

    fn create_dependents(&self, conn: &mut C, parents: &dyn Created<ParentKey<R>>) -> Result<()> {
        if const { !auto_creates::<R>() } {
            return Ok(());
        }
        let unique = |conn: &mut C| self.number.is_unique::<R, C>(conn);
        dependents::create::<R, C>(conn, unique, parents)
    }

    fn delete_scope(&self, visited: &mut Vec<TypeId>) -> Result<Scope> {
        match R::FACTS.on_delete {
            OnDelete::Cascade => delete_scope_past::<R::Child, C>(visited),
            OnDelete::DoNothing | OnDelete::Database => Ok(Scope::Statement),
            _ => match R::replacement() {
                // The application's function has the connection.
                Replacement::Setter(_) => Ok(Scope::Receivers),
                _ => Ok(Scope::Statements),
            },
        }
    }

    fn survey(&self, survey: &mut Survey) -> Result<()> {
        survey.visit::<R::Child, C>()
    }

    fn children(&self, conn: &mut C, keys: &[ParentKey<R>]) -> Result<Children<ParentKey<R>, C>> {
        if const { !cascades::<R>() } || !R::Child::hooks()?.signals_delete(conn) {
            return self.child_keys(conn, keys, None);
        }
        let rows = R::lock_rows(conn, Parents::Keys(keys)).map_err(reading::<R>())?;
        let index = indexed::<R, C>(conn, keys)?;
        let parent = |row| R::Target::parent(&index, R::KEY.read(row)?);
        let parents = each(&rows, parent);
        Ok(Children {
            parents,
            rows: Box::new(rows),
            opener: opener::<R, C>(),
        })
    }

    fn leaves(&self, conn: &mut C, keys: &[ParentKey<R>]) -> Result<Option<Box<dyn Leaves<C>>>> {
        if const { !cascades::<R>() }
            || !R::Child::hooks()?.signals_delete(conn)
            || R::Child::guarded(conn)
        {
            return Ok(None);
        }
        Ok(Some(Box::new(ChildrenOf::<R>::load(conn, keys)?)))
    }

    fn child_keys(
        &self,
        conn: &mut C,
        keys: &[ParentKey<R>],
        limit: Option<usize>,
    ) -> Result<Children<ParentKey<R>, C>> {
        let of = Parents::Keys(keys);
        let pairs = match limit {
            None => R::keys(conn, of),
            Some(limit) => R::some_keys(conn, of, limit),
        };
        let index = indexed::<R, C>(conn, keys)?;
        let (mut keys, mut parents) = (Vec::new(), Vec::new());
        for (child, key) in pairs.map_err(reading::<R>())? {
            keys.push(child);
            parents.push(R::Target::parent(&index, key));
        }
        Ok(Children {
            parents,
            rows: Box::new(Keys::<R::Child, C>(keys, PhantomData)),
            opener: opener::<R, C>(),
        })
    }

    fn count(&self, conn: &mut C, parents: ParentsOf<'_, R, C>) -> Result<usize> {
        R::count(conn, parents).map_err(reading::<R>())
    }

    fn find_blockers(
        &self,
        conn: &mut C,
        parents: ParentsOf<'_, R, C>,
        path: &Path,
        found: &mut Found,
    ) -> Result<()> {
        let path = path.and(info::<R>());
        if let Some(blocking) = Blocking::of(R::FACTS.on_delete) {
            let listed = R::some_keys(conn, parents, Blocker::LISTED + 1).map_err(reading::<R>())?;
            let count = match listed.len() > Blocker::LISTED {
                true => self.count(conn, parents)?,
                false => listed.len(),
            };
            let keys = each(&listed, |(child, _)| R::Child::key_of(child));
            found.add(blocking, &path, keys, count);
        }
        if R::FACTS.on_delete != OnDelete::Cascade {
            return Ok(());
        }
        let relations = &R::Child::hooks()?.relations;
        if relations.is_empty() {
            return Ok(());
        }
        R::each_part(conn.system(), parents, &mut |condition| {
            relations.iter().try_for_each(|relation| {
                relation.find_blockers(conn, Parents::Where(condition), &path, found)
            })
        })
    }

    fn replace(
        &self,
        conn: &mut C,
        parents: ParentsOf<'_, R, C>,
        chosen: &mut Chosen,
    ) -> Result<usize> {
        if const { !R::FACTS.on_delete.replaces() } {
            return Ok(0);
        }
        let by = match R::replacement() {
            Replacement::Null => None,
            Replacement::Value(value) => once::<R>(chosen, value),
            Replacement::Setter(setter) => {
                if R::some_keys(conn, parents, 1)
                    .map_err(reading::<R>())?
                    .is_empty()
                {
                    return Ok(0);
                }
                choose::<R, C>(conn, &*setter, chosen)?
            }
        };
        R::replace(conn, parents, by).map_err(writing::<R>(Operation::Update))
    }

    fn has_chosen(&self, chosen: &Chosen) -> bool {
        chosen.contains_key(&TypeId::of::<R>())
    }

    fn replace_unless_they_go(
        &self,
        conn: &mut C,
        keys: &[ParentKey<R>],
        planned: &Planned,
        chosen: &mut Chosen,
    ) -> Result<()> {
        if const { !R::FACTS.on_delete.replaces() } {
            return Ok(());
        }
        let pairs = R::keys(conn, Parents::Keys(keys)).map_err(reading::<R>())?;
        let (mut going, mut staying) = (Vec::new(), Vec::new());
        for (child, _) in pairs {
            match planned.number::<R::Child, C>(&child) {
                Some(_) => going.push(child),
                None => staying.push(child),
            }
        }
        if opener::<R, C>().is_some() {
            R::set(conn, &going, None).map_err(writing::<R>(Operation::Update))?;
        }
        if staying.is_empty() {
            return Ok(());
        }
        let by = match R::replacement() {
            Replacement::Null => None,
            Replacement::Value(value) => once::<R>(chosen, value),
            Replacement::Setter(setter) => choose::<R, C>(conn, &*setter, chosen)?,
        };
        R::set(conn, &staying, by)
            .map(drop)
            .map_err(writing::<R>(Operation::Update))
    }

    fn end_unloaded(
        &self,
        conn: &mut C,
        parents: ParentsOf<'_, R, C>,
        turn: Turn,
        chosen: &mut Chosen,
        deleted: &mut Deleted,
    ) -> Result<()> {
        if const { !cascades::<R>() } {
            return Ok(());
        }
        let relations = &R::Child::hooks()?.relations;
        if !relations.is_empty() {
            R::each_part(conn.system(), parents, &mut |condition| {
                let children = Parents::Where(condition);
                relations.iter().try_for_each(|relation| {
                    collector::end(&**relation, conn, children, turn, chosen, deleted)
                })
            })?;
        }
        if turn == Turn::Updates {
            return Ok(());
        }
        let count =
            R::delete(conn, parents).map_err(|error| refused::<R, C>(conn, parents, error))?;
        deleted.add(R::Child::INFO.name, count);
        if !R::Child::guarded(conn) {
            return Ok(());
        }
        match self.count(conn, parents)? {
            0 => Ok(()),
            kept => Err(Error::RowCount {
                model: R::Child::INFO.name,
                operation: Operation::Delete,
                expected: count + kept,
                actual: count,
            }),
        }
    }
}

/// Whether the rows go with those that they refer to. Asked at compile time, so that what a relation never does is
/// not compiled for it.
const fn cascades<R: Reference>() -> bool {
    matches!(R::FACTS.on_delete, OnDelete::Cascade)
}

/// Whether a row comes into being with the one that it refers to.
const fn auto_creates<R: Reference>() -> bool {
    !matches!(R::AUTO_CREATE, AutoCreate::No)
}

/// What it means that rows which go without being loaded are refused: others were made to refer to one, or
/// whatever the database says.
fn refused<R: Referring<C>, C: RawConnection>(
    conn: &mut C,
    parents: ParentsOf<'_, R, C>,
    error: diesel::result::Error,
) -> Error {
    if collector::is_foreign_key(&error)
        && let Ok(hooks) = R::Child::hooks()
    {
        let chosen = |on_delete| matches!(on_delete, OnDelete::SetDefault | OnDelete::Set);
        for relation in hooks.relations.iter().filter(|it| chosen(it.on_delete())) {
            let mut count = 0;
            let counted = R::each_part(conn.system(), parents, &mut |condition| -> Result<()> {
                count += relation.count(conn, Parents::Where(condition))?;
                Ok(())
            });
            if counted.is_ok() && count > 0 {
                return collector::names_what_goes(&relation.info());
            }
        }
    }
    writing::<R>(Operation::Delete)(error)
}

/// What a function of the application says that takes no connection, asked once in a delete.
fn once<R: Reference>(
    chosen: &mut Chosen,
    choose: impl FnOnce() -> Option<R::Key>,
) -> Option<R::Key> {
    let key = chosen
        .entry(TypeId::of::<R>())
        .or_insert_with(|| Box::new(choose()));
    key.downcast_ref::<Option<R::Key>>().cloned().flatten()
}

/// What one with a connection says, asked once, too.
fn choose<R: Reference, C: RawConnection>(
    conn: &mut C,
    setter: &dyn Any,
    chosen: &mut Chosen,
) -> Result<Option<R::Key>> {
    let known = chosen.get(&TypeId::of::<R>());
    if let Some(key) = known.and_then(|key| key.downcast_ref::<Option<R::Key>>()) {
        return Ok(key.clone());
    }
    let Setter(choose) = setter.downcast_ref::<Setter<R, C>>().ok_or_else(|| {
        RegistryError::SetOnOtherConnection {
            relation: info::<R>().name(),
            connection: std::any::type_name::<C>(),
        }
    })?;
    let key = choose(conn).map_err(|source| Error::Set {
        relation: info::<R>().name(),
        source,
    })?;
    chosen.insert(TypeId::of::<R>(), Box::new(key.clone()));
    Ok(key)
}

/// Asks the compiler whether both ends of a relation can be stored on a connection type: its own method is
/// found first, if the bounds hold.
pub struct Probe<R, C>(PhantomData<fn() -> (R, C)>);

impl<R, C> Probe<R, C> {
    #[expect(
        clippy::new_without_default,
        reason = "only the derive's output makes one"
    )]
    /// The question.
    pub fn new() -> Self {
        Probe(PhantomData)
    }
}

impl<R: Referring<C>, C: RawConnection> Probe<R, C> {
    /// The relation, if it is asked for on this connection type.
    pub fn link(&self, on: TypeId) -> Handle {
        if on != TypeId::of::<C>() {
            return None;
        }
        let link = Link::<R, C> {
            number: Number::new(),
            ends: PhantomData,
        };
        let link: Box<dyn Relation<ParentKey<R>, C>> = Box::new(link);
        Some(Box::new(link))
    }
}

/// The answer no.
pub struct Unsupported;

impl Unsupported {
    /// Nothing.
    pub fn link(&self, _on: TypeId) -> Handle {
        None
    }
}

impl<R, C> Deref for Probe<R, C> {
    type Target = Unsupported;

    fn deref(&self) -> &Unsupported {
        &Unsupported
    }
}
