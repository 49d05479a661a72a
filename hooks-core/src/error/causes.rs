//! What caused an error, and whether that may pass.

use std::error::Error as StdError;
use std::iter::successors;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::Error;

/// An error, and what caused it, as far down as the errors tell.
pub(super) fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    successors(Some(error), |error| cause(*error))
}

fn cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    match error.downcast_ref::<Error>() {
        // Transparent variants hide themselves from `source`, and a box is not what is in it.
        Some(Error::Receiver(receiver)) => return Some(&*receiver.source),
        Some(Error::TransactionLost { source }) => {
            return source.as_deref().map(|source| source as &dyn StdError);
        }
        Some(Error::CommitUnknown { source }) => return Some(&**source),
        _ => {}
    }
    match error.downcast_ref::<DieselError>() {
        // Diesel shows the source of what it carries as its own.
        Some(
            DieselError::QueryBuilderError(carried)
            | DieselError::DeserializationError(carried)
            | DieselError::SerializationError(carried),
        ) => Some(&**carried),
        _ => error.source(),
    }
}

/// Whether the database refused only because of what others did at the same time.
pub(super) fn is_conflict(error: &DieselError) -> bool {
    let DieselError::DatabaseError(kind, info) = error else {
        return false;
    };
    match kind {
        DatabaseErrorKind::SerializationFailure => true,
        DatabaseErrorKind::Unknown => {
            let message = info.message();
            CONFLICTS.contains(&message) || CONFLICTS_OVER.iter().any(|it| message.starts_with(it))
        }
        _ => false,
    }
}

/// Whether the message is one of MySQL's after which the transaction is gone: 1213, of which Diesel tells the
/// kind in a prepared statement alone, 1020 and 1206.
pub(crate) fn ends_transaction_of_mysql(message: &str) -> bool {
    message == MYSQL_DEADLOCK || message.starts_with(MYSQL_CHANGED) || message == MYSQL_LOCKS
}

/// Whether this is 1205, after which the transaction is gone where the server is set up so.
pub(crate) fn is_lock_timeout_of_mysql(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, told) if told.message() == MYSQL_TIMEOUT)
}

const MYSQL_TIMEOUT: &str = "Lock wait timeout exceeded; try restarting transaction";

const MYSQL_LOCKS: &str = "The total number of locks exceeds the lock table size";

const MYSQL_DEADLOCK: &str = "Deadlock found when trying to get lock; try restarting transaction";

const MYSQL_CHANGED: &str = "Record has changed since last read in table ";

/// The messages of errors of which Diesel tells neither kind nor code.
const CONFLICTS: &[&str] = &[
    // SQLite: SQLITE_BUSY and its kin, and SQLITE_LOCKED.
    "database is locked",
    "database table is locked",
    // MySQL: 1213 and 1205.
    MYSQL_DEADLOCK,
    MYSQL_TIMEOUT,
    // PostgreSQL: 40P01, in the languages in which a server may be set up.
    "deadlock detected",
    "Verklemmung (Deadlock) entdeckt",
    "deadlock 발생했음",
    "deadlock upptäckt",
    "interblocage (deadlock) détecté",
    "rilevato deadlock",
    "se ha detectado un deadlock",
    "виявлено взаємне блокування",
    "обнаружена взаимоблокировка",
    "ნაპოვნია ურთიერთბლოკირება",
    "デッドロックを検出しました",
    "检测到死锁",
];

/// As [`CONFLICTS`], where a name follows.
const CONFLICTS_OVER: &[&str] = &[
    // SQLite: SQLITE_LOCKED.
    "database table is locked: ",
    "database schema is locked: ",
    // MySQL: 1020.
    MYSQL_CHANGED,
];
