#[cfg(not(feature = "multi"))]
use crate::System;
use crate::server::{self, Server};

#[cfg(not(feature = "multi"))]
pub(crate) fn system() -> System {
    System::Mysql
}

/// What the tests connect with.
pub(crate) type Connected = diesel::mysql::MysqlConnection;
pub(crate) type Database = server::Database<Mysql>;

pub(crate) struct Mysql;

impl Server for Mysql {
    type Connection = Connected;
    const URL: &'static str = "MYSQL_URL";
    const DROP: &'static str = "DROP DATABASE IF EXISTS {}";
}
