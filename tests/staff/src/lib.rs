//! Models, and a journal that receivers write to, shared by the tests of diesel-hooks.
#![forbid(unsafe_code)]

use backends::TestConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use lifecycle::prelude::*;

/// The tables, as Diesel's command line prints them.
#[allow(missing_docs, reason = "`table!` takes no docs for what it makes")]
pub mod schema {
    diesel::table! {
        employees (id) {
            id -> Integer,
            first_name -> Text,
            last_name -> Text,
            email -> Text,
        }
    }

    diesel::table! {
        employee_profiles (id) {
            id -> Integer,
            employee_id -> Integer,
            bio -> Nullable<Text>,
        }
    }

    diesel::table! {
        journal (id) {
            id -> Integer,
            entry -> Text,
        }
    }
}

pub use schema::*;

diesel::joinable!(employee_profiles -> employees (employee_id));
diesel::allow_tables_to_appear_in_same_query!(employees, employee_profiles);

/// What has a name.
pub trait Named {
    /// As it is written on a door.
    fn name(&self) -> String;
}

impl Named for Employee {
    fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employees)]
#[hooks(new = NewEmployee, extends(Named), connection(TestConnection), crate = lifecycle)]
pub struct Employee {
    /// Made by the database.
    pub id: i32,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Unique among employees.
    pub email: String,
}

/// What an [`Employee`] is created from.
#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = employees)]
pub struct NewEmployee {
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Unique among employees.
    pub email: String,
}

/// What every [`Employee`] gets when it is created.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employee_profiles)]
#[hooks(new = NewEmployeeProfile, connection(TestConnection), crate = lifecycle)]
pub struct EmployeeProfile {
    /// Made by the database.
    pub id: i32,
    /// The employee, who cannot be deleted while the profile is there.
    #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
    pub employee_id: i32,
    /// Free text.
    pub bio: Option<String>,
}

/// What an [`EmployeeProfile`] is created from.
#[derive(Debug, Clone, Default, Insertable)]
#[diesel(table_name = employee_profiles)]
pub struct NewEmployeeProfile {
    /// The key of the employee.
    pub employee_id: i32,
    /// Free text.
    pub bio: Option<String>,
}

/// Tells what an [`Employee`] does from now on.
#[derive(Debug, Clone, Signal)]
#[signal(crate = lifecycle)]
pub struct Promoted {
    /// The key of the employee.
    pub employee_id: i32,
    /// The new position.
    pub to: String,
}

#[receiver(dispatch_uid = "staff::note_promotion", crate = lifecycle)]
fn note_promotion(event: &Promoted, conn: &mut TestConnection) -> QueryResult<()> {
    note(conn, &format!("{} is {}", event.employee_id, event.to))
}

/// Creates the tables in an empty database and turns foreign keys on.
pub fn create_tables(conn: &mut TestConnection) -> QueryResult<()> {
    backends::enforce_foreign_keys(conn);
    conn.batch_execute(&backends::spelt(
        "CREATE TABLE employees (
             id {key},
             first_name TEXT NOT NULL,
             last_name TEXT NOT NULL,
             email TEXT NOT NULL UNIQUE
         );
         CREATE TABLE employee_profiles (
             id {key},
             employee_id INTEGER NOT NULL UNIQUE REFERENCES employees (id),
             bio TEXT
         );
         CREATE TABLE journal (
             id {key},
             entry TEXT NOT NULL
         );",
    ))
}

/// Adds an entry to the journal, with a plain Diesel statement.
pub fn note(conn: &mut TestConnection, entry: &str) -> QueryResult<()> {
    diesel::insert_into(journal::table)
        .values(journal::entry.eq(entry))
        .execute(conn)?;
    Ok(())
}

/// The journal, oldest entry first.
pub fn noted(conn: &mut TestConnection) -> QueryResult<Vec<String>> {
    journal::table
        .order(journal::id)
        .select(journal::entry)
        .load(conn)
}
