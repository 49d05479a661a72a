//! Who is logged in, in which browser.

use std::fmt;
use std::io;

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_hooks::prelude::*;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::actor::Actor;
use crate::database::AnyConnection;
use crate::error::Result;
use crate::models::{NewSession, Session, User};
use crate::random;
use crate::schema::{sessions, users};

/// How long a session lasts, whatever happens in it.
pub const LIFETIME: TimeDelta = TimeDelta::days(14);

/// What a browser is known by: random, in a signed cookie. Every visitor has one, for the forms; who logs in gets another.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// One that nobody has.
    ///
    /// # Errors
    ///
    /// If the operating system has no random numbers.
    pub fn random() -> io::Result<Self> {
        random::hex::<32>().map(Token)
    }

    /// One from a cookie, whose signature says that it was made here.
    pub fn from_cookie(text: &str) -> Self {
        Token(text.into())
    }

    /// For the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What forms have to send along. It tells nothing of the token, so that it may stand in a page.
    pub fn csrf(&self) -> String {
        self.hash("csrf")
    }

    /// Whether a form sent what [`csrf`](Self::csrf) says.
    pub fn allows(&self, csrf: &str) -> bool {
        self.csrf().as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    /// What the table of sessions keeps of it.
    pub fn stored(&self) -> String {
        self.hash("session")
    }

    fn hash(&self, purpose: &str) -> String {
        random::to_hex(&Sha256::digest(format!("{purpose}:{}", self.0)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Who is logged in by this token.
///
/// # Errors
///
/// If the database does not answer.
pub fn user_of(conn: &mut AnyConnection, token: &Token) -> Result<Option<User>> {
    let user = sessions::table
        .inner_join(users::table)
        .filter(sessions::token_hash.eq(token.stored()))
        .filter(sessions::expires.gt(Utc::now().naive_utc()))
        .select(User::as_select())
        .first(conn)
        .optional()?;
    Ok(user)
}

/// Logs a user in: a new token, so that one which was planted before is worth nothing.
///
/// # Errors
///
/// If the user is gone.
pub fn open(conn: &mut AnyConnection, user: &User) -> Result<Token> {
    let token = Token::random()?;
    let new = NewSession {
        user_id: user.id,
        token_hash: token.stored(),
        expires: Utc::now().naive_utc() + LIFETIME,
    };
    conn.with_context(Actor::from(user), |conn| Session::create(conn, new))?;
    Ok(token)
}

/// Deletes those of a user that nobody can use any more.
///
/// # Errors
///
/// If the database does not answer.
pub fn delete_expired(conn: &mut AnyConnection, user: &User) -> Result<()> {
    sessions::table
        .filter(sessions::user_id.eq(user.id))
        .filter(sessions::expires.le(Utc::now().naive_utc()))
        .delete_hooked::<Session>(conn)?;
    Ok(())
}

/// Logs out whoever is logged in by this token.
///
/// # Errors
///
/// If the database does not answer.
pub fn close(conn: &mut AnyConnection, token: &Token) -> Result<()> {
    sessions::table
        .filter(sessions::token_hash.eq(token.stored()))
        .delete_hooked::<Session>(conn)?;
    Ok(())
}
