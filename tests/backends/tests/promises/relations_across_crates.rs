//! A crate may refer to a model of another crate: the parent gets its accessors by a trait, and its deletes
//! honour the relation.

use backends::script::counted;
use backends::{TestConnection, fresh, rows, spelt};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;
use staff::Employee;

/// An application's own tables around the employees of `staff`.
mod garage {
    use super::*;

    diesel::table! { parkings (id) { id -> Integer, employee_id -> Integer, level -> Integer } }
    diesel::table! { fines (id) { id -> Integer, employee_id -> Nullable<Integer> } }
    diesel::table! { loans (id) { id -> Integer, address -> Text } }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Parking {
        pub(crate) id: i32,
        #[hooks(one_to_one(
            staff::Employee, on_delete = Cascade, related_name = parking, related_trait = HasParking, auto_create
        ))]
        pub(crate) employee_id: i32,
        pub(crate) level: i32,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Fine {
        pub(crate) id: i32,
        #[hooks(foreign_key(staff::Employee, on_delete = SetNull, related_name = fines, related_trait = HasFines))]
        pub(crate) employee_id: Option<i32>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
    #[hooks(connection(TestConnection))]
    pub(crate) struct Loan {
        pub(crate) id: i32,
        #[hooks(foreign_key(
            staff::Employee, on_delete = Protect, to = staff::employees::email, accessor = borrower,
            related_name = loans, related_trait = HasLoans
        ))]
        pub(crate) address: String,
    }

    pub(crate) const SCHEMA: &str = "
        CREATE TABLE parkings (id {key},
            employee_id INTEGER NOT NULL UNIQUE REFERENCES employees (id), level INTEGER NOT NULL);
        CREATE TABLE fines (id {key}, employee_id INTEGER REFERENCES employees (id));
        CREATE TABLE loans (id {key}, address TEXT NOT NULL REFERENCES employees (email));
    ";
}

use garage::{
    Fine, HasFines as _, HasLoans as _, HasParking as _, Loan, NewFine, NewLoan, Parking,
};

fn database() -> TestConnection {
    let mut conn = fresh("");
    staff::create_tables(&mut conn).expect("the tables are created");
    conn.batch_execute(&spelt(garage::SCHEMA))
        .expect("the schema is right");
    conn
}

fn employee(conn: &mut TestConnection, email: &str) -> Employee {
    let new = staff::NewEmployee {
        email: email.into(),
        ..Default::default()
    };
    Employee::create(conn, new).expect("an employee")
}

/// Without the profile, which `staff` itself protects the employee with.
fn fire(
    conn: &mut TestConnection,
    employee: &Employee,
) -> diesel_hooks::Result<diesel_hooks::Deleted> {
    employee.profile(conn)?.delete(conn)?;
    employee.delete(conn)
}

#[test]
fn a_parent_of_another_crate_has_its_accessors_by_a_trait() {
    let mut conn = database();
    let ada = employee(&mut conn, "ada@x");
    let bob = employee(&mut conn, "bob@x");
    let parking: Parking = ada.parking(&mut conn).expect("made with the employee");
    assert_eq!(parking.employee(&mut conn).expect("an employee"), ada);
    let fine = Fine::create(
        &mut conn,
        NewFine {
            employee_id: Some(bob.id),
        },
    )
    .expect("a fine");
    assert_eq!(
        bob.fines(&mut conn).expect("read"),
        std::slice::from_ref(&fine)
    );
    assert_eq!(ada.fines(&mut conn).expect("read"), []);
    let loan = Loan::create(
        &mut conn,
        NewLoan {
            address: "ada@x".into(),
        },
    )
    .expect("a loan");
    assert_eq!(loan.borrower(&mut conn).expect("an employee"), ada);
    assert_eq!(ada.loans(&mut conn).expect("read"), [loan]);
    let both = [bob, ada];
    let fines = Employee::prefetch_fines(&mut conn, &both).expect("read");
    assert_eq!(fines, [vec![fine], vec![]]);
    let parkings = Employee::prefetch_parking(&mut conn, &both).expect("read");
    assert_eq!(parkings[1], Some(parking));
}

#[test]
fn a_delete_of_the_parent_honours_what_another_crate_declared() {
    let mut conn = database();
    let ada = employee(&mut conn, "ada@x");
    let fine = Fine::create(
        &mut conn,
        NewFine {
            employee_id: Some(ada.id),
        },
    )
    .expect("a fine");
    let loan = Loan::create(
        &mut conn,
        NewLoan {
            address: "ada@x".into(),
        },
    )
    .expect("a loan");
    let error = fire(&mut conn, &ada).expect_err("protected");
    assert_eq!(
        error.to_string(),
        "Employee 1 is protected by Loan 1 (through Loan.address)"
    );
    loan.delete(&mut conn).expect("deleted");
    let deleted = counted(ada.delete(&mut conn).expect("deleted"));
    assert_eq!(deleted, (2, vec![("Employee", 1), ("Parking", 1)]));
    assert_eq!(rows(&mut conn, "fines"), [format!("{} -", fine.id)]);
    let error = ada.parking(&mut conn).expect_err("it went");
    assert!(matches!(
        error,
        Error::NotFound {
            model: "Parking",
            related_to: Some("Employee"),
            ..
        }
    ));
}
