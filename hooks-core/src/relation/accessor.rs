use std::collections::HashMap;

use super::reference::Found;
use super::{Aim, ParentKey, Parents, Reference, Referring};
use crate::backend::statements::{Columns, Nullability};
use crate::connection::{HookConnection, RawConnection};
use crate::error::{Error, Operation, Result};
use crate::model::{Model, Row};

/// A connection on which both ends of the relation `R` can be stored.
///
/// There is nothing to implement: `#[derive(Hooks)]` and the columns' types decide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not have both ends of this relation",
    label = "not a connection on which both models have hooks",
    note = "see that both models have `#[derive(Hooks)]` and hooks on this connection, and that its backend can store their columns"
)]
pub trait On<R: Reference>: HookConnection {
    /// The row that a child refers to.
    #[doc(hidden)]
    fn parent(&mut self, child: &R::Child) -> Result<Found<R::Columns, R::Parent>>;
    /// The row that refers to a parent.
    #[doc(hidden)]
    fn child(&mut self, parent: &R::Parent) -> Result<R::Child>;
    /// The rows that refer to a parent, in the order of the database.
    #[doc(hidden)]
    fn children(&mut self, parent: &R::Parent) -> Result<Vec<R::Child>>;
    /// The row that refers to each of these parents, by one query.
    #[doc(hidden)]
    fn prefetch_child(&mut self, parents: &[R::Parent]) -> Result<Vec<Option<R::Child>>>;
    /// The rows that refer to each of these parents, by one query.
    #[doc(hidden)]
    fn prefetch_children(&mut self, parents: &[R::Parent]) -> Result<Vec<Vec<R::Child>>>;
    /// Creates the rows that parents lack, and says how many.
    #[doc(hidden)]
    fn ensure_children(&mut self) -> Result<usize>;
}

#[diagnostic::do_not_recommend]
impl<R, C> On<R> for C
where
    C: HookConnection,
    R: Referring<C::Raw>,
{
    fn parent(&mut self, child: &R::Child) -> Result<Found<R::Columns, R::Parent>> {
        let missing = || Error::NotFound {
            model: R::Parent::INFO.name,
            key: child.key(),
            related_to: Some(R::Child::INFO.name),
        };
        let found = match R::KEY.read(child) {
            None => None,
            Some(key) => {
                let found = R::Target::find(self.raw_connection(), key)
                    .map_err(Error::query(R::Parent::INFO.name, Operation::Load))?;
                Some(found.ok_or_else(missing)?)
            }
        };
        <R::Columns as Columns>::Nullability::of(found, missing)
    }

    fn child(&mut self, parent: &R::Parent) -> Result<R::Child> {
        let rows = On::<R>::children(self, parent)?;
        rows.into_iter().next().ok_or_else(|| Error::NotFound {
            model: R::Child::INFO.name,
            key: parent.key(),
            related_to: Some(R::Parent::INFO.name),
        })
    }

    fn children(&mut self, parent: &R::Parent) -> Result<Vec<R::Child>> {
        load::<R, C::Raw>(self.raw_connection(), &[parent.pk()])
    }

    fn prefetch_child(&mut self, parents: &[R::Parent]) -> Result<Vec<Option<R::Child>>> {
        let children: Vec<Vec<_>> = On::<R>::prefetch_children(self, parents)?;
        Ok(children
            .into_iter()
            .map(|children| children.into_iter().next())
            .collect())
    }

    fn prefetch_children(&mut self, parents: &[R::Parent]) -> Result<Vec<Vec<R::Child>>> {
        let conn = self.raw_connection();
        let mut children: HashMap<ParentKey<R>, Vec<R::Child>> = parents
            .iter()
            .map(|parent| (parent.pk(), Vec::new()))
            .collect();
        let keys: Vec<_> = children.keys().cloned().collect();
        let index = R::Target::index(conn, &keys)
            .map_err(Error::query(R::Parent::INFO.name, Operation::Load))?;
        let mut others = false;
        for child in load::<R, C::Raw>(conn, &keys)? {
            let parent = R::KEY
                .read(&child)
                .and_then(|key| R::Target::parent(&index, key));
            match parent.and_then(|key| children.get_mut(&key)) {
                Some(children) => children.push(child),
                None => others = true,
            }
        }
        // A database that compares without case found children with another spelling of the key.
        if others {
            for (key, children) in &mut children {
                *children = load::<R, C::Raw>(conn, std::slice::from_ref(key))?;
            }
        }
        let mut last = HashMap::with_capacity(parents.len());
        for (place, parent) in parents.iter().enumerate() {
            last.insert(parent.pk(), place);
        }
        let of = |(place, parent): (usize, &R::Parent)| match last[&parent.pk()] == place {
            true => children.remove(&parent.pk()).unwrap_or_default(),
            // It comes again, and only the last takes them.
            false => children[&parent.pk()].clone(),
        };
        Ok(parents.iter().enumerate().map(of).collect())
    }

    fn ensure_children(&mut self) -> Result<usize> {
        super::ensure::ensure::<R, C::Raw>(self.raw_connection())
    }
}

fn load<R, C>(conn: &mut C, keys: &[ParentKey<R>]) -> Result<Vec<R::Child>>
where
    C: RawConnection,
    R: Referring<C>,
{
    let rows = R::rows(conn, Parents::Keys(keys));
    rows.map_err(Error::query(R::Child::INFO.name, Operation::Load))
}
