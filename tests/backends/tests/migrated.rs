//! The migrations of the examples make the same tables on every database, those that the models describe.
#![allow(missing_docs, reason = "schema modules are generated")]

#[path = "../../../examples/company/choices.rs"]
mod choices;

use std::time::SystemTime;

use backends::{Database, TestConnection, count, on};
use choices::{Gender, Team};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_hooks::check::Findings;
use diesel_hooks::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const MYSQL: EmbeddedMigrations = embed_migrations!("../../migrations/mysql");

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

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Employee {
    id: i32,
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
    #[hooks(generated)]
    created: NaiveDateTime,
    #[hooks(generated)]
    modified: NaiveDateTime,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct EmployeeProfile {
    id: i32,
    #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
    employee_id: i32,
    date_of_birth: Option<NaiveDate>,
    team: Option<Team>,
    gender: Option<Gender>,
    address: Option<String>,
}

fn person(first_name: &str, phone: &str) -> NewEmployee {
    NewEmployee {
        first_name: first_name.into(),
        last_name: "Lovelace".into(),
        email: format!("{first_name}@example.org"),
        phone: phone.into(),
    }
}

fn check(conn: &mut TestConnection) -> Findings {
    diesel_hooks::check(conn).expect("the catalog is read")
}

#[test]
fn each_databases_migrations_make_the_tables_of_the_models_and_take_them_back() {
    let (_database, mut conn) = Database::open("");
    let migrations = || on(SQLITE, POSTGRES, MYSQL);
    let applied = conn.run_pending_migrations(migrations());
    assert_eq!(applied.expect("they are right").len(), 2);
    let found = check(&mut conn);
    assert!(found.is_empty(), "{found:#?}");

    let new = vec![person("ada", "1"), person("grace", "2")];
    let people = Employee::create_many(&mut conn, new).expect("created");
    let now = DateTime::<Utc>::from(SystemTime::now()).naive_utc();
    let since = now - people[0].created;
    assert!(
        since.num_minutes().abs() < 30,
        "{since} ago, if that is in UTC"
    );
    Employee::create(&mut conn, person("eve", "1")).expect_err("phones are unique");
    let mut profile = people[0].profile(&mut conn).expect("made with her");
    profile
        .update(&mut conn, |it| {
            it.date_of_birth = NaiveDate::from_ymd_opt(1815, 12, 10);
            it.team = Some(Team::Platform);
            it.gender = Some(Gender::NonBinary);
        })
        .expect("updated");
    let stored = EmployeeProfile::get(&mut conn, profile.id);
    assert_eq!(stored.expect("stored"), profile);
    people[0]
        .delete(&mut conn)
        .expect_err("her profile is there");
    profile.delete(&mut conn).expect("deleted");
    assert_eq!(people[0].delete(&mut conn).expect("deleted").total, 1);
    assert_eq!(count(&mut conn, "employee_profiles"), 1);

    let reverted = conn.revert_all_migrations(migrations());
    assert_eq!(reverted.expect("they are right").len(), 2);
    assert!(!check(&mut conn).is_empty(), "the tables are gone");
}
