//! Receivers fire for models of a crate that does not know them.

use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{Employee, NewEmployee, employees, noted};

diesel_hooks::link!(receivers);

fn database() -> SqliteConnection {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite opens in memory");
    staff::create_tables(&mut conn).expect("the database is empty");
    conn
}

fn ada() -> NewEmployee {
    NewEmployee {
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        email: " Ada@Example.ORG ".to_owned(),
    }
}

#[test]
fn a_receiver_of_another_crate_changes_what_is_created() -> diesel_hooks::Result {
    let conn = &mut database();
    let employee = Employee::create(conn, ada())?;

    let stored: String = employees::table.select(employees::email).first(conn)?;
    assert_eq!(stored, "ada@example.org");
    assert_eq!(employee.email, stored);
    Ok(())
}

#[test]
fn a_receiver_of_another_crate_changes_what_is_updated() -> diesel_hooks::Result {
    let conn = &mut database();
    let mut employee = Employee::create(conn, ada())?;
    employee.update(conn, |it| it.email = "COUNTESS@example.org".to_owned())?;

    let stored: String = employees::table.select(employees::email).first(conn)?;
    assert_eq!(stored, "countess@example.org");
    assert_eq!(employee.email, stored);
    Ok(())
}

#[test]
fn a_receiver_of_another_crate_writes_on_the_passed_connection() -> diesel_hooks::Result {
    let conn = &mut database();
    let employee = Employee::create(conn, ada())?;
    employee.profile(conn)?.delete(conn)?;

    assert_eq!(
        noted(conn)?,
        [
            "hired ada@example.org".to_owned(),
            format!("profile of employee {} deleted", employee.id),
        ]
    );
    Ok(())
}

/// Runs after the receivers of the crate, whose order is 0.
#[receiver(order = 10)]
fn refuse_charles(event: &PostCreate<Employee>) -> Result<(), &'static str> {
    match event.instance.first_name.as_str() {
        "Charles" => Err("no more engines"),
        _ => Ok(()),
    }
}

#[test]
fn what_a_receiver_of_another_crate_wrote_goes_with_a_failed_create() -> diesel_hooks::Result {
    let conn = &mut database();
    Employee::create(conn, ada())?;
    let refused = Employee::create(
        conn,
        NewEmployee {
            first_name: "Charles".to_owned(),
            email: "charles@example.org".to_owned(),
            ..ada()
        },
    );

    assert!(matches!(refused, Err(diesel_hooks::Error::Receiver { .. })));
    assert_eq!(noted(conn)?, ["hired ada@example.org"]);
    assert_eq!(employees::table.count().get_result::<i64>(conn)?, 1);
    Ok(())
}

#[test]
fn the_registry_knows_the_receivers_of_another_crate() -> diesel_hooks::Result {
    diesel_hooks::registry().assert_receivers([
        "receivers::normalise_email",
        "receivers::note_hired",
        "receivers::note_profile_deleted",
    ])
}
