//! What keeps a commit from being answered.

use backends::{Database, TestConnection, count};
use diesel::connection::SimpleConnection;
use diesel_hooks::Error;

use crate::link::{Cut, Link, Request};
use crate::sessions::on_sqlite;

/// What breaks a connection to a server. On SQLite somebody reads, which keeps others from committing where the
/// journal is one of rollbacks.
pub(crate) enum Fault {
    Cut(Link),
    Read {
        url: String,
        reader: TestConnection,
        reads: bool,
    },
}

impl Fault {
    pub(crate) fn of(database: &Database) -> Self {
        if !on_sqlite() {
            return Fault::Cut(Link::to(database));
        }
        let mut reader = database.connect();
        reader
            .batch_execute("PRAGMA journal_mode = DELETE")
            .expect("nobody else is there");
        let (url, reads) = (database.url(), false);
        Fault::Read { url, reader, reads }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Fault::Cut(link) => link.url(),
            Fault::Read { url, .. } => url,
        }
    }

    pub(crate) fn strike(&mut self, cut: Cut) {
        match self {
            Fault::Cut(link) => link.cut(cut),
            Fault::Read { reader, reads, .. } => {
                reader.batch_execute("BEGIN").expect("nothing is open");
                count(reader, "sqlite_master");
                *reads = true;
            }
        }
    }

    pub(crate) fn is_over(&mut self) -> bool {
        match self {
            Fault::Cut(link) => link.was_cut(),
            Fault::Read { reader, reads, .. } => {
                if std::mem::take(reads) {
                    reader.batch_execute("COMMIT").expect("it has read");
                }
                true
            }
        }
    }
}

/// Where a request of this kind may be cut off.
pub(crate) fn cuts(request: Request) -> Vec<Cut> {
    match on_sqlite() {
        true => vec![Cut::Before(request)],
        false => vec![Cut::Before(request), Cut::After(request)],
    }
}

/// Whether it was done all the same.
pub(crate) fn was_done(cut: Cut) -> bool {
    matches!(cut, Cut::After(_))
}

/// Says what is true of such an error: nobody knows, but SQLite, which refused.
pub(crate) fn assert_unknown(error: &Error) {
    let unknown = matches!(error, Error::CommitUnknown { .. });
    assert_eq!(unknown, !on_sqlite(), "{error:?}");
    assert_eq!(error.is_retryable(), on_sqlite(), "{error:?}");
}
