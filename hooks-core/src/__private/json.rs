use std::ops::Deref;

use serde::Serialize;
use serde::ser::Error;

/// A row. Its own method is found first, if its type can be serialized.
pub struct Json<'a, M>(pub &'a M);

impl<M: Serialize> Json<'_, M> {
    pub fn value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(self.0)
    }
}

/// A row of a type that cannot.
pub struct NotSerialize;

impl NotSerialize {
    pub fn value(&self) -> serde_json::Result<serde_json::Value> {
        Err(serde_json::Error::custom(
            "the model does not implement serde::Serialize",
        ))
    }
}

impl<M> Deref for Json<'_, M> {
    type Target = NotSerialize;

    fn deref(&self) -> &NotSerialize {
        &NotSerialize
    }
}
