use std::any::Any;

use crate::model::Row;

/// Any model's row, with its type forgotten.
///
/// A receiver of `&PostSave<dyn AnyModel>` hears every model, also one that is added later. Every model is
/// one; there is nothing to implement.
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_hooks::prelude::*;
/// # diesel::table! { users (id) { id -> Integer, name -> Text } }
/// # #[derive(Clone, Queryable, Hooks)]
/// # struct User { id: i32, name: String }
/// #[receiver]
/// fn audit(event: &PostSave<dyn AnyModel>) {
///     let row = &event.instance;
///     println!("{} {} was saved", row.model_name(), row.key_text());
///     if let Some(user) = row.downcast_ref::<User>() {
///         println!("called {}", user.name);
///     }
/// }
/// ```
pub trait AnyModel: Any + Send + Sync {
    /// The struct's name.
    fn model_name(&self) -> &'static str;

    /// The table's name in the schema module.
    fn table_name(&self) -> &'static str;

    /// The key as text, whatever it is: mind where it goes, for a key can be personal.
    fn key_text(&self) -> String;

    /// The row as JSON, with the feature `serde`.
    ///
    /// # Errors
    ///
    /// If the model does not implement `serde::Serialize`, or its implementation fails.
    #[cfg(feature = "serde")]
    fn to_json(&self) -> serde_json::Result<serde_json::Value>;
}

impl<M: Row> AnyModel for M {
    fn model_name(&self) -> &'static str {
        M::INFO.name
    }

    fn table_name(&self) -> &'static str {
        M::INFO.table
    }

    fn key_text(&self) -> String {
        self.key().reveal().to_owned()
    }

    #[cfg(feature = "serde")]
    fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        Row::to_json(self)
    }
}

impl dyn AnyModel {
    /// The row as the model that it is, if it is an `M`.
    pub fn downcast_ref<M: Row>(&self) -> Option<&M> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }
}

impl std::fmt::Debug for dyn AnyModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.model_name())
    }
}
