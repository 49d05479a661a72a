//! Teams with lockers, members and badges, and each operation on them.
#![allow(missing_docs, reason = "schema modules are generated")]

use std::cell::RefCell;

use backends::TestConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_hooks::Error;
use diesel_hooks::prelude::*;

pub(crate) const TABLES: &str = "
    CREATE TABLE teams (id {key}, name VARCHAR(100) NOT NULL UNIQUE);
    CREATE TABLE lockers (id {key}, team_id INTEGER NOT NULL UNIQUE, FOREIGN KEY (team_id) REFERENCES teams (id));
    CREATE TABLE members (id {key}, team_id INTEGER NOT NULL, FOREIGN KEY (team_id) REFERENCES teams (id));
    CREATE TABLE badges (id {key}, member_id INTEGER NOT NULL, FOREIGN KEY (member_id) REFERENCES members (id));
    CREATE TABLE settings (name VARCHAR(100) PRIMARY KEY, level INTEGER NOT NULL);
    CREATE TABLE notes (id {key}, text VARCHAR(100) NOT NULL);
    CREATE TABLE changes (id {key}, text VARCHAR(100) NOT NULL);
";

diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { lockers (id) { id -> Integer, team_id -> Integer } }
diesel::table! { members (id) { id -> Integer, team_id -> Integer } }
diesel::table! { badges (id) { id -> Integer, member_id -> Integer } }
diesel::table! { settings (name) { name -> Text, level -> Integer } }
diesel::table! { notes (id) { id -> Integer, text -> Text } }
diesel::table! { changes (id) { id -> Integer, text -> Text } }

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Team {
    pub(crate) id: i32,
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Locker {
    id: i32,
    #[hooks(one_to_one(Team, on_delete = Cascade, auto_create))]
    team_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Member {
    id: i32,
    #[hooks(foreign_key(Team, on_delete = Cascade))]
    team_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Badge {
    id: i32,
    #[hooks(foreign_key(Member, on_delete = Cascade))]
    member_id: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Insertable, Hooks)]
#[hooks(connection(TestConnection), new = Self)]
#[diesel(primary_key(name))]
pub(crate) struct Setting {
    name: String,
    level: i32,
}

/// Nobody hears of these, and nothing depends on them.
#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Note {
    pub(crate) id: i32,
    pub(crate) text: String,
}

fn write_down(conn: &mut TestConnection, text: &str) -> QueryResult<()> {
    diesel::insert_into(changes::table)
        .values(changes::text.eq(text))
        .execute(conn)
        .map(drop)
}

#[receiver]
fn team_saved(event: &PostSave<Team>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, &event.instance.name)
}

#[receiver]
fn setting_saved(event: &PostSave<Setting>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, &event.instance.name)
}

#[receiver]
fn badge_went(event: &PostDelete<Badge>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, event.instance.table_name())
}

#[receiver]
fn team_went(event: &PostDelete<Team>, conn: &mut TestConnection) -> QueryResult<()> {
    write_down(conn, &event.instance.name)
}

thread_local! {
    pub(crate) static TOLD: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

#[receiver(after_commit)]
fn tell_of_change(_: &PostSave<Team>) {
    TOLD.with_borrow_mut(|told| told.push("saved"));
}

#[receiver(after_commit)]
fn tell_of_end(_: &PostDelete<Team>) {
    TOLD.with_borrow_mut(|told| told.push("went"));
}

/// All rows of all tables.
pub(crate) fn snapshot(conn: &mut TestConnection) -> String {
    let mut rows = String::new();
    macro_rules! add {
        ($($table:ident: $row:ty),*) => {$(
            let all: Vec<$row> = $table::table.load(conn).expect("it can be read");
            let all: std::collections::BTreeSet<_> = all.into_iter().collect();
            rows += &format!("{}: {all:?}\n", stringify!($table));
        )*};
    }
    add!(teams: (i32, String), lockers: (i32, i32), members: (i32, i32), badges: (i32, i32));
    add!(settings: (String, i32), notes: (i32, String), changes: (i32, String));
    rows
}

/// Rows to work on.
pub(crate) fn fill(conn: &mut TestConnection) -> Team {
    conn.without_hooks(|conn| {
        conn.transaction(|conn| {
            for table in [
                "changes", "notes", "settings", "badges", "members", "lockers", "teams",
            ] {
                conn.batch_execute(&format!("DELETE FROM {table}"))?;
            }
            let team = Team::create(conn, NewTeam { name: "old".into() })?;
            let members = [(); 2].map(|()| NewMember { team_id: team.id });
            for member in Member::create_many(conn, members.into())? {
                let badges = [(); 2].map(|()| NewBadge {
                    member_id: member.id,
                });
                Badge::create_many(conn, badges.into())?;
            }
            let setting = Setting {
                name: "old".into(),
                level: 1,
            };
            Setting::create(conn, setting)?;
            Note::create(conn, NewNote { text: "old".into() })?;
            Ok::<_, Error>(team)
        })
    })
    .expect("the rows fit")
}

#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut TestConnection, &mut Team) -> diesel_hooks::Result,
}

pub(crate) const OPERATIONS: [Operation; 10] = [
    Operation {
        name: "create",
        run: |conn, _| Team::create(conn, NewTeam { name: "new".into() }).map(drop),
    },
    Operation {
        name: "create_many",
        run: |conn, _| {
            let new = ["a", "b", "c"].map(|name| NewTeam { name: name.into() });
            Team::create_many(conn, new.into()).map(drop)
        },
    },
    Operation {
        name: "save",
        run: |conn, team| {
            let mut team = team.clone();
            team.name = "saved".into();
            team.save(conn)
        },
    },
    Operation {
        name: "update",
        run: |conn, team| team.update(conn, |it| it.name = "updated".into()),
    },
    Operation {
        name: "upsert of what is there",
        run: |conn, _| {
            Setting::upsert(
                conn,
                Setting {
                    name: "old".into(),
                    level: 2,
                },
            )
            .map(drop)
        },
    },
    Operation {
        name: "upsert of what is not",
        run: |conn, _| {
            Setting::upsert(
                conn,
                Setting {
                    name: "new".into(),
                    level: 2,
                },
            )
            .map(drop)
        },
    },
    Operation {
        name: "delete",
        run: |conn, team| team.delete(conn).map(drop),
    },
    Operation {
        name: "create of what nobody hears of",
        run: |conn, _| Note::create(conn, NewNote { text: "new".into() }).map(drop),
    },
    Operation {
        name: "delete of what nobody hears of",
        run: |conn, _| notes::table.delete_hooked::<Note>(conn).map(drop),
    },
    Operation {
        name: "delete without hooks",
        run: |conn, team| conn.without_hooks(|conn| team.delete(conn).map(drop)),
    },
];
