//! A server as a process, with a database of its own.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use diesel::ConnectionError;
use diesel::prelude::*;
use registration::database::AnyConnection;
use tempfile::TempDir;

/// Why it cannot be driven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, a process or the network.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It ended instead of saying where it listens.
    #[error("{program} does not start: {said}")]
    NotStarted {
        /// What was to run.
        program: PathBuf,
        /// What it says.
        said: String,
    },
    /// The database cannot be reached.
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] ConnectionError),
    /// The database does not do what it is asked.
    #[error("the database: {0}")]
    Database(#[from] diesel::result::Error),
}

/// Where a server keeps what it keeps: a folder and a database, which are gone when this is dropped.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    url: String,
    /// The server on which it is, and its name there.
    #[cfg(feature = "postgres")]
    on_server: Option<(String, String)>,
}

impl Place {
    /// On SQLite, a file in the folder.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made.
    pub fn on_sqlite() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("registration.sqlite");
        Ok(Place {
            url: file.display().to_string(),
            folder,
            #[cfg(feature = "postgres")]
            on_server: None,
        })
    }

    /// On PostgreSQL, a database of its own on the server that the URL names.
    ///
    /// # Errors
    ///
    /// If the folder or the database cannot be made.
    #[cfg(feature = "postgres")]
    pub fn on_postgres(server: &str) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("load_")
            .rand_bytes(12)
            .tempdir()?;
        let name = folder.path().file_name().unwrap_or_default();
        let name = name.to_string_lossy().to_lowercase();
        let mut conn = PgConnection::establish(server)?;
        diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn)?;
        let (host, _) = server.rsplit_once('/').unwrap_or((server, ""));
        Ok(Place {
            url: format!("{host}/{name}"),
            folder,
            on_server: Some((server.into(), name)),
        })
    }

    /// Where mail is.
    pub fn mail(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    /// A connection beside the server.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn connect(&self) -> Result<AnyConnection, Error> {
        Ok(AnyConnection::establish(&self.url)?)
    }

    /// Comes back when the database has noticed that the server is gone: until then it may go on with what it was told.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub fn wait_until_alone(&self) -> Result<(), Error> {
        #[cfg(feature = "postgres")]
        if let AnyConnection::Postgres(mut conn) = self.connect()? {
            use diesel::dsl::sql;
            use diesel::sql_types::BigInt;

            let others = "(SELECT count(*) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid())";
            while diesel::select(sql::<BigInt>(others)).get_result::<i64>(&mut conn)? > 0 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.on_server
            && let Ok(mut conn) = PgConnection::establish(server)
        {
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            diesel::sql_query(sql).execute(&mut conn).ok();
        }
    }
}

/// A process, which is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the program of this name beside this one, and waits until it listens.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(name: &str, place: &Place, hashing: &str) -> Result<Self, Error> {
        let program = env::current_exe()?.with_file_name(name);
        let log = place.folder.path().join("log");
        let mut child = Command::new(&program)
            .env("DATABASE_URL", &place.url)
            .env("REGISTRATION_FOLDER", place.folder.path())
            .env("REGISTRATION_ADDRESS", "127.0.0.1:0")
            .env("REGISTRATION_HASHING", hashing)
            .stdout(Stdio::piped())
            .stderr(append_to(&log)?)
            .spawn()?;
        let output = child.stdout.take().map(BufReader::new);
        let mut line = String::new();
        if let Some(mut output) = output {
            output.read_line(&mut line)?;
        }
        let address = line.trim().trim_matches('/').strip_prefix("http://");
        match address.and_then(|it| it.parse().ok()) {
            Some(address) => Ok(Server { child, address }),
            None => {
                child.kill().ok();
                child.wait()?;
                let said = fs::read_to_string(log)?;
                Err(Error::NotStarted { program, said })
            }
        }
    }

    /// Kills it as `kill -9` does, whatever it is doing.
    ///
    /// # Errors
    ///
    /// If it cannot be killed.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn append_to(path: &Path) -> io::Result<fs::File> {
    fs::File::options().create(true).append(true).open(path)
}
