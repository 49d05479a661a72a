use std::error::Error as StdError;
use std::fmt;

use diesel::result::{DeserializeFieldError, Error as DieselError};

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

/// Hides what may hold a value.
pub(super) fn hide(error: DieselError) -> DieselError {
    let hide = |it: BoxError| match it.is::<Unshown>() {
        true => it,
        false => Box::new(Unshown(it)),
    };
    match error {
        DieselError::DeserializationError(it) => DieselError::DeserializationError(hide(it)),
        DieselError::SerializationError(it) => DieselError::SerializationError(hide(it)),
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
        other => other,
    }
}
