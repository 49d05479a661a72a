//! A timestamp on a field whose type holds none, and on one that the insertable has with another type or
//! not at all.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { posts (id) { id -> Integer, title -> Text, created -> Timestamp } }
diesel::table! { notes (id) { id -> Integer, text -> Text, modified -> Timestamp } }
diesel::table! { letters (id) { id -> Integer, text -> Text, created -> Timestamp } }

#[derive(Clone, Queryable, Hooks)]
struct Post {
    id: i32,
    #[hooks(auto_now_add)]
    title: String,
    #[hooks(auto_now)]
    created: NaiveDateTime,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = notes)]
struct NewNote {
    text: String,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(new = NewNote)]
struct Note {
    id: i32,
    text: String,
    #[hooks(auto_now)]
    modified: NaiveDateTime,
}

#[derive(Clone, Queryable, Insertable, Hooks)]
#[hooks(new = Self)]
struct Letter {
    id: i32,
    #[hooks(auto_now)]
    text: String,
    created: NaiveDateTime,
}

fn main() {}
