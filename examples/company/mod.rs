//! The company of the examples: its database, its employees and the file they come from.

mod choices;
mod people;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use chrono::{NaiveDateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::migration::Migration;
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

pub(crate) use choices::{Gender, Team};
pub(crate) use people::Person;

use people::Line;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const EMPLOYEES_CSV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/employees.csv");

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

diesel::table! {
    employees (id) {
        id -> Integer,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        phone -> Text,
        created -> Timestamp,
        modified -> Timestamp,
    }
}

diesel::table! {
    employee_profiles (id) {
        id -> Integer,
        employee_id -> Integer,
        date_of_birth -> Nullable<Date>,
        team -> Nullable<Text>,
        gender -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employees)]
#[hooks(new = NewEmployee)]
pub(crate) struct Employee {
    pub(crate) id: i32,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) created: NaiveDateTime,
    pub(crate) modified: NaiveDateTime,
}

/// Without the stamps: the database makes them for a new row.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = employees)]
pub(crate) struct NewEmployee {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
}

/// The error stops the create, and nothing of it stays.
#[receiver]
fn first_name_is_given(event: &mut PreCreate<Employee>) -> Result<(), &'static str> {
    if event.new.first_name.trim().is_empty() {
        return Err("the first name is missing");
    }
    Ok(())
}

#[receiver]
fn stamp_modified(event: &mut PreUpdate<Employee>) {
    event.instance.modified = Utc::now().naive_utc();
}

/// Runs an example on the SQLite file given as argument, or on one in a temporary folder that is
/// gone at the end.
pub(crate) fn run(example: fn(&Path) -> Result<(), Failure>) -> ExitCode {
    let result = match std::env::args_os().nth(1) {
        Some(file) => example(Path::new(&file)),
        None => in_temporary_folder(example),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn in_temporary_folder(example: fn(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    example(&folder.path().join("company.sqlite"))
}

/// Opens the SQLite file, creating it where there is none, and brings its schema up to date.
pub(crate) fn open(file: &Path) -> Result<SqliteConnection, Failure> {
    println!("database {}", file.display());
    let mut conn = SqliteConnection::establish(&file.to_string_lossy())?;
    conn.batch_execute("PRAGMA foreign_keys = ON")?;
    for migration in conn.pending_migrations(MIGRATIONS)? {
        conn.run_migration(&migration)?;
        println!("migration {} applied", migration.name());
    }
    Ok(conn)
}

/// Hires each person in the file, or says why not. `hire` returns the employee and the key of its
/// profile.
pub(crate) fn hire_everybody(
    conn: &mut SqliteConnection,
    hire: fn(&mut SqliteConnection, Person) -> diesel_hooks::Result<(Employee, i32)>,
) -> Result<(), Failure> {
    let (mut hired, mut skipped) = (0, 0);
    for Line { number, person } in people::lines(Path::new(EMPLOYEES_CSV))? {
        let outcome = person
            .map_err(Failure::from)
            .and_then(|person| Ok(hire(conn, person)?));
        match outcome {
            Ok((employee, profile)) => {
                let Employee {
                    id,
                    first_name,
                    last_name,
                    ..
                } = employee;
                println!(
                    "line {number}: {first_name} {last_name} is employee {id} with profile {profile}"
                );
                hired += 1;
            }
            Err(why) => {
                println!("line {number}: skipped, {why}");
                skipped += 1;
            }
        }
    }
    println!("{hired} hired, {skipped} lines skipped");
    Ok(())
}

/// Prints how many rows each table has.
pub(crate) fn print_counts(conn: &mut SqliteConnection) -> QueryResult<()> {
    let hired: i64 = employees::table.count().get_result(conn)?;
    let profiles: i64 = employee_profiles::table.count().get_result(conn)?;
    println!("{hired} employees, {profiles} profiles");
    Ok(())
}
