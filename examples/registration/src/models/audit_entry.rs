use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use crate::database::AnyConnection;
use crate::schema::audit_entries;

/// Who did what to which row.
#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = audit_entries)]
#[hooks(connection(AnyConnection))]
pub struct AuditEntry {
    /// Its key.
    pub id: i32,
    /// When, in UTC.
    pub at: NaiveDateTime,
    /// What the actor was called then.
    pub actor: String,
    /// The user who acted; none for a visitor or a program.
    pub actor_id: Option<i32>,
    /// `created`, `updated` or `deleted`.
    pub action: String,
    /// The model of the row.
    pub model: String,
    /// The key of the row.
    pub row_key: String,
    /// The columns that an update changed; never their values.
    pub changed: String,
}
