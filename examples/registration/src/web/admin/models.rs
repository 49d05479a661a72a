//! What there is to see of each model, and what an administrator can make of it.

use diesel::prelude::*;
use diesel_hooks::{Model, Persist};
use serde::Serialize;

use crate::accounts;
use crate::app::App;
use crate::database::AnyConnection;
use crate::error::{Result, in_words};
use crate::forms::{EmployeeForm, EmployeeProfileForm, Errors, Form, Registration};
use crate::models::{
    AuditEntry, Employee, EmployeeProfile, NewEmployee, NewEmployeeProfile, Person, Session, User,
};
use crate::schema::{audit_entries, employee_profiles, employees, persons, sessions, users};
use crate::web::db::Db;

/// A model's place in the menu and its table.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    /// The last part of its address.
    pub(super) slug: &'static str,
    title: &'static str,
    columns: &'static [&'static str],
    can_create: bool,
    can_delete: bool,
}

impl Section {
    const fn new(
        slug: &'static str,
        title: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        Section {
            slug,
            title,
            columns,
            can_create: false,
            can_delete: false,
        }
    }

    const fn with_delete(self) -> Self {
        Section {
            can_delete: true,
            ..self
        }
    }

    const fn with_create_and_delete(self) -> Self {
        Section {
            can_create: true,
            ..self.with_delete()
        }
    }
}

/// A row at the other end of a relation.
#[derive(Debug, Serialize)]
pub(super) struct Related {
    text: String,
    slug: &'static str,
    id: i32,
}

impl Related {
    fn to<M: Listed>(id: i32) -> Self {
        Related {
            text: format!("{} {id}", in_words(M::INFO.name)),
            slug: M::SECTION.slug,
            id,
        }
    }

    fn all<M: Listed>(rows: impl IntoIterator<Item = M>) -> Vec<Self> {
        rows.into_iter().map(|it| Self::to::<M>(it.pk())).collect()
    }
}

/// The newest rows come first, so many on a page.
pub(super) const ROWS: i64 = 50;

/// A model whose rows are shown.
pub(super) trait Listed: Model<Pk = i32> + Persist<AnyConnection> {
    const SECTION: Section;

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>>;

    /// What stands in the columns.
    fn cells(&self) -> Vec<String>;

    /// The rows at the other ends of its relations, for each of these rows.
    fn related(conn: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>>;
}

/// A model of which an administrator can make rows.
pub(super) trait Creatable: Listed {
    type Form: Form + Default;

