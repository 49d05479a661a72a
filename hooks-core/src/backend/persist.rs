//! Storing rows, on any connection that has a way to insert them.

use diesel::query_builder::QueryFragment;
use diesel::result::Error as DieselError;

use super::{Inserting, Rider, Shape};
use crate::connection::RawConnection;
use crate::error::Result;
use crate::model::{Persist, Refused, Stored};
use crate::timestamp::Fresh;

impl<M, C> Persist<C> for M
where
    C: RawConnection<Inserting: Inserting<M, C>>,
    M: Stored<C>,
{
    #[inline]
    fn guarded(conn: &mut C) -> bool {
        Shape::of::<M, C>(conn).guarded
    }

    fn look_again(conn: &mut C) {
        Shape::forget::<M, C>(conn);
    }

    #[inline]
    fn insert(conn: &mut C, new: Fresh<M>) -> Result<M> {
        C::Inserting::insert(conn, new)
    }

    #[inline]
    fn insert_unread(conn: &mut C, new: Fresh<M>) -> Result {
        C::Inserting::insert_unread(conn, new)
    }

    fn insert_many(conn: &mut C, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        C::Inserting::insert_many(conn, new)
    }

    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        C::Inserting::insert_many_unread(conn, new)
    }

    #[inline]
    fn gives_back(conn: &mut C) -> bool {
        Shape::of::<M, C>(conn).gives_back
    }

    fn carried(conn: &mut C, new: Fresh<M>) -> Option<Box<dyn QueryFragment<C::Backend>>> {
        C::Inserting::carried(conn, new)
    }

    fn carries(conn: &mut C, riders: &[Rider<C::Backend>]) -> Result<bool> {
        C::Inserting::carries(conn, riders)
    }

    fn insert_with(conn: &mut C, new: Fresh<M>, riders: Vec<Rider<C::Backend>>) -> Result<M> {
        C::Inserting::insert_with(conn, new, riders)
    }

    fn is_taken(conn: &mut C, error: &DieselError) -> bool {
        let path = M::path(&conn.backend());
        path.is_ok_and(|path| conn.session().is_taken(&path, error))
    }

    fn is_unique(conn: &mut C, columns: &[&str]) -> bool {
        let path = M::path(&conn.backend());
        let facts = path.and_then(|path| conn.session().describe(&path));
        !Self::guarded(conn) && matches!(facts, Ok(Some(facts)) if facts.is_unique(columns))
    }
}
