//! Prints the receivers as the linker left them and, after an empty line, the sequence in which they run.
#![allow(clippy::print_stdout, reason = "what it prints is compared")]
#![allow(missing_docs)]

mod audit;
mod mail;
mod search;

use std::sync::Mutex;

use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{Employee, NewEmployee};

diesel_hooks::link!(receivers);

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes what runs.
pub(crate) fn ran(line: impl Into<String>) {
    LOG.lock().expect("no receiver panics").push(line.into());
}

#[derive(Debug, Signal)]
pub(crate) struct Hired;

fn main() -> diesel_hooks::Result {
    for receiver in diesel_hooks::registry().receivers() {
        println!("{} {}", receiver.uid, receiver.line);
    }
    println!();
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    staff::create_tables(&mut conn)?;
    let new = |name: &str| NewEmployee {
        email: format!("{name}@example.org"),
        ..NewEmployee::default()
    };
    let mut ada = Employee::create(&mut conn, new("ada"))?;
    Employee::create_many(&mut conn, vec![new("bob"), new("eve")])?;
    ada.update(&mut conn, |it| it.first_name = "Ada".into())?;
    ada.save(&mut conn)?;
    Hired.send(&mut conn)?;
    Hired.send_robust(&mut conn)?;
    ada.profile(&mut conn)?.delete(&mut conn)?;
    ada.delete(&mut conn)?;
    for line in LOG.lock().expect("no receiver panics").iter() {
        println!("{line}");
    }
    for line in staff::noted(&mut conn)? {
        println!("noted: {line}");
    }
    println!("{}", diesel_hooks::registry());
    Ok(())
}