    fn create_from(
        app: &App,
        db: &Db,
        form: &Self::Form,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// The rows of a table, the newest first.
macro_rules! newest {
    ($conn:expr, $table:ident, $key:ident, $offset:expr) => {
        $table::table
            .order($table::$key.desc())
            .offset($offset)
            .limit(ROWS)
            .load($conn)
    };
}

impl Listed for User {
    const SECTION: Section = Section::new(
        "users",
        "Users",
        &["User name", "E-mail", "Admin", "Created"],
    )
    .with_create_and_delete();

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>> {
        newest!(conn, users, id, offset)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.username.clone(),
            self.email.clone(),
            yes_or_no(self.is_admin),
            minute(self.created),
        ]
    }

    fn related(conn: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>> {
        let persons = User::prefetch_person(conn, rows)?;
        let employees = User::prefetch_employee(conn, rows)?;
        let sessions = User::prefetch_sessions(conn, rows)?;
        let ends = persons.into_iter().zip(employees).zip(sessions);
        let related = ends.map(|((person, employee), sessions)| {
            let mut related = Related::all(person);
            related.extend(Related::all(employee));
            related.extend(Related::all(sessions));
            related
        });
        Ok(related.collect())
    }
}

impl Creatable for User {
    type Form = Registration;

    async fn create_from(app: &App, db: &Db, form: &Registration) -> Result<()> {
        let account = form.account(app.hasher()).await?;
        db.run(move |conn| accounts::register(conn, &account).map(drop))
            .await
    }
}

impl Listed for Person {
    const SECTION: Section = Section::new(
        "persons",
        "Persons",
        &["Birthdate", "Chat", "Meeting", "Phone"],
    );

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>> {
        newest!(conn, persons, user_id, offset)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.birthdate.map(|it| it.to_string()).unwrap_or_default(),
            self.chat_handle.clone().unwrap_or_default(),
            self.meeting_handle.clone().unwrap_or_default(),
            self.phone.clone().unwrap_or_default(),
        ]
    }

    fn related(_: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>> {
        let user = |row: &Self| vec![Related::to::<User>(row.user_id)];
        Ok(rows.iter().map(user).collect())
    }
}

impl Listed for Employee {
    const SECTION: Section =
        Section::new("employees", "Employees", &["Title"]).with_create_and_delete();

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>> {
        newest!(conn, employees, id, offset)
    }

    fn cells(&self) -> Vec<String> {
        vec![self.title.clone()]
    }

    fn related(conn: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>> {
        let profiles = Employee::prefetch_profile(conn, rows)?;
        let related = rows.iter().zip(profiles).map(|(row, profile)| {
            let mut related = vec![Related::to::<User>(row.user_id)];
            related.extend(Related::all(profile));
            related
        });
        Ok(related.collect())
    }
}

impl Creatable for Employee {
    type Form = EmployeeForm;

    async fn create_from(_: &App, db: &Db, form: &EmployeeForm) -> Result<()> {
        let (username, title) = form.read()?;
        let work = move |conn: &mut AnyConnection| {
            let user = User::named(conn, &username)?
                .ok_or_else(|| Errors::beside("username", "There is no such user."))?;
            let new = NewEmployee {
                user_id: user.id,
                title,
            };
            Employee::create(conn, new)?;
            Ok(())
        };
        db.run(work).await
    }
}

impl Listed for EmployeeProfile {
    const SECTION: Section = Section::new("employee-profiles", "Employee profiles", &["Office"])
        .with_create_and_delete();

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>> {
        newest!(conn, employee_profiles, id, offset)
    }

    fn cells(&self) -> Vec<String> {
        vec![self.office.clone().unwrap_or_default()]
    }

    fn related(_: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>> {
        let employee = |row: &Self| vec![Related::to::<Employee>(row.employee_id)];
        Ok(rows.iter().map(employee).collect())
    }
}

impl Creatable for EmployeeProfile {
    type Form = EmployeeProfileForm;

    async fn create_from(_: &App, db: &Db, form: &EmployeeProfileForm) -> Result<()> {
        let (employee_id, office) = form.read()?;
        let work = move |conn: &mut AnyConnection| {
            Employee::get(conn, employee_id)
                .map_err(|_| Errors::beside("employee_id", "There is no such employee."))?;
            let new = NewEmployeeProfile {
                employee_id,
                office,
            };
            EmployeeProfile::create(conn, new)?;
            Ok(())
        };
        db.run(work).await
    }
}

impl Listed for Session {
    const SECTION: Section =
        Section::new("sessions", "Sessions", &["Created", "Expires"]).with_delete();

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>> {
        newest!(conn, sessions, id, offset)
    }

    fn cells(&self) -> Vec<String> {
        vec![minute(self.created), minute(self.expires)]
    }

    fn related(_: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>> {
        let user = |row: &Self| vec![Related::to::<User>(row.user_id)];
        Ok(rows.iter().map(user).collect())
    }
}

impl Listed for AuditEntry {
    const SECTION: Section = Section::new(
        "audit-entries",
        "Audit entries",
        &["At", "Who", "Did", "To what", "Changed"],
    );

    fn load(conn: &mut AnyConnection, offset: i64) -> QueryResult<Vec<Self>> {
        newest!(conn, audit_entries, id, offset)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            minute(self.at),
            self.actor.clone(),
            self.action.clone(),
            format!("{} {}", in_words(&self.model), self.row_key),
            self.changed.clone(),
        ]
    }

    /// What an entry tells of may be gone.
    fn related(_: &mut AnyConnection, rows: &[Self]) -> Result<Vec<Vec<Related>>> {
        Ok(rows.iter().map(|_| Vec::new()).collect())
    }
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.into()
}

fn minute(at: chrono::NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}
