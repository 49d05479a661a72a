//! How SQL differs between databases.

use diesel::backend::Backend;

/// What a database calls things, where ours is not the standard's SQL.
///
/// Asked of the backend's value, which may stand for one of several databases.
#[doc(hidden)]
pub trait Dialect: Backend<QueryBuilder: Default> {
    /// What stands around a name.
    fn quote(&self) -> char;
    /// What stands before a list of composite keys.
    fn list_of_keys(&self) -> &'static str {
        ""
    }
    /// What makes one row of several values, to be assigned to as many columns. Without it each is assigned by
    /// itself.
    fn row(&self) -> Option<&'static str> {
        Some("ROW")
    }
    /// What a query ends in that keeps others from its rows until the transaction is over.
    fn for_update(&self) -> &'static str {
        " FOR UPDATE"
    }
}
