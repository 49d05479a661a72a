//! Passwords: hashed on threads that may take long, and never shown.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::{self, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// A password as it was typed. It cannot be shown: not in a log, and not in a form.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the same was typed twice.
    pub fn is_same_as(&self, other: &Password) -> bool {
        self.0 == other.0
    }
}

impl From<String> for Password {
    fn from(typed: String) -> Self {
        Password(typed)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A password's hash with its parameters, as PHC text.
#[derive(Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl<DB: Backend> ToSql<Text, DB> for PasswordHash
where
    String: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

impl<DB: Backend> FromSql<Text, DB> for PasswordHash
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        String::from_sql(bytes).map(PasswordHash)
    }
}

/// Makes and verifies hashes, no more at a time than there are processors: each takes megabytes.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// What is verified where there is no user, to take as long as where there is one.
    nobodys: Arc<str>,
}

impl Hasher {
    /// With these costs.
    ///
    /// # Errors
    ///
    /// If the operating system has no random numbers.
    pub fn new(costs: Params) -> Result<Self> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
        let at_once = std::thread::available_parallelism().map_or(2, |it| it.get());
        let nobodys = hash(&argon2, &Password("nobody's".into()))?.0.into();
        Ok(Hasher {
            argon2,
            turns: Arc::new(Semaphore::new(at_once)),
            nobodys,
        })
    }

    /// Hashes a password with a salt of its own.
    ///
    /// # Errors
    ///
    /// If the operating system has no random numbers.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        self.in_turn(move |argon2| hash(argon2, &password)).await
    }

    /// Whether it is this password. Where there is no user it takes as long, and it is not.
    ///
    /// # Errors
    ///
    /// If the hash is none.
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| self.nobodys.to_string(), |it| it.0);
        let matches = self.in_turn(move |argon2| verify(argon2, &password, &hash));
        Ok(matches.await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> password_hash::Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.expect("the semaphore is never closed");
        let argon2 = self.argon2.clone();
        let work = move || {
            let _turn = turn;
            work(&argon2)
        };
        Ok(tokio::task::spawn_blocking(work).await??)
    }
}

fn hash(argon2: &Argon2<'_>, password: &Password) -> password_hash::Result<PasswordHash> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| password_hash::Error::Crypto)?;
    let salt = SaltString::encode_b64(&salt)?;
    let hash = argon2.hash_password(password.0.as_bytes(), &salt)?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify(argon2: &Argon2<'_>, password: &Password, hash: &str) -> password_hash::Result<bool> {
    let hash = password_hash::PasswordHash::new(hash)?;
    match argon2.verify_password(password.0.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::Password) => Ok(false),
        Err(error) => Err(error),
    }
}

impl From<password_hash::Error> for Error {
    fn from(error: password_hash::Error) -> Self {
        Error::Hash(error)
    }
}
