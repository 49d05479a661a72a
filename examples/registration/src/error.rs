//! What can go wrong, and how it is answered.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use diesel::r2d2;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind::UniqueViolation};
use diesel_hooks::error::Blocked;
use minijinja::context;

use crate::forms::Errors;
use crate::web::pages;

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

/// Why the application does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An environment variable has no sense.
    #[error("{variable} is {value:?}, which is not {expected}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What it is.
        value: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// The program was compiled for SQLite alone.
    #[error(
        "DATABASE_URL names PostgreSQL, for which this program was not compiled; run it with `--features postgres`"
    )]
    NoPostgres,
    /// There is no such database.
    #[error("cannot connect to the database: {0}")]
    Connect(#[source] r2d2::PoolError),
    /// Its tables could not be brought up to date.
    #[error("a migration failed: {0}")]
    Migrate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its rows could not be.
    #[error("cannot prepare the database: {0}")]
    Prepare(#[source] diesel_hooks::Error),
    /// A file or the network refused.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Anything else that requests can meet too.
    #[error(transparent)]
    Other(#[from] Error),
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

/// What SQLite says of a unique constraint, what PostgreSQL calls it, and what that means beside which field.
const UNIQUE: [(&str, &str, &str, &str); 4] = [
    (
        "users.username",
        "users_username_key",
        "username",
        "This user name is taken.",
    ),
    (
        "users.email",
        "users_email_key",
        "email",
        "There is an account with this e-mail address.",
    ),
    (
        "employees.user_id",
        "employees_user_id_key",
        "username",
        "This user is an employee already.",
    ),
    (
        "employee_profiles.employee_id",
        "employee_profiles_employee_id_key",
        "employee_id",
        "This employee has a profile already.",
    ),
];

fn taken(why: &dyn DatabaseErrorInformation) -> Option<Errors> {
    let named = why.constraint_name();
    let columns = why.message().strip_prefix("UNIQUE constraint failed: ");
    let is_it = |sqlite: &str, postgres: &str| named == Some(postgres) || columns == Some(sqlite);
    UNIQUE
        .iter()
        .find(|(sqlite, postgres, ..)| is_it(sqlite, postgres))
        .map(|(_, _, field, message)| Errors::beside(field, *message))
}

/// What does not let something go, in words for people.
pub fn protectors(why: &Blocked) -> String {
    let rows = why.blockers().iter().flat_map(|blocker| {
        let name = in_words(blocker.model);
        blocker.keys.iter().map(move |key| format!("{name} {key}"))
    });
    let more: usize = why.blockers().iter().map(|it| it.more).sum();
    let more = (more > 0).then(|| format!("{more} more"));
    rows.chain(more).collect::<Vec<_>>().join(", ")
}

/// `EmployeeProfile` is `employee profile`.
pub fn in_words(model: &str) -> String {
    let mut words = String::new();
    for letter in model.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::BadRequest(_) => StatusCode::BAD_REQUEST,
            Error::ForeignForm | Error::NotAdmin => StatusCode::FORBIDDEN,
            Error::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Error::LoggedIn | Error::NotLoggedIn => StatusCode::SEE_OTHER,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Error::Protected(_) => StatusCode::CONFLICT,
            Error::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(why) if why.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(_)
            | Error::Hash(_)
            | Error::Random(_)
            | Error::Template(_)
            | Error::Unfinished(_)
            | Error::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the visitor reads: nothing of what is inside.
    fn message(&self) -> String {
        match self {
            Error::Invalid(errors) => errors.to_string(),
            Error::BadRequest(why) => why.clone(),
            Error::ForeignForm => {
                "This form is too old, or was not opened here. Go back, reload the page and send it again.".into()
            }
            Error::TooLong => "This is more than fits into the form.".into(),
            Error::NotAdmin => "This page is for administrators.".into(),
            Error::NotFound => "There is nothing here.".into(),
            Error::MethodNotAllowed => "This page cannot be asked for in this way.".into(),
            Error::Protected(why) => {
                format!("It cannot be deleted while this refers to it: {}.", protectors(why))
            }
            Error::Busy(_) => "Too many people are here right now. Please try again.".into(),
            Error::Database(why) if why.is_retryable() => {
                "Somebody else is changing the same. Please try again.".into()
            }
            _ => "Something went wrong here. It is written down, and we are sorry.".into(),
        }
    }
}

/// The one place in which an error becomes an answer.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Error::NotLoggedIn => return Redirect::to("/login").into_response(),
            Error::LoggedIn => return Redirect::to("/profile").into_response(),
            _ => {}
        }
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = %self);
        }
        let heading = status.canonical_reason().unwrap_or("Error");
        let context = context! { heading, message => self.message(), visitor => () };
        match pages::render("error.html", context) {
            Ok(page) => (status, page).into_response(),
            Err(error) => {
                tracing::error!(%error);
                (status, self.message()).into_response()
            }
        }
    }
}
