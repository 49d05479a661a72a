//! Users with a profile, which has settings, all made with the user; whoever creates, updates or deletes them is
//! written down.

use backends::TestConnection;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

use backends::Log;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { profiles (id) { id -> Integer, user_id -> Integer, greeting -> Text } }
diesel::table! { settings (id) { id -> Integer, profile_id -> Integer, dark -> Bool } }

pub(crate) const SCHEMA: &str = "
    CREATE TABLE users (id {key}, name TEXT NOT NULL UNIQUE);
    CREATE TABLE profiles (id {key}, user_id INTEGER NOT NULL UNIQUE REFERENCES users (id),
        greeting TEXT NOT NULL CHECK (greeting <> 'Hello, nobody'));
    CREATE TABLE settings (id {key}, profile_id INTEGER NOT NULL UNIQUE REFERENCES profiles (id),
        dark BOOLEAN NOT NULL);
";

pub(crate) static LOG: Log = Log::new();

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct User {
    pub(crate) id: i32,
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
pub(crate) struct Profile {
    pub(crate) id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create = greet))]
    pub(crate) user_id: i32,
    pub(crate) greeting: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Hooks)]
#[hooks(connection(TestConnection))]
#[diesel(table_name = settings)]
pub(crate) struct Settings {
    pub(crate) id: i32,
    #[hooks(one_to_one(Profile, on_delete = Cascade, related_name = settings, auto_create))]
    pub(crate) profile_id: i32,
    pub(crate) dark: bool,
}

fn greet(user: &User) -> NewProfile {
    NewProfile {
        user_id: user.id,
        greeting: format!("Hello, {}", user.name),
    }
}

pub(crate) fn named(name: &str) -> NewUser {
    NewUser { name: name.into() }
}

pub(crate) fn numbered(count: usize) -> Vec<NewUser> {
    (0..count).map(|n| named(&format!("user {n}"))).collect()
}

/// How many users, profiles and settings there are.
pub(crate) fn stored(conn: &mut TestConnection) -> [i64; 3] {
    [
        users::table.count().get_result(conn),
        profiles::table.count().get_result(conn),
        settings::table.count().get_result(conn),
    ]
    .map(|count| count.expect("a count"))
}

macro_rules! heard {
    ($($model:ident $before:ident $after:ident $first:ident $last:ident;)*) => {$(
        #[receiver]
        fn $before(_: &PreSave<$model>) {
            LOG.push(concat!("pre_save ", stringify!($model)));
        }

        #[receiver]
        fn $after(event: &PostSave<$model>) {
            let what = if event.created { "created" } else { "updated" };
            LOG.push(format!("{what} {} {}", stringify!($model), event.instance.id));
        }

        #[receiver]
        fn $first(event: &PreDelete<$model>) {
            LOG.push(format!("pre_delete {} {}", stringify!($model), event.instance.id));
        }

        #[receiver]
        fn $last(event: &PostDelete<$model>) {
            LOG.push(format!("post_delete {} {}", stringify!($model), event.instance.id));
        }
    )*};
}

heard! {
    User user_before user_after user_going user_gone;
    Profile profile_before profile_after profile_going profile_gone;
    Settings settings_before settings_after settings_going settings_gone;
}
