//! Operations, each by hand and with hooks.
#![allow(missing_docs, reason = "schema modules are generated")]

mod by_hand;

use backends::TestConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use by_hand::ByHand as _;

pub(crate) const TABLES: &str = "
    CREATE TABLE users (id {key}, name VARCHAR(100) NOT NULL UNIQUE);
    CREATE TABLE profiles (
        id {key}, user_id INTEGER NOT NULL UNIQUE, bio VARCHAR(100), FOREIGN KEY (user_id) REFERENCES users (id)
    );
    CREATE TABLE notes (id {key}, text VARCHAR(100) NOT NULL);
    CREATE TABLE orders (id {key}, text VARCHAR(100) NOT NULL);
    CREATE TABLE entries (id {key}, text VARCHAR(100) NOT NULL);
    CREATE TABLE teams (id {key}, name VARCHAR(100) NOT NULL);
    CREATE TABLE players (id {key}, team_id INTEGER NOT NULL, FOREIGN KEY (team_id) REFERENCES teams (id));
";

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, bio -> Nullable<Text> } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! { orders (id) { id -> Integer, text -> Text } }
diesel::table! { entries (id) { id -> Integer, text -> Text } }
diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { players (id) { id -> Integer, team_id -> Integer } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create))]
    user_id: i32,
    bio: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Note {
    id: i32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Order {
    id: i32,
    text: String,
}

#[receiver]
fn log(event: &PostCreate<Order>, conn: &mut TestConnection) -> QueryResult<()> {
    conn.log(&event.instance.text).map(drop)
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Team {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
struct Player {
    id: i32,
    #[hooks(foreign_key(Team, on_delete = Cascade))]
    team_id: i32,
}

#[receiver]
fn farewell(event: &PostDelete<Player>) {
    std::hint::black_box(event.instance.id);
}

/// What an operation is about: a row that is there, or a name that no row has yet.
pub(crate) struct Subject {
    id: i32,
    name: String,
}

impl Subject {
    /// Ten names.
    fn names(&self) -> Vec<String> {
        (0..10)
            .map(|number| format!("{} {number}", self.name))
            .collect()
    }

    fn renamed(&self) -> String {
        format!("{} again", self.name)
    }
}

pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn(&mut TestConnection, String) -> QueryResult<Subject>,
    pub(crate) by_hand: fn(&mut TestConnection, &Subject) -> QueryResult<()>,
    pub(crate) hooked: fn(&mut TestConnection, &Subject) -> diesel_hooks::Result,
}

fn nothing(_: &mut TestConnection, name: String) -> QueryResult<Subject> {
    Ok(Subject { id: 0, name })
}

fn note(conn: &mut TestConnection, name: String) -> QueryResult<Subject> {
    let (id, name) = conn.create_note(&name)?;
    Ok(Subject { id, name })
}

fn user(conn: &mut TestConnection, name: String) -> QueryResult<Subject> {
    let (id, name) = conn.create_user(&name)?;
    Ok(Subject { id, name })
}

fn three_notes(conn: &mut TestConnection, name: String) -> QueryResult<Subject> {
    let mut id = 0;
    for _ in 0..3 {
        (id, _) = conn.create_note(&name)?;
    }
    Ok(Subject { id, name })
}

fn team(conn: &mut TestConnection, name: String) -> QueryResult<Subject> {
    let team = Team::create(conn, NewTeam { name });
    let team = team.map_err(diesel::result::Error::from)?;
    for _ in 0..3 {
        let team_id = team.id;
        Player::create(conn, NewPlayer { team_id }).map_err(diesel::result::Error::from)?;
    }
    let Team { id, name } = team;
    Ok(Subject { id, name })
}

fn new_user(name: &str) -> NewUser {
    NewUser { name: name.into() }
}

pub(crate) const OPERATIONS: [Operation; 14] = [
    Operation {
        name: "create",
        prepare: nothing,
        by_hand: |conn, it| conn.create_note(&it.name).map(drop),
        hooked: |conn, it| {
            let text = it.name.clone();
            Note::create(conn, NewNote { text }).map(drop)
        },
    },
    Operation {
        name: "create with a dependent",
        prepare: nothing,
        by_hand: |conn, it| conn.create_user(&it.name).map(drop),
        hooked: |conn, it| User::create(conn, new_user(&it.name)).map(drop),
    },
    Operation {
        name: "create with a dependent in a transaction of the application",
        prepare: nothing,
        by_hand: |conn, it| conn.transaction(|conn| conn.create_user(&it.name).map(drop)),
        hooked: |conn, it| {
            conn.transaction(|conn| User::create(conn, new_user(&it.name)).map(drop))
        },
    },
    Operation {
        name: "create_many of ten with dependents",
        prepare: nothing,
        by_hand: |conn, it| conn.create_users(&it.names()).map(drop),
        hooked: |conn, it| {
            let new = it.names().iter().map(|name| new_user(name)).collect();
            User::create_many(conn, new).map(drop)
        },
    },
    Operation {
        name: "get",
        prepare: note,
        by_hand: |conn, it| conn.note(it.id).map(drop),
        hooked: |conn, it| Note::get(conn, it.id).map(drop),
    },
    Operation {
        name: "get and update",
        prepare: note,
        by_hand: |conn, it| {
            conn.note(it.id)?;
            conn.write_note(it.id, "new").map(drop)
        },
        hooked: |conn, it| Note::get(conn, it.id)?.update(conn, |note| note.text = "new".into()),
    },
    Operation {
        name: "delete",
        prepare: note,
        by_hand: |conn, it| conn.delete_note(it.id).map(drop),
        hooked: |conn, it| {
            let text = String::new();
            Note { id: it.id, text }.delete(conn).map(drop)
        },
    },
    Operation {
        name: "delete with a dependent",
        prepare: user,
        by_hand: |conn, it| conn.delete_user(it.id).map(drop),
        hooked: |conn, it| {
            let name = String::new();
            User { id: it.id, name }.delete(conn).map(drop)
        },
    },
    Operation {
        name: "get_or_create of no row",
        prepare: nothing,
        by_hand: |conn, it| conn.get_or_create_user(&it.name).map(drop),
        hooked: |conn, it| get_or_create(conn, &it.name),
    },
    Operation {
        name: "get_or_create of a row",
        prepare: user,
        by_hand: |conn, it| conn.get_or_create_user(&it.name).map(drop),
        hooked: |conn, it| get_or_create(conn, &it.name),
    },
    Operation {
        name: "update_or_create of a row",
        prepare: user,
        by_hand: |conn, it| conn.rename_user(&it.name, &it.renamed()).map(drop),
        hooked: |conn, it| {
            let by_name = users::name.eq(it.name.clone());
            let new = || new_user(&it.name);
            User::update_or_create(conn, by_name, new, |user| user.name = it.renamed()).map(drop)
        },
    },
    Operation {
        name: "update_hooked of three rows",
        prepare: three_notes,
        by_hand: |conn, it| conn.write_notes(&it.name, &it.renamed()).map(drop),
        hooked: |conn, it| {
            let notes = notes::table.filter(notes::text.eq(&it.name));
            let renamed = notes.update_hooked::<Note>(conn, |note| note.text = it.renamed());
            renamed.map(drop)
        },
    },
    Operation {
        name: "create with a receiver that writes",
        prepare: nothing,
        by_hand: |conn, it| conn.create_order(&it.name).map(drop),
        hooked: |conn, it| {
            let text = it.name.clone();
            Order::create(conn, NewOrder { text }).map(drop)
        },
    },
    Operation {
        name: "delete with three dependents of which somebody hears",
        prepare: team,
        by_hand: |conn, it| conn.delete_team(it.id).map(drop),
        hooked: |conn, it| {
            let name = String::new();
            Team { id: it.id, name }.delete(conn).map(drop)
        },
    },
];

fn get_or_create(conn: &mut TestConnection, name: &str) -> diesel_hooks::Result {
    let by_name = users::name.eq(name.to_owned());
    User::get_or_create(conn, by_name, || new_user(name)).map(drop)
}
