//! Every employee gets a profile, in the same transaction, and cannot be deleted while it is there.
//!
//! `cargo run --example employee_profile [company.sqlite]`
//!
//! Without a path the database is a file in a temporary folder that is gone at the end.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints what it does"
)]

mod company;

use std::path::Path;
use std::process::ExitCode;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use company::{Employee, Failure, Gender, Person, Team, employee_profiles, employees};

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employee_profiles)]
struct EmployeeProfile {
    id: i32,
    #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
    employee_id: i32,
    date_of_birth: Option<NaiveDate>,
    team: Option<Team>,
    gender: Option<Gender>,
    address: Option<String>,
}

fn main() -> ExitCode {
    company::run(tell)
}

fn tell(file: &Path) -> Result<(), Failure> {
    let conn = &mut company::open(file)?;
    company::hire_everybody(conn, hire)?;

    let first = employees::table
        .order(employees::id)
        .first::<Employee>(conn)?;
    from_one_to_the_other(conn, &first)?;
    change_phone(conn, first.clone())?;
    try_to_delete(conn, &first)?;

    company::print_counts(conn)?;
    Ok(())
}

/// The profile is made by the create; what the file says about it is written to it here.
fn hire(
    conn: &mut SqliteConnection,
    Person { employee, details }: Person,
) -> diesel_hooks::Result<(Employee, i32)> {
    conn.transaction(|conn| {
        let employee = Employee::create(conn, employee)?;
        let mut profile = employee.profile(conn)?;
        profile.update(conn, |it| {
            it.date_of_birth = Some(details.date_of_birth);
            it.team = Some(details.team);
            it.gender = Some(details.gender);
            it.address = Some(details.address);
        })?;
        Ok((employee, profile.id))
    })
}

fn from_one_to_the_other(conn: &mut SqliteConnection, employee: &Employee) -> Result<(), Failure> {
    let profile = employee.profile(conn)?;
    let back = profile.employee(conn)?;
    println!(
        "employee {} has profile {}, which belongs to {}",
        employee.id, profile.id, back.first_name
    );
    Ok(())
}

fn change_phone(conn: &mut SqliteConnection, mut employee: Employee) -> Result<(), Failure> {
    let before = employee.modified;
    employee.update(conn, |it| it.phone = "+44 20 7946 0999".to_owned())?;
    if employee.modified == before {
        println!(
            "employee {} has that phone already: nothing written",
            employee.id
        );
    } else {
        println!(
            "employee {} has a new phone and a new modified stamp",
            employee.id
        );
    }
    Ok(())
}

fn try_to_delete(conn: &mut SqliteConnection, employee: &Employee) -> Result<(), Failure> {
    match employee.delete(conn) {
        Err(diesel_hooks::Error::Protected(why)) => {
            println!("delete of employee {} refused: {why}", employee.id);
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err("an employee went although the profile protects it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = (Vec<Employee>, Vec<EmployeeProfile>);

    fn rows(file: &Path) -> Result<Rows, Failure> {
        let conn = &mut company::open(file)?;
        Ok((
            employees::table.order(employees::id).load(conn)?,
            employee_profiles::table
                .order(employee_profiles::id)
                .load(conn)?,
        ))
    }

    #[test]
    fn the_two_bad_lines_leave_nothing_and_the_others_a_pair_each() -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("company.sqlite");
        tell(&file)?;

        let (employees, profiles) = rows(&file)?;
        assert_eq!((employees.len(), profiles.len()), (48, 48));
        for (employee, profile) in employees.iter().zip(&profiles) {
            assert_eq!(profile.employee_id, employee.id);
            assert!(profile.address.is_some() && profile.team.is_some());
        }
        let names = employees.iter().map(|it| it.last_name.as_str());
        assert_eq!(
            names
                .filter(|it| ["Lovelace-King", "Bouchard"].contains(it))
                .count(),
            0
        );
        Ok(())
    }

    #[test]
    fn a_second_run_changes_nothing() -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("company.sqlite");
        tell(&file)?;
        let bytes = std::fs::read(&file)?;
        tell(&file)?;

        assert!(bytes == std::fs::read(&file)?, "the file is another one");
        Ok(())
    }

    #[test]
    fn a_failed_migration_names_itself() -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("company.sqlite");
        diesel::sql_query("CREATE TABLE employee_profiles (other TEXT)")
            .execute(&mut SqliteConnection::establish(&file.to_string_lossy())?)?;

        let failure = tell(&file)
            .expect_err("the table is there already")
            .to_string();
        assert!(failure.contains("create_employee_profiles"), "{failure}");
        Ok(())
    }
}
