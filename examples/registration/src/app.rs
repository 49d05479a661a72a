use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use axum::Router;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};

use crate::config::Config;
use crate::database::Database;
use crate::error::StartError;
use crate::password::Hasher;
use crate::receivers::Outside;
use crate::receivers::mail::Mailer;
use crate::receivers::pages::PageCache;
use crate::sessions::{LIFETIME, Token};
use crate::{random, web};

/// The application: what its requests share.
#[derive(Clone)]
pub struct App {
    database: Database,
    hasher: Hasher,
    key: Key,
    secure_cookies: bool,
}

impl App {
    /// Makes its folder, connects to the database and brings the tables up to date.
    ///
    /// # Errors
    ///
    /// If one of these fails.
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let folder = &config.folder;
        let failed = |source| StartError::Io {
            what: format!("cannot write to {}", folder.display()),
            source,
        };
        make_private_folder(folder).map_err(failed)?;
        let outside = Outside {
            mailer: Mailer::into_folder(folder.join("mail")).map_err(failed)?,
            pages: PageCache::default(),
        };
        Ok(App {
            database: Database::open(&config.url(), config.connections.get(), outside)?,
            hasher: Hasher::new(config.hashing.clone())?,
            key: key(&folder.join("cookie.key")).map_err(failed)?,
            secure_cookies: config.secure_cookies,
        })
    }

    /// The service that answers requests.
    pub fn router(&self) -> Router {
        web::router(self.clone())
    }

    /// Where the rows are.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// What hashes passwords.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    pub(crate) fn key(&self) -> Key {
        self.key.clone()
    }

    pub(crate) fn secure_cookies(&self) -> bool {
        self.secure_cookies
    }

    /// A name that no other host and no plain HTTP can set, where there is HTTPS.
    pub(crate) fn cookie_name(&self) -> &'static str {
        match self.secure_cookies {
            true => "__Host-session",
            false => "session",
        }
    }

    pub(crate) fn cookie(&self, token: &Token) -> Cookie<'static> {
        Cookie::build((self.cookie_name(), token.as_str().to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure_cookies)
            .max_age(time::Duration::seconds(LIFETIME.num_seconds()))
            .build()
    }
}

/// Nobody else on this machine reads what is in it.
fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// What cookies are signed with, made at the first start: sessions outlive a restart.
fn key(path: &Path) -> io::Result<Key> {
    if !path.exists() {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(&random::bytes::<64>()?)?;
    }
    let key = fs::read(path)?;
    Key::try_from(key.as_slice()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
