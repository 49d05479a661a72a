//! One function for several models, several connections, and both.
#![deny(warnings)]

use std::sync::Mutex;

use diesel::prelude::*;
use diesel_hooks::RawConnection;
use diesel_hooks::prelude::*;

mod models {
    use diesel::prelude::*;
    use diesel_hooks::prelude::*;

    diesel::table! {
        users (id) { id -> Integer, email -> Text }
    }

    diesel::table! {
        articles (id) { id -> Integer, title -> Text }
    }

    #[derive(Clone, Queryable, Hooks)]
    pub struct User {
        pub id: i32,
        pub email: String,
    }

    #[derive(Clone, Queryable, Hooks)]
    pub struct Article {
        pub id: i32,
        pub title: String,
    }
}

use models::{Article, NewArticle, NewUser, User};

trait Named {
    fn name(&self) -> &str;
}

impl Named for User {
    fn name(&self) -> &str {
        &self.email
    }
}

impl Named for Article {
    fn name(&self) -> &str {
        &self.title
    }
}

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(what: &str, of: &impl Named) {
    LOG.lock().unwrap().push(format!("{what} {}", of.name()));
}

#[receiver(senders(User, crate::generic_receivers::models::Article))]
fn each<M: Model + Named>(event: &PostSave<M>) {
    log("each", &event.instance);
}

#[expect(clippy::needless_lifetimes, reason = "a receiver may name them")]
#[receiver(senders(User, Article), order = 1)]
fn batch<'a, M>(events: &'a [PostSave<M>], _: &mut SqliteConnection) -> diesel_hooks::Result
where
    M: Model + Named,
{
    for event in events {
        log("batch", &event.instance);
    }
    Ok(())
}

#[receiver(connections(SqliteConnection), order = 2)]
fn anywhere<C: RawConnection>(event: &PostSave<User>, _: &mut C) {
    log("anywhere", &event.instance);
}

#[receiver(
    connections(diesel::SqliteConnection),
    senders(User, Article),
    order = 3
)]
fn both<C, M>(event: &PostSave<M>, conn: &mut C)
where
    C: RawConnection,
    M: Named + Persist<C>,
{
    assert!(M::get(conn, event.instance.pk()).is_ok());
    log("both", &event.instance);
}

#[receiver(
    senders(Article),
    changed(models::articles::title),
    after_commit,
    order = 4
)]
fn of_one<M: Named + Model>(event: &PostSave<M>)
where
    PostSave<M>: HasTitle,
{
    log("later", &event.instance);
}

trait HasTitle {}
impl HasTitle for PostSave<Article> {}

/// A generic type in the list, the parameter deep inside the signal.
#[derive(Signal)]
struct Told<T>(Option<(T, u8)>);

#[receiver(senders(Vec<u8>, std::string::String))]
fn told<T: AsRef<[u8]>>(event: &Told<T>) {
    if let Some((it, _)) = &event.0 {
        LOG.lock()
            .unwrap()
            .push(format!("told {}", it.as_ref().len()));
    }
}

use diesel_hooks::Persist;

#[test]
fn one_generic_function_hears_several_signals() {
    let conn = &mut SqliteConnection::establish(":memory:").unwrap();
    for table in [
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL)",
        "CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL)",
    ] {
        diesel::sql_query(table).execute(conn).unwrap();
    }
    User::create(
        conn,
        NewUser {
            email: "ada".into(),
        },
    )
    .unwrap();
    Article::create(
        conn,
        NewArticle {
            title: "notes".into(),
        },
    )
    .unwrap();
    Told(Some((vec![1_u8, 2], 1))).send(conn).unwrap();
    Told(Some((String::from("three"), 1)))
        .send_detached()
        .unwrap();
    assert_eq!(
        *LOG.lock().unwrap(),
        [
            "each ada",
            "batch ada",
            "anywhere ada",
            "both ada",
            "each notes",
            "batch notes",
            "both notes",
            "later notes",
            "told 2",
            "told 5",
        ]
    );
}
