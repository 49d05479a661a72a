use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::backend::{Connected, DROP, URL};

/// A database on a server.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let server = std::env::var(URL).ok().filter(|url| !url.is_empty());
        let database = Database {
            server: server
                .unwrap_or_else(|| panic!("{URL} names a server: run scripts/test-backends")),
            name: unique_name(),
        };
        database.manage(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn manage(&self, sql: &str) {
        Connected::establish(&self.server)
            .and_then(|mut conn| {
                conn.batch_execute(sql)
                    .map_err(ConnectionError::CouldntSetupConfiguration)
            })
            .expect("the server creates and drops databases");
    }

    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("a database's URL");
        format!("{server}/{}", self.name)
    }

    pub(crate) fn connect(&self) -> Connected {
        Connected::establish(&self.url()).expect("the database is there")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.manage(&DROP.replace("{}", &self.name));
    }
}

fn unique_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};

    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    format!("hooks_{}_{number}", std::process::id())
}
