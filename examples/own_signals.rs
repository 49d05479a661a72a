//! An application's own signal: `Created<M>` is sent once for each new row of some models, and a receiver
//! names the one that it cares for.
//!
//! ```sh
//! cargo run --example own_signals
//! ```
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "an example shows what it does"
)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { articles (id) { id -> Integer, title -> Text } }
diesel::table! { feed (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, Queryable, Hooks)]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct Article {
    id: i32,
    title: String,
}

/// A row came into being.
#[derive(Signal)]
struct Created<M> {
    instance: M,
}

/// One function for several models: it turns their `PostSave` into the application's own signal.
#[receiver(senders(User, Article))]
fn announce<M: Model>(event: &PostSave<M>, conn: &mut SqliteConnection) -> diesel_hooks::Result {
    match event.created {
        true => Created {
            instance: event.instance.clone(),
        }
        .send(conn),
        false => Ok(()),
    }
}

/// Hears of users only.
#[receiver]
fn greet(event: &Created<User>, conn: &mut SqliteConnection) -> QueryResult<()> {
    diesel::insert_into(feed::table)
        .values(feed::text.eq(format!("{} is here", event.instance.name)))
        .execute(conn)
        .map(drop)
}

fn connect() -> diesel_hooks::Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(":memory:").expect("SQLite is embedded");
    for table in [
        "users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        "articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL)",
        "feed (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    ] {
        diesel::sql_query(format!("CREATE TABLE {table}")).execute(&mut conn)?;
    }
    Ok(conn)
}

/// Creates a user and an article and renames the user; says what the feed tells of it.
fn tell(conn: &mut SqliteConnection) -> diesel_hooks::Result<Vec<String>> {
    let mut user = User::create(conn, NewUser { name: "Ada".into() })?;
    Article::create(
        conn,
        NewArticle {
            title: "On engines".into(),
        },
    )?;
    user.update(conn, |user| user.name = "Ada Lovelace".into())?;
    Ok(feed::table.select(feed::text).load(conn)?)
}

fn main() -> diesel_hooks::Result {
    for line in tell(&mut connect()?)? {
        println!("{line}");
    }
    Ok(())
}

#[test]
fn a_receiver_of_created_users_hears_of_them_once_and_of_nothing_else() {
    let mut conn = connect().expect("a database");
    assert_eq!(tell(&mut conn).expect("all is created"), ["Ada is here"]);
}
