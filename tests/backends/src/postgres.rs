#[cfg(not(feature = "multi"))]
use crate::System;
use crate::server::{self, Server};

#[cfg(not(feature = "multi"))]
pub(crate) fn system() -> System {
    System::Postgres
}

/// What the tests connect with.
pub(crate) type Connected = diesel::pg::PgConnection;
pub(crate) type Database = server::Database<Postgres>;

pub(crate) struct Postgres;

impl Server for Postgres {
    type Connection = Connected;
    const URL: &'static str = "POSTGRES_URL";
    /// Whoever is still connected to it.
    const DROP: &'static str = "DROP DATABASE IF EXISTS {} WITH (FORCE)";
}
