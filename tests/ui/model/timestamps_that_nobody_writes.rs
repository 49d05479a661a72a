//! Timestamps where the library would not write them, or where they contradict something else.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! {
    posts (id) {
        id -> Timestamp, created -> Timestamp, modified -> Timestamp, seen -> Timestamp, sent -> Timestamp, both -> Timestamp,
    }
}
diesel::table! { replies (id) { id -> Integer, post_id -> Timestamp } }

#[derive(Clone, Queryable, Hooks)]
struct Post {
    #[hooks(assigned, auto_now_add)]
    id: NaiveDateTime,
    #[hooks(auto_now_add, generated)]
    created: NaiveDateTime,
    #[hooks(auto_now)]
    #[diesel(skip_update)]
    modified: NaiveDateTime,
    #[hooks(auto_now)]
    #[diesel(skip_insertion)]
    seen: NaiveDateTime,
    #[hooks(auto_now = true)]
    sent: NaiveDateTime,
    #[hooks(auto_now_add, auto_now)]
    both: NaiveDateTime,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = replies)]
struct Reply {
    id: i32,
    #[hooks(one_to_one(Post, on_delete = Cascade), auto_now)]
    post_id: NaiveDateTime,
}

fn main() {}
