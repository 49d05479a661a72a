//! What people type: which fields a form has, whether they are right, and what to say beside those that are not.

mod account;
mod admin;
mod field;
mod rules;

use std::collections::BTreeMap;
use std::fmt;

use garde::Validate;
use minijinja::value::{Serde, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

pub use self::account::{Login, Profile, Registration};
pub use self::admin::{EmployeeForm, EmployeeProfileForm};
pub use self::field::Field;

/// A form: its fields hold the text that was typed, and what must not be shown again is not serialized.
pub trait Form: Serialize + DeserializeOwned + Validate<Context = ()> + Send + 'static {
    /// What is asked, in this order.
    const FIELDS: &'static [Field];

    /// Whether all of it is right.
    ///
    /// # Errors
    ///
    /// [`Errors`] with a message beside each field that is not.
    fn check(&self) -> Result<(), Errors> {
        self.validate().map_err(Errors::from)
    }

    /// For the templates: each field with what was typed and what is wrong with it.
    fn shown(&self, errors: &Errors) -> Vec<Shown> {
        let typed = Value::from(Serde(self));
        let shown = |field: &'static Field| Shown {
            field,
            value: typed.get_attr(field.name).unwrap_or_default(),
            error: errors.of(field.name).map(String::from),
        };
        Self::FIELDS.iter().map(shown).collect()
    }
}

/// A field as a page shows it.
#[derive(Debug, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    field: &'static Field,
    value: Value,
    error: Option<String>,
}

/// What is wrong, by the names of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(BTreeMap<String, String>);

impl Errors {
    /// One, beside this field.
    pub fn beside(field: &str, message: impl Into<String>) -> Self {
        Errors(BTreeMap::from([(field.into(), message.into())]))
    }

    /// What is wrong with this field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }
}

impl From<garde::Report> for Errors {
    fn from(report: garde::Report) -> Self {
        let mut errors = BTreeMap::new();
        for (path, error) in report.iter() {
            let path = path.to_string();
            // Forms share fields, as a part with a name of its own.
            let field = path.rsplit('.').next().unwrap_or_default();
            errors.entry(field.into()).or_insert(error.to_string());
        }
        Errors(errors)
    }
}

/// Of a text that [`Form::check`] has seen, which cannot be.
impl From<garde::Error> for Errors {
    fn from(error: garde::Error) -> Self {
        Errors::beside("", error.message())
    }
}

impl From<Errors> for Error {
    fn from(errors: Errors) -> Self {
        Error::Invalid(errors)
    }
}

impl From<garde::Error> for Error {
    fn from(error: garde::Error) -> Self {
        Errors::from(error).into()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<_> = self.0.values().map(String::as_str).collect();
        f.write_str(&messages.join(" "))
    }
}
