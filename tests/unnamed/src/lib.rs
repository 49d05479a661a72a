//! A receiver for `staff`, in a crate that no code names but `diesel_hooks::link!`.
#![forbid(unsafe_code)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::Employee;

#[receiver(dispatch_uid = "unnamed_receivers::note_badge")]
fn note_badge(event: &PostCreate<Employee>, conn: &mut SqliteConnection) -> QueryResult<()> {
    staff::note(conn, &format!("badge for employee {}", event.instance.id))
}
