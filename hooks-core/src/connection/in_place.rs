//! Operations inside a transaction of the application that set no savepoint: what they leave when they fail.

use std::panic::resume_unwind;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::opened::caught;
use super::transaction::doom;
use super::{RawConnection, State};
use crate::error::{Error, Result};
use crate::model::Persist;

/// Runs statements that need no undoing, inside a transaction of the application.
pub(super) fn in_place<M: Persist<C>, C: RawConnection, T>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T>,
) -> Result<T> {
    if conn.system().takes_back_unread_rows() {
        return match work(conn) {
            Ok(value) => Ok(value),
            Err(error) => Err(fail::<M, C>(conn, error, false)),
        };
    }
    set_unread(conn, false);
    match caught(conn, work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let unread = unread(conn);
            Err(fail::<M, C>(conn, error, unread))
        }
        Err(panic) => {
            if unread(conn) {
                drop(doom(conn, None));
            }
            resume_unwind(panic)
        }
    }
}

/// What the application hears, whose transaction is given up if the statement left something in it.
#[cold]
fn fail<M: Persist<C>, C: RawConnection>(conn: &mut C, error: Error, unread: bool) -> Error {
    match unread || left_something::<M, C>(conn, &error) {
        true => doom(conn, Some(error)),
        false => error,
    }
}

/// What came of reading a row that was just written. If that is an error or a panic, the row is there all the same:
/// whoever began the operation takes it back.
pub(crate) fn read_back<C: RawConnection, T>(
    conn: &mut C,
    read: std::thread::Result<Result<T>>,
) -> Result<T> {
    if !matches!(read, Ok(Ok(_))) {
        set_unread(conn, true);
    }
    read.unwrap_or_else(|panic| resume_unwind(panic))
}

fn unread<C: RawConnection>(conn: &mut C) -> bool {
    State::installed(conn).is_some_and(|state| state.unread)
}

fn set_unread<C: RawConnection>(conn: &mut C, unread: bool) {
    if let Some(state) = State::installed(conn) {
        state.unread = unread;
    }
}

/// Whether a statement ended the transaction or left half of itself, though the table looked as if none
/// could: somebody gave it a trigger since, or the disk is full.
fn left_something<M: Persist<C>, C: RawConnection>(conn: &mut C, error: &Error) -> bool {
    if is_aborted(conn, error) {
        return false;
    }
    M::look_again(conn);
    let may_end_it = matches!(
        error,
        Error::Query {
            source: DieselError::DatabaseError(
                DatabaseErrorKind::Unknown | DatabaseErrorKind::SerializationFailure,
                _
            ),
            ..
        }
    );
    M::guarded(conn) || (may_end_it && !conn.session().transaction_is_open())
}

/// Whether the database takes back by itself whatever the transaction did.
fn is_aborted<C: RawConnection>(conn: &C, error: &Error) -> bool {
    let refused = matches!(
        error,
        Error::Query {
            source: DieselError::DatabaseError(..),
            ..
        }
    );
    refused && conn.system().errors_abort()
}
