use garde::Validate;
use serde::{Deserialize, Serialize};

use super::{Errors, Field, Form, rules};

/// A user becomes an employee.
#[derive(Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct EmployeeForm {
    #[garde(custom(rules::read_by(rules::not_empty)))]
    username: String,
    #[garde(custom(rules::read_by(rules::not_empty)))]
    title: String,
}

impl Form for EmployeeForm {
    const FIELDS: &'static [Field] = &[
        Field::text("username", "User name").hint("Who becomes an employee."),
        Field::text("title", "Title"),
    ];
}

impl EmployeeForm {
    /// The user's name and the employee's title.
    ///
    /// # Errors
    ///
    /// [`Errors`] if something is not right.
    pub fn read(&self) -> Result<(String, String), Errors> {
        self.check()?;
        Ok((
            rules::not_empty(&self.username)?,
            rules::not_empty(&self.title)?,
        ))
    }
}

/// An employee gets a profile again.
#[derive(Debug, Default, Serialize, Deserialize, Validate)]
#[serde(default)]
pub struct EmployeeProfileForm {
    #[garde(custom(rules::read_by(rules::key)))]
    employee_id: String,
    #[garde(custom(rules::read_by(rules::optional_text)))]
    office: String,
}

impl Form for EmployeeProfileForm {
    const FIELDS: &'static [Field] = &[
        Field::text("employee_id", "Employee").hint("The number in the list of employees."),
        Field::text("office", "Office").optional(),
    ];
}

impl EmployeeProfileForm {
    /// The employee's key and the office.
    ///
    /// # Errors
    ///
    /// [`Errors`] if something is not right.
    pub fn read(&self) -> Result<(i32, Option<String>), Errors> {
        self.check()?;
        Ok((
            rules::key(&self.employee_id)?,
            rules::optional_text(&self.office)?,
        ))
    }
}
