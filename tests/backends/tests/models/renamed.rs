//! The library may have another name in Cargo.toml, as in `staff`: each of its macros finds it.

use backends::fresh;
use diesel_hooks::prelude::*;
use staff::{Employee, NewEmployee, Promoted, create_tables, noted};

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
