//! A server of its own for each test, on a real database, and browsers that talk to it.
//!
//! On an SQLite file; with the feature `postgres`, in a database of its own on the server that `POSTGRES_URL` names.

mod browser;
mod database;

use std::fs;

use diesel::prelude::*;
use registration::accounts::{self, Account, Details};
use registration::actor::Actor;
use registration::database::AnyConnection;
use registration::error::Result;
use registration::models::{AuditEntry, Employee, NewEmployee, Person, User};
use registration::password::PasswordHash;
use registration::schema::{audit_entries, persons, users};
use registration::{App, Config};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) use self::browser::{Browser, Page};
use self::database::TestDatabase;

/// What [`Browser::register`] types.
pub(crate) const PASSWORD: &str = "correct horse";

/// Fields are dropped in this order.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) url: String,
    runtime: Runtime,
    _database: TestDatabase,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::new();
        let mut config = Config::in_folder(folder.path().join("data"));
        config.database_url = database.url();
        // What a password costs is not what is tested.
        config.hashing = argon2::Params::new(8, 1, 1, None).expect("the least there is");
        change(&mut config);
        let app = App::open(&config).expect("it opens");
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind(config.address))
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let router = app.router();
        runtime.spawn(async { axum::serve(listener, router).await });
        Server {
            app,
            url,
            runtime,
            _database: database,
            folder,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser in which somebody has just registered by this name.
    pub(crate) fn member(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.register(name);
        assert_eq!(page.status, 303, "{}", page.body);
        browser
    }

    /// A browser in which an administrator is logged in.
    pub(crate) fn admin(&self) -> Browser {
        let browser = self.member("root");
        self.run(|conn| accounts::make_admin(conn, "root"));
        browser
    }

    /// Does something with the database beside the server.
    pub(crate) fn run<T>(&self, work: impl FnOnce(&mut AnyConnection) -> Result<T>) -> T {
        self.try_run(work).expect("the database does it")
    }

    pub(crate) fn try_run<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T>,
    ) -> Result<T> {
        self.app.database().run_here(Actor::named("test"), work)
    }

    pub(crate) fn user(&self, name: &str) -> User {
        self.run(|conn| Ok(User::named(conn, name)?))
            .expect("there is such a user")
    }

    pub(crate) fn users(&self) -> Vec<User> {
        self.run(|conn| Ok(users::table.order(users::id).load(conn)?))
    }

    pub(crate) fn persons(&self) -> Vec<Person> {
        self.run(|conn| Ok(persons::table.order(persons::user_id).load(conn)?))
    }

    /// Makes this user an employee, whose profile comes with it.
    pub(crate) fn hire(&self, name: &str) -> Employee {
        use diesel_hooks::Model as _;

        let new = NewEmployee {
            user_id: self.user(name).id,
            title: "Engineer".into(),
        };
        self.run(|conn| Ok(Employee::create(conn, new)?))
    }

    /// An account that can be registered without a form.
    pub(crate) fn account(&self, name: &str) -> Account {
        let password = String::from(PASSWORD).into();
        let hash = self.app.hasher().hash(password);
        Account {
            username: name.into(),
            email: format!("{name}@example.org"),
            password_hash: self.runtime.block_on(hash).expect("hashed"),
            details: Details {
                chat_handle: Some("@test".into()),
                ..Details::default()
            },
        }
    }

    pub(crate) fn verify(&self, password: &str, hash: Option<PasswordHash>) -> bool {
        let verified = self
            .app
            .hasher()
            .verify(String::from(password).into(), hash);
        self.runtime.block_on(verified).expect("it is a hash")
    }

    /// Who did what to what, the oldest first.
    pub(crate) fn audit(&self) -> Vec<String> {
        let entries: Vec<AuditEntry> =
            self.run(|conn| Ok(audit_entries::table.order(audit_entries::id).load(conn)?));
        let line = |it: &AuditEntry| {
            let AuditEntry {
                actor,
                action,
                model,
                row_key,
                ..
            } = it;
            format!("{actor} {action} {model} {row_key}")
        };
        entries.iter().map(line).collect()
    }

    /// The mail that was sent.
    pub(crate) fn mails(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join("data/mail")).expect("the folder");
        let mut mails: Vec<_> = files
            .map(|file| fs::read_to_string(file.expect("a file").path()).expect("a mail"))
            .collect();
        mails.sort();
        mails
    }
}
