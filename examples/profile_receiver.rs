//! As `employee_profile`, but a receiver makes the profile: the way when making it takes more than
//! `auto_create` can say.
//!
//! `cargo run --example profile_receiver [company.sqlite]`
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

use company::{Employee, Failure, Gender, Person, Team, employee_profiles};

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employee_profiles)]
struct EmployeeProfile {
    id: i32,
    #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile))]
    employee_id: i32,
    date_of_birth: Option<NaiveDate>,
    team: Option<Team>,
    gender: Option<Gender>,
    address: Option<String>,
}

#[receiver(dispatch_uid = "create_employee_profile")]
fn create_employee_profile(
    event: &PostSave<Employee>,
    conn: &mut SqliteConnection,
) -> diesel_hooks::Result {
    if event.created {
        let profile = NewEmployeeProfile {
            employee_id: event.instance.id,
            ..Default::default()
        };
        EmployeeProfile::create(conn, profile)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    company::run(tell)
}

fn tell(file: &Path) -> Result<(), Failure> {
    let conn = &mut company::open(file)?;
    company::hire_everybody(conn, hire)?;
    company::print_counts(conn)?;
    Ok(())
}

/// The profile is made by the receiver; what the file says about it is written to it here.
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

#[cfg(test)]
mod tests {
    use super::*;
    use company::NewEmployee;

    #[test]
    fn the_receiver_makes_a_profile_that_leads_back() -> Result<(), Failure> {
        let conn = &mut company::open(Path::new(":memory:"))?;
        let ada = NewEmployee {
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            email: "ada@example.com".to_owned(),
            phone: "+44 20 7946 0100".to_owned(),
        };
        let employee = Employee::create(conn, ada)?;

        assert_eq!(employee.profile(conn)?.employee(conn)?.first_name, "Ada");
        Ok(())
    }

    #[test]
    fn an_update_makes_no_second_profile() -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("company.sqlite");
        tell(&file)?;
        let conn = &mut company::open(&file)?;
        let mut employee = company::employees::table.first::<Employee>(conn)?;
        employee.update(conn, |it| it.last_name = "King".to_owned())?;

        let profiles: i64 = employee_profiles::table.count().get_result(conn)?;
        assert_eq!(profiles, 48);
        Ok(())
    }
}
