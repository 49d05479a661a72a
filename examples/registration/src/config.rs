use std::env;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use argon2::Params;

use crate::error::StartError;

/// What can be chosen without compiling anew.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the program listens; port 0 is any that is free.
    pub address: SocketAddr,
    /// For the database, mail and the key, as far as nothing else is said.
    pub folder: PathBuf,
    /// A URL for PostgreSQL, or a file's name for SQLite.
    pub database_url: Option<String>,
    /// How many connections there are at most. SQLite has one writer at a time, and hashing a password takes longer than
    /// any statement here, so that more would only wait elsewhere.
    pub connections: NonZeroU32,
    /// Whether browsers send the cookie by HTTPS alone.
    pub secure_cookies: bool,
    /// What hashing a password costs.
    pub hashing: Params,
}

impl Config {
    /// With everything in this folder, at any free port.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Config {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            folder: folder.into(),
            database_url: None,
            connections: const { NonZeroU32::new(8).expect("8 is not 0") },
            secure_cookies: false,
            hashing: Params::default(),
        }
    }

    /// The database: the one that was named, or a file in the folder.
    pub fn url(&self) -> String {
        let file = || self.folder.join("registration.sqlite");
        let named = self.database_url.clone();
        named.unwrap_or_else(|| file().display().to_string())
    }

    /// What the environment says; the README lists the variables.
    ///
    /// # Errors
    ///
    /// If one of them has no sense.
    pub fn from_env() -> Result<Self, StartError> {
        let folder = text("REGISTRATION_FOLDER").unwrap_or_else(|| "registration-data".into());
        let usual = Config::in_folder(folder);
        let address = read("REGISTRATION_ADDRESS", "an address such as 127.0.0.1:3000")?;
        let connections = read("REGISTRATION_CONNECTIONS", "a number above 0")?;
        let secure_cookies = read("REGISTRATION_SECURE_COOKIES", "true or false")?;
        Ok(Config {
            address: address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            database_url: text("DATABASE_URL"),
            connections: connections.unwrap_or(usual.connections),
            secure_cookies: secure_cookies.unwrap_or(usual.secure_cookies),
            hashing: hashing()?.unwrap_or(usual.hashing.clone()),
            ..usual
        })
    }
}

fn text(variable: &'static str) -> Option<String> {
    env::var(variable).ok().filter(|it| !it.is_empty())
}

fn read<T: FromStr>(
    variable: &'static str,
    expected: &'static str,
) -> Result<Option<T>, StartError> {
    let Some(value) = text(variable) else {
        return Ok(None);
    };
    match value.parse() {
        Ok(read) => Ok(Some(read)),
        Err(_) => Err(StartError::Variable {
            variable,
            value,
            expected,
        }),
    }
}

/// `19456,2`: kibibytes and rounds.
fn hashing() -> Result<Option<Params>, StartError> {
    const VARIABLE: &str = "REGISTRATION_HASHING";
    let Some(value) = text(VARIABLE) else {
        return Ok(None);
    };
    let params = value.split_once(',').and_then(|(memory, rounds)| {
        Params::new(memory.parse().ok()?, rounds.parse().ok()?, 1, None).ok()
    });
    match params {
        Some(params) => Ok(Some(params)),
        None => Err(StartError::Variable {
            variable: VARIABLE,
            value,
            expected: "kibibytes and rounds for Argon2, such as 19456,2",
        }),
    }
}
