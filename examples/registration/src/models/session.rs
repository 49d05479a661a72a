use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use super::User;
use crate::database::AnyConnection;
use crate::schema::sessions;

/// A browser in which a user is logged in.
#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
pub struct Session {
    /// Its key. The token is not, because audit entries name rows by their keys.
    pub id: i32,
    /// Who is logged in.
    #[hooks(foreign_key(User, on_delete = Cascade, related_name = sessions))]
    pub user_id: i32,
    /// Of the token in the browser's cookie: who reads the table cannot log in by it.
    pub token_hash: String,
    /// When the user logged in, in UTC.
    #[hooks(auto_now_add)]
    pub created: NaiveDateTime,
    /// When that ends, in UTC.
    pub expires: NaiveDateTime,
}
