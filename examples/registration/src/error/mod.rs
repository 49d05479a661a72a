//! What can go wrong, and how it is answered.

mod answer;
mod start;
mod unique;
mod words;

use axum::extract::rejection::{PathRejection, QueryRejection};
use diesel::r2d2;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel_hooks::error::Blocked;

pub use self::start::StartError;
use self::unique::taken;
pub use self::words::{in_words, protectors};
use crate::forms::Errors;

/// The result of what a request asks for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was typed into a form is not right.
    #[error("the form has errors")]
    Invalid(Errors),
    /// What was sent is no form of ours.
    #[error("{0}")]
    BadRequest(String),
    /// The form was not fetched in this browser, or too long ago.
    #[error("a form without the token of its browser")]
    ForeignForm,
    /// What was sent is longer than any form.
    #[error("a form that is too long")]
    TooLong,
    /// Somebody is logged in, and the page is for others.
    #[error("somebody is logged in")]
    LoggedIn,
    /// Nobody is logged in.
    #[error("nobody is logged in")]
    NotLoggedIn,
    /// This user may not.
    #[error("the user is no administrator")]
    NotAdmin,
    /// There is no such page, or no such row.
    #[error("there is no such page")]
    NotFound,
    /// The page cannot be asked for in this way.
    #[error("there is no such method")]
    MethodNotAllowed,
    /// Rows that protect it keep something from being deleted.
    #[error("{0}")]
    Protected(Box<Blocked>),
    /// The database, or a receiver.
    #[error("the database: {0}")]
    Database(#[source] diesel_hooks::Error),
    /// All connections are busy, or none could be made.
    #[error("no connection: {0}")]
    Busy(#[from] r2d2::PoolError),
    /// Nothing came of it for so long that nobody waits any more.
    #[error("no answer in time")]
    TooLate,
    /// A password could not be hashed.
    #[error("hashing: {0}")]
    Hash(argon2::password_hash::Error),
    /// The operating system has no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] std::io::Error),
    /// A page could not be rendered.
    #[error("rendering: {0:#}")]
    Template(#[from] minijinja::Error),
    /// Work on another thread came to no end.
    #[error("{0}")]
    Unfinished(#[from] tokio::task::JoinError),
    /// A handler panicked.
    #[error("a handler panicked")]
    Panicked,
}

impl From<diesel_hooks::Error> for Error {
    fn from(error: diesel_hooks::Error) -> Self {
        use diesel::result::Error::DatabaseError;
        use diesel_hooks::Error as E;
        match error {
            E::Protected(why) | E::Restricted(why) => Error::Protected(why),
            E::NotFound { .. } => Error::NotFound,
            E::Query {
                source: DatabaseError(UniqueViolation, ref why),
                ..
            } => match taken(&**why) {
                Some(errors) => Error::Invalid(errors),
                None => Error::Database(error),
            },
            error => Error::Database(error),
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        diesel_hooks::Error::from(error).into()
    }
}

/// An address that names no row is that of no page.
impl From<PathRejection> for Error {
    fn from(_: PathRejection) -> Self {
        Error::NotFound
    }
}

impl From<QueryRejection> for Error {
    fn from(_: QueryRejection) -> Self {
        Error::NotFound
    }
}
