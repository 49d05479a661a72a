//! The database: which one, its tables, and a connection for each piece of work.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::{ConnectionManager, Pool};
use diesel_hooks::HookConnectionExt as _;
use diesel_migrations::MigrationHarness as _;

pub use self::connection::AnyConnection;
use self::connection::{Settings, connect, is_postgres, migrations};
use crate::actor::Actor;
use crate::error::{Result, StartError};
use crate::models::User;
use crate::receivers::Outside;

/// How long a request waits for a connection, and a writer for the one before it.
const PATIENCE: Duration = Duration::from_secs(20);

const SETTINGS: Settings = Settings { patience: PATIENCE };

/// Connections that are made when they are needed, and kept.
pub type Connections = Pool<ConnectionManager<AnyConnection>>;

/// At most so many to this database, each told what all of them are told first.
///
/// # Errors
///
/// If not one can be made.
pub fn pool(url: &str, connections: u32) -> Result<Connections, StartError> {
    let pool = Pool::builder()
        .max_size(connections)
        .min_idle(Some(1))
        .connection_timeout(PATIENCE)
        .connection_customizer(Box::new(SETTINGS))
        .build(ConnectionManager::new(url))?;
    Ok(pool)
}

/// A pool of connections, with what receivers need of the world outside.
#[derive(Clone)]
pub struct Database {
    pool: Connections,
    outside: Arc<Outside>,
}

impl Database {
    /// Connects, and brings the tables up to date.
    ///
    /// # Errors
    ///
    /// If there is no such database, it was not compiled in, or a migration failed.
    pub fn open(url: &str, connections: u32, outside: Outside) -> Result<Self, StartError> {
        if is_postgres(url) && cfg!(not(feature = "postgres")) {
            return Err(StartError::NoPostgres);
        }
        prepare(url)?;
        Ok(Database {
            pool: pool(url, connections)?,
            outside: Arc::new(outside),
        })
    }

    /// Does `work` with a connection, on a thread that may wait.
    ///
    /// The connection is taken there, not before, so that no request holds one while it waits for a thread. Receivers find
    /// in its context who acts.
    ///
    /// # Errors
    ///
    /// What `work` returns, and if no connection became free.
    pub async fn run<T: Send + 'static>(
        &self,
        actor: Actor,
        work: impl FnOnce(&mut AnyConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (this, span) = (self.clone(), tracing::Span::current());
        let work = move || span.in_scope(|| this.run_here(actor, work));
        tokio::task::spawn_blocking(work).await?
    }

    /// The same on this thread.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_here<T>(
        &self,
        actor: Actor,
        work: impl FnOnce(&mut AnyConnection) -> Result<T>,
    ) -> Result<T> {
        let conn = &mut *self.pool.get()?;
        conn.with_context(Arc::clone(&self.outside), |conn| {
            conn.with_context(actor, work)
        })
    }

    /// What receivers reach besides the database.
    pub fn outside(&self) -> &Outside {
        &self.outside
    }
}

/// By a connection of its own: a pool would try for long to reach a database that is not there.
fn prepare(url: &str) -> Result<(), StartError> {
    let conn = &mut connect(url)?;
    SETTINGS.apply(conn)?;
    let migrations = migrations(conn);
    conn.run_pending_migrations(migrations)
        .map_err(StartError::Migrate)?;
    // Users of before there were persons; none in a new database.
    User::ensure_person(conn)?;
    Ok(())
}
