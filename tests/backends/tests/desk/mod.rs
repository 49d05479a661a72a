//! A desk that takes orders: callbacks note when they ran, and what another connection saw then, so that
//! "after the COMMIT" is what the database says.
#![allow(dead_code, reason = "each test file uses a part of it")]

use backends::TestConnection;
use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_hooks::prelude::*;

use backends::Database;

diesel::table! { orders (id) { id -> Integer, item -> Text } }
diesel::table! { stamps (id) { id -> Integer, text -> Text } }

pub(crate) const SCHEMA: &str = "
    CREATE TABLE orders (id {key}, item TEXT NOT NULL CHECK (item <> 'impossible'));
    CREATE TABLE stamps (id {key}, text TEXT NOT NULL);
    CREATE TABLE debts (order_id INTEGER REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED);
    {trigger fatal BEFORE INSERT ON orders WHEN NEW.item = 'fatal': RAISE ROLLBACK 'fatal item';}
";

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Order {
    pub(crate) id: i32,
    pub(crate) item: String,
}

/// Has a receiver that can fail and takes no connection: its savepoint is ours, not Diesel's.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Stamp {
    pub(crate) id: i32,
    pub(crate) text: String,
}

#[receiver]
fn announce(event: &PostCreate<Order>, conn: &mut TestConnection) -> diesel_hooks::Result {
    let Some(desk) = conn.context::<Desk>() else {
        return Ok(());
    };
    let item = event.instance.item.clone();
    desk.after_commit(conn, &item)?;
    desk.after_rollback(conn, &item)
}

#[receiver]
fn refuse_a_bad_order(event: &PostSave<Order>, _: &mut TestConnection) -> Result<(), String> {
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
    pub(crate) disk: Arc<Database>,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    pub(crate) fn new() -> (Self, TestConnection) {
        let desk = Desk {
            disk: Arc::new(Database::new(SCHEMA)),
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
        conn: &mut TestConnection,
        name: &str,
    ) -> diesel_hooks::Result {
        let (desk, name) = (self.clone(), name.to_owned());
        conn.after_commit(move || desk.write(format!("{name} sees {}", desk.visible())))
    }

    pub(crate) fn after_rollback(
        &self,
        conn: &mut TestConnection,
        name: &str,
    ) -> diesel_hooks::Result {
        let (desk, name) = (self.clone(), name.to_owned());
        conn.after_rollback(move || desk.write(format!("undo {name}, {} left", desk.visible())))
    }

    /// Writes an order by plain SQL, and registers both kinds of callback.
    pub(crate) fn order(&self, conn: &mut TestConnection, item: &str) -> diesel_hooks::Result {
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
