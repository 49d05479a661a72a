#![forbid(unsafe_code)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

mod inside {
    use diesel_hooks as renamed;

    #[derive(diesel::MultiConnection, diesel_hooks::HookConnection)]
    #[hooks(crate = renamed)]
    pub enum AnyConnection {
        Sqlite(diesel::SqliteConnection),
    }
}
use inside::AnyConnection;

diesel::table! {
    users (id) { id -> Integer, email -> Text, nick -> Nullable<Text> }
}
diesel::table! {
    posts (id) { id -> Integer, user_id -> Integer, title -> Text }
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection))]
struct User {
    id: i32,
    email: String,
    nick: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(connection(AnyConnection, SqliteConnection))]
struct Post {
    id: i32,
    #[hooks(foreign_key(User, on_delete = Cascade, related_name = posts))]
    user_id: i32,
    title: String,
}

#[receiver]
fn first_post(event: &PostCreate<User>, conn: &mut AnyConnection) -> diesel_hooks::Result {
    let title = format!("{} is here", event.instance.email);
    Post::create(
        conn,
        NewPost {
            user_id: event.instance.id,
            title,
        },
    )
    .map(drop)
}

#[test]
fn an_enum_of_connections_has_hooks() -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = AnyConnection::establish(":memory:")?;
    for table in [
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, nick TEXT)",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users, title TEXT NOT NULL)",
    ] {
        diesel::sql_query(table).execute(&mut conn)?;
    }
    let ada = User::create(
        &mut conn,
        NewUser {
            email: "ada".into(),
            nick: None,
        },
    )?;
    assert_eq!(ada.posts(&mut conn)?[0].title, "ada is here");
    assert_eq!(ada.delete(&mut conn)?.total, 2);
    Ok(())
}
