#[cfg(feature = "postgres")]
use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};

/// Where the tables of a test are: on SQLite a file in the server's own folder.
pub(crate) struct TestDatabase {
    #[cfg(feature = "postgres")]
    on_server: Option<OnServer>,
}

#[cfg(feature = "postgres")]
struct OnServer {
    server: String,
    name: String,
}

#[cfg(not(feature = "postgres"))]
impl TestDatabase {
    pub(crate) fn new() -> Self {
        TestDatabase {}
    }

    pub(crate) fn url(&self) -> Option<String> {
        None
    }
}

#[cfg(feature = "postgres")]
impl TestDatabase {
    pub(crate) fn new() -> Self {
        use std::process;
        use std::sync::atomic::{AtomicU32, Ordering};

        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("POSTGRES_URL")
            .ok()
            .filter(|it| !it.is_empty());
        let on_server = server.map(|server| {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("registration_{}_{count}", process::id());
            let it = OnServer { server, name };
            it.send("CREATE DATABASE");
            it
        });
        TestDatabase { on_server }
    }

    pub(crate) fn url(&self) -> Option<String> {
        self.on_server.as_ref().map(|it| {
            let (server, _) = it.server.rsplit_once('/').expect("a URL with a database");
            format!("{server}/{}", it.name)
        })
    }
}

#[cfg(feature = "postgres")]
impl OnServer {
    fn send(&self, sql: &str) {
        PgConnection::establish(&self.server)
            .expect("the server is there")
            .batch_execute(&format!("{sql} {}", self.name))
            .expect("it creates and drops databases");
    }
}

#[cfg(feature = "postgres")]
impl Drop for OnServer {
    fn drop(&mut self) {
        let connection = PgConnection::establish(&self.server);
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Ok(mut conn) = connection {
            conn.batch_execute(&sql).ok();
        }
    }
}
