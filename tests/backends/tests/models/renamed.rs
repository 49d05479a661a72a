//! The library may have another name in Cargo.toml, as in `staff`: each of its macros finds it.

use backends::fresh;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{AnyDatabase, Employee, Entry, NewEmployee, NewEntry, Promoted, create_tables, noted};

#[test]
fn models_signals_and_receivers_work_under_another_name() {
    let mut conn = fresh("");
    create_tables(&mut conn).expect("the tables are created");
    let ada = Employee::create(&mut conn, NewEmployee::default()).expect("created");
    assert_eq!(
        ada.profile(&mut conn).expect("made with it").employee_id,
        ada.id
    );
    let promoted = Promoted {
        employee_id: ada.id,
        to: "director".into(),
    };
    promoted.send(&mut conn).expect("heard");
    let told = format!("{} is director", ada.id);
    assert_eq!(noted(&mut conn).expect("read"), [told]);
}

#[test]
fn an_enum_of_connections_works_under_another_name() {
    let mut conn = AnyDatabase::establish(":memory:").expect("SQLite is embedded");
    conn.batch_execute("CREATE TABLE journal (id INTEGER PRIMARY KEY, entry TEXT NOT NULL)")
        .expect("a table");
    let new = NewEntry {
        entry: "hired".into(),
    };
    let entry = Entry::create(&mut conn, new).expect("created");
    assert_eq!(Entry::get(&mut conn, entry.id).expect("there"), entry);
    assert_eq!(entry.delete(&mut conn).expect("deleted").total, 1);
}
