//! What the macros write is silent under lints that an application may forbid.
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unused_results,
    trivial_bounds
)]
#![deny(
    single_use_lifetimes,
    let_underscore_drop,
    private_bounds,
    private_interfaces
)]
#![forbid(unsafe_code)]

use diesel::prelude::*;
use diesel_hooks::RawConnection;
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
#[hooks(extends(Activity))]
struct Profile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Cascade, related_name = profile, auto_create))]
    user_id: i32,
    bio: Option<String>,
}

/// What happens.
pub trait Activity {
    /// As a line.
    fn line(&self) -> String;
}

impl Activity for Profile {
    fn line(&self) -> String {
        self.bio.clone().unwrap_or_default()
    }
}

/// What the application tells.
#[derive(Debug, Clone, Signal)]
pub struct Told<T> {
    /// To whom.
    pub to: T,
}

#[receiver(changed(profiles::bio), after_commit, order = -1, before = "read", after("one", "other"))]
fn later(_: &PostUpdate<Profile>) {}

#[receiver(after_commit(merged))]
fn merged(_: &PostSave<User>) {}

#[receiver(senders(User, Profile), connections(SqliteConnection))]
fn both<M: Model, C: RawConnection>(_: &PostDelete<M>, _: &mut C) {}

#[receiver(after_rollback)]
fn active(event: &PostSave<dyn Activity>) {
    assert!(event.instance.line().is_empty());
}

#[receiver]
fn told(event: &Told<i32>) -> diesel_hooks::Result {
    assert!(event.to > 0);
    Ok(())
}

#[receiver]
fn read(event: &PostCreate<Profile>) {
    let Profile { id, user_id, bio } = &event.instance;
    assert!(*id > 0 && *user_id > 0 && bio.is_none());
}
