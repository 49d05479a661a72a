//! What can be done with an account.

use chrono::NaiveDate;
use diesel_hooks::{Model as _, retry};

use crate::database::AnyConnection;
use crate::error::{Error, Result};
use crate::models::{NewUser, Person, User};
use crate::password::PasswordHash;

/// How often a transaction is tried that others were in the way of.
const ATTEMPTS: u32 = 5;

/// An account that is to be.
#[derive(Debug, Clone)]
pub struct Account {
    /// What the user logs in by.
    pub username: String,
    /// Where mail goes.
    pub email: String,
    /// What is left of the password.
    pub password_hash: PasswordHash,
    /// What they tell of themselves.
    pub details: Details,
}

/// What users tell of themselves, all of it if they like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// When they were born.
    pub birthdate: Option<NaiveDate>,
    /// Where they chat.
    pub chat_handle: Option<String>,
    /// Where they meet.
    pub meeting_handle: Option<String>,
    /// Their phone number, as E.164.
    pub phone: Option<String>,
}

impl Details {
    fn fill(&self, person: &mut Person) {
        let details = self.clone();
        person.birthdate = details.birthdate;
        person.chat_handle = details.chat_handle;
        person.meeting_handle = details.meeting_handle;
        person.phone = details.phone;
    }
}

/// Makes the user, whose person comes with it, and fills that in: all of it or nothing.
///
/// # Errors
///
/// [`Error::Invalid`] if somebody has the name or the address.
pub fn register(conn: &mut AnyConnection, account: &Account) -> Result<User> {
    retry(conn, ATTEMPTS, |conn| {
        let new = NewUser {
            username: account.username.clone(),
            email: account.email.clone(),
            password_hash: account.password_hash.clone(),
            is_admin: false,
        };
        let user = User::create(conn, new)?;
        let mut person = user.person(conn)?;
        person.update(conn, |it| account.details.fill(it))?;
        Ok(user)
    })
}

/// Changes what a user tells of themselves.
///
/// # Errors
///
/// [`Error::Invalid`] if somebody else has the address.
pub fn edit(conn: &mut AnyConnection, user: i32, email: &str, details: &Details) -> Result<()> {
    retry(conn, ATTEMPTS, |conn| {
        let mut user = User::get(conn, user)?;
        user.update(conn, |it| it.email = email.into())?;
        user.person(conn)?.update(conn, |it| details.fill(it))?;
        Ok(())
    })
}

/// Deletes a user with all that goes with it.
///
/// # Errors
///
/// [`Error::Protected`] while something does not let it go.
pub fn delete(conn: &mut AnyConnection, user: i32) -> Result<()> {
    retry(conn, ATTEMPTS, |conn| {
        User::get(conn, user)?.delete(conn)?;
        Ok(())
    })
}

/// Opens `/admin` to a user.
///
/// # Errors
///
/// [`Error::NotFound`] if nobody has the name.
pub fn make_admin(conn: &mut AnyConnection, name: &str) -> Result<()> {
    let mut user = User::named(conn, name)?.ok_or(Error::NotFound)?;
    user.update(conn, |it| it.is_admin = true)?;
    Ok(())
}
