pub(crate) use crate::server::Database;

/// What the tests connect with.
pub(crate) type Connected = diesel::mysql::MysqlConnection;

pub(crate) const KEY: &str = "INTEGER AUTO_INCREMENT PRIMARY KEY";
pub(crate) const URL: &str = "MYSQL_URL";
pub(crate) const DROP: &str = "DROP DATABASE IF EXISTS {}";
