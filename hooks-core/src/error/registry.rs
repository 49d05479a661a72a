/// Two registrations that cannot both hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two receivers of one signal share a `dispatch_uid`.
    #[error(
        "dispatch_uid {uid:?} is used twice for {signal}: at {first} and at {second}; give one of them another dispatch_uid"
    )]
    DuplicateUid {
        /// The shared identifier.
        uid: &'static str,
        /// The signal that both hear.
        signal: &'static str,
        /// Where the first stands, as `file:line`.
        first: String,
        /// Where the second stands, as `file:line`.
        second: String,
    },
    /// What receivers demand with `before` and `after` cannot all be.
    #[error(
        "receivers of {signal} wait for one another: {path}; take one `before` or `after` away"
    )]
    OrderCycle {
        /// The signal that they hear.
        signal: &'static str,
        /// Their `dispatch_uid`s, as `a -> b -> a`: each has to run before the next.
        path: String,
    },
    /// A model's rows create one another without end.
    #[error(
        "auto_create never ends: {path}; let one of these relations be created by a receiver instead"
    )]
    AutoCreateCycle {
        /// The models on the cycle, as `A -> B -> A`.
        path: String,
    },
    /// A relation's column and the model over its table have keys of different Rust types.
    #[error(
        "{relation} refers to {parent} by another key type than the one that {parent} has; use one Rust type for both"
    )]
    KeyType {
        /// The relation, as `Child.field`.
        relation: String,
        /// The model over the table that it refers to.
        parent: &'static str,
    },
    /// Rows of one table go through two structs whose keys cannot be compared.
    #[error(
        "{first} and {second} are structs over one table, with keys of different types; use one Rust type for both"
    )]
    KeysOfTable {
        /// The struct through which a row was reached first.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// The function of `on_delete = Set(..)` takes another connection than the one that the delete runs on.
    #[error(
        "the function that {relation} is set by takes another connection than {connection}; make it generic, or let it take none"
    )]
    SetOnOtherConnection {
        /// The relation, as `Child.field`.
        relation: String,
        /// The connection type of the delete.
        connection: &'static str,
    },
    /// A struct embedded in a model would keep columns as they are where it should write NULL.
    #[error(
        "{field} would not write `None` as NULL; add #[diesel(treat_none_as_null = true)] to the embedded struct, beside its AsChangeset"
    )]
    EmbeddedLeavesOutNone {
        /// The field, as `Model.field`.
        field: &'static str,
    },
    /// Receivers that the application counts on are not linked.
    #[error("not linked: {}; name their crate in diesel_hooks::link!(..)", .uids.join(", "))]
    Missing {
        /// The `dispatch_uid`s that were not found.
        uids: Vec<String>,
    },
}
