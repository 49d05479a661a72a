//! Receivers for the models of `staff`, which know nothing of this crate.
#![forbid(unsafe_code)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{Employee, EmployeeProfile};

/// Addresses are stored in lower case, without spaces around them.
#[receiver(dispatch_uid = "receivers::normalise_email")]
pub fn normalise_email(event: &mut PreSave<Employee>) {
    let email = match event {
        PreSave::Create(create) => &mut create.new.email,
        PreSave::Update(update) => &mut update.instance.email,
    };
    *email = email.trim().to_lowercase();
}

/// Notes in the journal who was created.
#[receiver]
pub fn note_hired(event: &PostCreate<Employee>, conn: &mut SqliteConnection) -> QueryResult<()> {
    staff::note(conn, &format!("hired {}", event.instance.email))
}

/// Notes in the journal whose profile went.
#[receiver]
pub fn note_profile_deleted(
    event: &PostDelete<EmployeeProfile>,
    conn: &mut SqliteConnection,
) -> QueryResult<()> {
    let employee = event.instance.employee_id;
    staff::note(conn, &format!("profile of employee {employee} deleted"))
}
