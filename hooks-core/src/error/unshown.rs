use std::error::Error as StdError;
use std::fmt;

use diesel::result::{DatabaseErrorInformation, DeserializeFieldError, Error as DieselError};

use super::BoxError;

/// What a conversion of a value said. The value may be in it, so only `source` shows it.
struct Unshown(BoxError);

impl fmt::Display for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.downcast_ref::<DeserializeFieldError>() {
            // It names the column, and leaves the rest to its source.
            Some(field) => field.fmt(f),
            None => f.write_str("a value does not convert (hidden)"),
        }
    }
}

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl StdError for Unshown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// What MySQL said, without the value that it quotes; the details tell all of it.
struct Unquoted {
    message: String,
    whole: String,
}

impl DatabaseErrorInformation for Unquoted {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        Some(&self.whole)
    }

    fn hint(&self) -> Option<&str> {
        None
    }

    fn table_name(&self) -> Option<&str> {
        None
    }

    fn column_name(&self) -> Option<&str> {
        None
    }

    fn constraint_name(&self) -> Option<&str> {
        None
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}

/// The message without the value in it, if it is one of MySQL's that have one.
fn unquoted(message: &str) -> Option<String> {
    let (before, quoted) = message.split_once('\'')?;
    let end = match before {
        "Duplicate entry " => quoted.rfind("' for key ")?,
        _ if before.starts_with("Incorrect ") && before.ends_with(" value: ") => {
            quoted.rfind("' for column ")?
        }
        _ => return None,
    };
    Some(format!("{before}(hidden){}", &quoted[end + 1..]))
}

/// Hides what may hold a value.
pub(super) fn hide(error: DieselError) -> DieselError {
    let hide = |it: BoxError| match it.is::<Unshown>() {
        true => it,
        false => Box::new(Unshown(it)),
    };
    match error {
        DieselError::DeserializationError(it) => DieselError::DeserializationError(hide(it)),
        DieselError::SerializationError(it) => DieselError::SerializationError(hide(it)),
        DieselError::DatabaseError(kind, told) => match unquoted(told.message()) {
            Some(message) => {
                let whole = told.message().to_owned();
                DieselError::DatabaseError(kind, Box::new(Unquoted { message, whole }))
            }
            None => DieselError::DatabaseError(kind, told),
        },
        other => other,
    }
}

/// The error as Diesel made it.
pub(super) fn show(error: DieselError) -> DieselError {
    let show = |it: BoxError| match it.downcast::<Unshown>() {
        Ok(hidden) => hidden.0,
        Err(it) => it,
    };
    match error {
        DieselError::DeserializationError(it) => DieselError::DeserializationError(show(it)),
        DieselError::SerializationError(it) => DieselError::SerializationError(show(it)),
        DieselError::DatabaseError(kind, told) => {
            let whole = told.details().map(ToOwned::to_owned);
            let is_ours = |whole: &String| unquoted(whole).as_deref() == Some(told.message());
            match whole.filter(is_ours) {
                Some(whole) => DieselError::DatabaseError(kind, Box::new(whole)),
                None => DieselError::DatabaseError(kind, told),
            }
        }
        other => other,
    }
}
