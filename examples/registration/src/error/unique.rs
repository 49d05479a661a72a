//! Somebody has it already: the database says so by a constraint, and the form beside a field.

use diesel::result::DatabaseErrorInformation;

use crate::forms::Errors;

/// What SQLite says of a unique constraint, what PostgreSQL calls it, and what that means beside which field.
const UNIQUE: [(&str, &str, &str, &str); 4] = [
    (
        "users.username",
        "users_username_key",
        "username",
        "This user name is taken.",
    ),
    (
        "users.email",
        "users_email_key",
        "email",
        "There is an account with this e-mail address.",
    ),
    (
        "employees.user_id",
        "employees_user_id_key",
        "username",
        "This user is an employee already.",
    ),
    (
        "employee_profiles.employee_id",
        "employee_profiles_employee_id_key",
        "employee_id",
        "This employee has a profile already.",
    ),
];

pub(super) fn taken(why: &dyn DatabaseErrorInformation) -> Option<Errors> {
    let named = why.constraint_name();
    let columns = why.message().strip_prefix("UNIQUE constraint failed: ");
    let is_it = |sqlite: &str, postgres: &str| named == Some(postgres) || columns == Some(sqlite);
    UNIQUE
        .iter()
        .find(|(sqlite, postgres, ..)| is_it(sqlite, postgres))
        .map(|(_, _, field, message)| Errors::beside(field, *message))
}
