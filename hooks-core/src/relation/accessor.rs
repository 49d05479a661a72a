use super::Reference;
use super::link::Referring;
use crate::connection::HookConnection;
use crate::error::{Error, Result};
use crate::lifecycle;
use crate::model::{Model, Persist, Row};

/// The row that a child refers to.
pub fn parent<R, C>(conn: &mut C, child: &R::Child) -> Result<R::Parent>
where
    C: HookConnection,
    R: Reference<Parent: Persist<C::Raw>>,
{
    let missing = || Error::NoRelated {
        model: R::Parent::INFO.name,
        parent: R::Child::INFO.name,
        key: child.key(),
    };
    let key = R::parent_key(child).ok_or_else(missing)?;
    match lifecycle::get(conn.raw_connection(), key) {
        Err(Error::NotFound { .. }) => Err(missing()),
        other => other,
    }
}

/// The row that refers to a parent, of a one-to-one relation.
pub fn child<R, C>(conn: &mut C, parent: &R::Parent) -> Result<R::Child>
where
    C: HookConnection,
    R: Referring<C::Raw>,
{
    let rows = R::load(conn.raw_connection(), &[parent.pk()])?;
    rows.into_iter().next().ok_or_else(|| Error::NoRelated {
        model: R::Child::INFO.name,
        parent: R::Parent::INFO.name,
        key: parent.key(),
    })
}
