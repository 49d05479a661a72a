//! What the macros write is silent under lints that an application may forbid.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, unused_results, trivial_bounds)]
#![deny(single_use_lifetimes, let_underscore_drop, non_ascii_idents, private_bounds, private_interfaces)]
#![forbid(unsafe_code)]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

mod schema {
    #![allow(missing_docs, unreachable_pub)]

    diesel::table! {
        users (id) { id -> Integer, email -> Text }
    }

    diesel::table! {
        profiles (id) { id -> Integer, user_id -> Integer, bio -> Nullable<Text> }
    }
}

use schema::{profiles, users};

/// A user.
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
pub struct User {
    /// The key.
    pub id: i32,
    /// Where they are reached.
    pub email: String,
}

/// Nobody creates one by hand, and nobody calls an accessor.
#[derive(Clone, Queryable, Hooks)]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create))]
    user_id: i32,
    bio: Option<String>,
}

#[receiver]
fn read(event: &PostCreate<Profile>) {
    let Profile { id, user_id, bio } = &event.instance;
    assert!(*id > 0 && *user_id > 0 && bio.is_none());
}

fn main() {}
