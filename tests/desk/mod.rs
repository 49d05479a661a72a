//! A desk that takes orders: callbacks note when they ran, and what another connection saw then, so that
//! "after the COMMIT" is what the database says.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;

use crate::common::OnDisk;

diesel::table! { orders (id) { id -> Integer, item -> Text } }
diesel::table! { stamps (id) { id -> Integer, text -> Text } }

pub(crate) const SCHEMA: &str = "
    CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL CHECK (item <> 'impossible'));
    CREATE TABLE stamps (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE debts (order_id INTEGER REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER fatal BEFORE INSERT ON orders WHEN NEW.item = 'fatal'
        BEGIN SELECT RAISE(ROLLBACK, 'fatal item'); END;
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
pub(crate) struct Order {
    pub(crate) id: i32,
    pub(crate) item: String,
}

/// Has a receiver that can fail and takes no connection: its savepoint is ours, not Diesel's.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
pub(crate) struct Stamp {
    pub(crate) id: i32,
    pub(crate) text: String,
}

#[receiver]
fn announce(event: &PostCreate<Order>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    let Some(desk) = conn.context::<Desk>() else {
        return Ok(());
    };
    let item = event.instance.item.clone();
    desk.after_commit(conn, &item)?;
    desk.after_rollback(conn, &item)
}

#[receiver]
fn refuse_a_bad_order(event: &PostSave<Order>, _: &mut SqliteConnection) -> Result<(), String> {
    match event.instance.item.as_str() {
        "bad" => Err("a bad order".to_owned()),
        "explosive" => panic!("an explosive order"),
        _ => Ok(()),
    }
}

#[receiver]
fn refuse_a_bad_stamp(event: &PostCreate<Stamp>) -> Result<(), String> {
    match event.instance.text.as_str() {
        "bad" => Err("a bad stamp".to_owned()),
        _ => Ok(()),
    }
}

/// A database, and the log of what ran and of how many orders another connection saw then.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) disk: Arc<OnDisk>,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    pub(crate) fn new() -> (Self, SqliteConnection) {
        let desk = Desk {
            disk: Arc::new(OnDisk::new(SCHEMA)),
            log: Arc::default(),
        };
        let conn = desk.disk.connect();
        (desk, conn)
    }

    pub(crate) fn visible(&self) -> i64 {
        let visible = orders::table.count().get_result(&mut self.disk.connect());
        visible.expect("orders can be counted")
    }

    pub(crate) fn write(&self, entry: String) {
        self.log.lock().expect("no test panics inside").push(entry);
    }

    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().expect("no test panics inside"))
    }

    pub(crate) fn after_commit(
        &self,
        conn: &mut SqliteConnection,
        name: &str,
    ) -> diesel_hooks::Result {
        let (desk, name) = (self.clone(), name.to_owned());
        conn.after_commit(move || desk.write(format!("{name} sees {}", desk.visible())))
    }

    pub(crate) fn after_rollback(
        &self,
        conn: &mut SqliteConnection,
        name: &str,
    ) -> diesel_hooks::Result {
        let (desk, name) = (self.clone(), name.to_owned());
        conn.after_rollback(move || desk.write(format!("undo {name}, {} left", desk.visible())))
    }

    /// Writes an order by plain SQL, and registers both kinds of callback.
    pub(crate) fn order(&self, conn: &mut SqliteConnection, item: &str) -> diesel_hooks::Result {
        diesel::insert_into(orders::table)
            .values(orders::item.eq(item))
            .execute(conn)?;
        self.after_commit(conn, item)?;
        self.after_rollback(conn, item)
    }
}

pub(crate) fn new_order(item: &str) -> NewOrder {
    NewOrder { item: item.into() }
}

pub(crate) fn done() -> diesel_hooks::Result {
    Ok(())
}

pub(crate) fn roll_back<T>() -> diesel_hooks::Result<T> {
    Err(DieselError::RollbackTransaction.into())
}
