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
/// kind in a prepared statement alone, and 1020.
pub(crate) fn ends_transaction_of_mysql(message: &str) -> bool {
    message == MYSQL_DEADLOCK || message.starts_with(MYSQL_CHANGED)
}

const MYSQL_DEADLOCK: &str = "Deadlock found when trying to get lock; try restarting transaction";

const MYSQL_CHANGED: &str = "Record has changed since last read in table ";

/// The messages of errors of which Diesel tells neither kind nor code.
const CONFLICTS: &[&str] = &[
    // SQLite: SQLITE_BUSY and its kin, and SQLITE_LOCKED.
    "database is locked",
    "database table is locked",
    // MySQL: 1213 and 1205.
    MYSQL_DEADLOCK,
    "Lock wait timeout exceeded; try restarting transaction",
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
