//! What a row is created from, where it may turn out that the row is there.

use diesel::insertable::{InsertValues, Insertable};

use super::{Persist, Row};
use crate::connection::RawConnection;
use crate::diesel_internals::{Inserted, SetAsInserted};
use crate::error::Result;
use crate::lifecycle;

/// What a row is created from, or a closure that makes it, which is called only if it is needed.
///
/// There is nothing to implement.
#[diagnostic::on_unimplemented(
    message = "a row is created from `{New}`, not from `{Self}`",
    label = "neither a `{New}` nor a closure that makes one",
    note = "`|| {New} {{ .. }}` is called only if there is no row yet"
)]
pub trait IntoNew<New, How> {
    #[doc(hidden)]
    fn into_new(self) -> New;
}

/// It is there.
#[doc(hidden)]
pub struct Ready;

/// It is made when it is needed.
#[doc(hidden)]
pub struct Made;

#[diagnostic::do_not_recommend]
impl<New> IntoNew<New, Ready> for New {
    fn into_new(self) -> New {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<New, F: FnOnce() -> New> IntoNew<New, Made> for F {
    fn into_new(self) -> New {
        self()
    }
}

/// A model whose key is known before its row is there.
#[doc(hidden)]
pub trait Keyed: Row {
    /// The key of the row that this makes.
    fn new_pk(new: &Self::New) -> Self::Pk;
    /// Puts what a row would be created from into the fields of one that is there, or hands it back if nothing
    /// is known of its fields.
    fn put(&mut self, new: Self::New) -> Option<Self::New> {
        Some(new)
    }
}

/// A model that [`upsert`](super::Model::upsert) can write on connections of type `C`: the application makes
/// its key.
///
/// There is nothing to implement: `#[derive(Hooks)]` decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `upsert`: its key is not known before its row is there",
    label = "the database makes the key of `{Self}`",
    note = "where the application makes the key, say `#[hooks(assigned)]` on its fields, or `#[hooks(new = Self)]` on the struct",
    note = "a struct of your own in `#[hooks(new = ..)]` has fields of the same names then"
)]
pub trait Upsert<C: RawConnection>: Keyed + Persist<C> {
    /// Writes what a row would be created from to the one that is there, in the transaction or savepoint of the
    /// caller.
    #[doc(hidden)]
    fn overwrite(conn: &mut C, stored: Self, new: Self::New) -> Result<Self>;
}

#[diagnostic::do_not_recommend]
impl<M, C> Upsert<C> for M
where
    C: RawConnection,
    M: Keyed + Persist<C>,
    M::New: Insertable<M::Table, Values: Inserted<Table = M::Table>>,
    <<M::New as Insertable<M::Table>>::Values as Inserted>::Each:
        InsertValues<C::Backend, M::Table>,
{
    fn overwrite(conn: &mut C, stored: M, new: M::New) -> Result<M> {
        let mut row = stored.clone();
        match row.put(new) {
            None => lifecycle::overwrite(conn, &stored, row),
            Some(new) => {
                let set = SetAsInserted::<_, M::Table>::new(new.values().each());
                lifecycle::write_set(conn, &stored, set)
            }
        }
    }
}
