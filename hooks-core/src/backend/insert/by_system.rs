//! On a connection to one of several databases, which one it is decides.

use diesel::query_builder::QueryFragment;

use super::{ByLastId, ByReturning, ByRowid, Inserting, Rider};
use crate::backend::{Dialect, System};
use crate::connection::RawConnection;
use crate::error::Result;
use crate::model::{Refused, Row};
use crate::timestamp::Fresh;

/// How rows are inserted on a connection to one of several databases.
#[doc(hidden)]
pub enum BySystem {}

macro_rules! as_there {
    ($conn:ident, $function:ident($($new:ident),*)) => {
        match $conn.backend().system() {
            System::Sqlite => <ByRowid as Inserting<M, C>>::$function($conn $(, $new)*),
            System::Postgres => <ByReturning as Inserting<M, C>>::$function($conn $(, $new)*),
            System::Mysql => <ByLastId as Inserting<M, C>>::$function($conn $(, $new)*),
        }
    };
}

impl<M, C> Inserting<M, C> for BySystem
where
    M: Row,
    C: RawConnection,
    ByRowid: Inserting<M, C>,
    ByReturning: Inserting<M, C>,
    ByLastId: Inserting<M, C>,
{
    fn insert(conn: &mut C, new: Fresh<M>) -> Result<M> {
        as_there!(conn, insert(new))
    }

    fn insert_unread(conn: &mut C, new: Fresh<M>) -> Result {
        as_there!(conn, insert_unread(new))
    }

    fn insert_many(conn: &mut C, new: Vec<Fresh<M>>) -> Result<Vec<M>, Refused> {
        as_there!(conn, insert_many(new))
    }

    fn insert_many_unread(conn: &mut C, new: Vec<Fresh<M>>) -> Result<(), Refused> {
        as_there!(conn, insert_many_unread(new))
    }

    fn carried(conn: &mut C, new: Fresh<M>) -> Option<Box<dyn QueryFragment<C::Backend>>> {
        as_there!(conn, carried(new))
    }

    fn carries(conn: &mut C, riders: &[Rider<C::Backend>]) -> Result<bool> {
        as_there!(conn, carries(riders))
    }

    fn insert_with(conn: &mut C, new: Fresh<M>, riders: Vec<Rider<C::Backend>>) -> Result<M> {
        as_there!(conn, insert_with(new, riders))
    }
}
