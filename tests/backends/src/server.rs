use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// A kind of database server.
pub(crate) trait Server {
    type Connection: Connection;
    /// The variable that names one.
    const URL: &'static str;
    const DROP: &'static str;
}

/// A database on a server.
pub(crate) struct Database<S: Server> {
    server: String,
    name: String,
    kind: std::marker::PhantomData<S>,
}

impl<S: Server> Database<S> {
    pub(crate) fn new() -> Self {
        let server = std::env::var(S::URL).ok().filter(|url| !url.is_empty());
        let database = Database {
            server: server
                .unwrap_or_else(|| panic!("{} names a server: run scripts/test-backends", S::URL)),
            name: unique_name(),
            kind: std::marker::PhantomData,
        };
        database.manage(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn manage(&self, sql: &str) {
        S::Connection::establish(&self.server)
            .and_then(|mut conn| {
                conn.batch_execute(sql)
                    .map_err(ConnectionError::CouldntSetupConfiguration)
            })
            .expect("the server creates and drops databases");
    }

    pub(crate) fn connect(&self) -> S::Connection {
        S::Connection::establish(&self.url()).expect("the database is there")
    }

    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("a database's URL");
        format!("{server}/{}", self.name)
    }
}

impl<S: Server> Drop for Database<S> {
    fn drop(&mut self) {
        self.manage(&S::DROP.replace("{}", &self.name));
    }
}

fn unique_name() -> String {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    format!("hooks_{}_{number}", std::process::id())
}
