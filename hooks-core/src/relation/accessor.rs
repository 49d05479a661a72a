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
    let missing = || Error::NotFound {
        model: R::Parent::INFO.name,
        key: child.key(),
        related_to: Some(R::Child::INFO.name),
    };
    let key = R::parent_key(child).ok_or_else(missing)?;
    match lifecycle::find(conn.raw_connection(), &key) {
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
    rows.into_iter().next().ok_or_else(|| Error::NotFound {
        model: R::Child::INFO.name,
        key: parent.key(),
        related_to: Some(R::Parent::INFO.name),
    })
}
