use diesel::prelude::*;
use diesel_hooks::prelude::*;

use super::User;
use crate::database::AnyConnection;
use crate::receivers::pages::OnProfilePage;
use crate::schema::{employee_profiles, employees};

/// A user who works here.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection), extends(OnProfilePage))]
pub struct Employee {
    /// Its key.
    pub id: i32,
    /// Who it is.
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = employee))]
    pub user_id: i32,
    /// What they are.
    pub title: String,
}

/// What the company keeps about an employee. It comes with the employee, and has to be deleted before anything else of
/// the account can go.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection), extends(OnProfilePage))]
pub struct EmployeeProfile {
    /// Its key.
    pub id: i32,
    /// Whose it is.
    #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
    pub employee_id: i32,
    /// Where they sit.
    pub office: Option<String>,
}
