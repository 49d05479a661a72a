use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// What the tests connect with.
pub(crate) type Connected = MysqlConnection;

pub(crate) const KEY: &str = "INTEGER AUTO_INCREMENT PRIMARY KEY";

pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let database = Database {
            server: crate::server("MYSQL_URL"),
            name: crate::unique_name(),
        };
        database.manage(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn manage(&self, sql: &str) {
        MysqlConnection::establish(&self.server)
            .and_then(|mut conn| {
                conn.batch_execute(sql)
                    .map_err(ConnectionError::CouldntSetupConfiguration)
            })
            .expect("the server creates and drops databases");
    }

    pub(crate) fn connect(&self) -> Connected {
        let (server, _) = self.server.rsplit_once('/').expect("a database's URL");
        MysqlConnection::establish(&format!("{server}/{}", self.name))
            .expect("the database is there")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.manage(&format!("DROP DATABASE IF EXISTS {}", self.name));
    }
}
