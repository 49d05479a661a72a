use diesel::r2d2;

use super::Error;

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
    Connect(#[from] diesel::ConnectionError),
    /// It could not be reached a second time.
    #[error("cannot connect to the database: {0}")]
    Pool(#[from] r2d2::PoolError),
    /// It does not do what it is told first.
    #[error("cannot set up the database: {0}")]
    SetUp(#[from] diesel::result::Error),
    /// Its tables could not be brought up to date.
    #[error("a migration failed: {0}")]
    Migrate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its rows could not be.
    #[error("cannot prepare the database: {0}")]
    Prepare(#[from] diesel_hooks::Error),
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
