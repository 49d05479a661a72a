use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use crate::database::AnyConnection;
use crate::password::PasswordHash;
use crate::receivers::pages::OnProfilePage;
use crate::schema::{persons, users};

/// Who can log in.
#[derive(Debug, Clone, Queryable, Selectable, Hooks)]
#[hooks(connection(AnyConnection), extends(OnProfilePage))]
pub struct User {
    /// Never given twice.
    pub id: i32,
    /// In lower case, and nobody else's.
    pub username: String,
    /// In lower case, and nobody else's.
    pub email: String,
    /// What is left of the password.
    pub password_hash: PasswordHash,
    /// Whether `/admin` is open.
    pub is_admin: bool,
    /// When the account was made, in UTC.
    #[hooks(auto_now_add)]
    pub created: NaiveDateTime,
    /// When it was last written, in UTC.
    #[hooks(auto_now)]
    pub modified: NaiveDateTime,
}

/// What a user may tell of themselves. It shares the user's key, and comes and goes with the user.
#[derive(Debug, Clone, Queryable, Hooks)]
#[diesel(table_name = persons, primary_key(user_id))]
#[hooks(connection(AnyConnection), extends(OnProfilePage))]
pub struct Person {
    /// The key of both.
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = person, accessor = user, auto_create))]
    pub user_id: i32,
    /// Between 1900 and today.
    pub birthdate: Option<NaiveDate>,
    /// Where they chat.
    pub chat_handle: Option<String>,
    /// Where they meet.
    pub meeting_handle: Option<String>,
    /// As E.164: `+`, the country, the number.
    pub phone: Option<String>,
}

impl User {
    /// Who logs in by this name, however it is typed.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub fn named(conn: &mut AnyConnection, name: &str) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::username.eq(normalised(name)))
            .first(conn)
            .optional()
    }
}

/// A user name or an e-mail address as it is stored.
pub(crate) fn normalised(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}
