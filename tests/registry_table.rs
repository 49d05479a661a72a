//! The registry prints what is compiled in, the same text in every build.
#![allow(missing_docs, dead_code, reason = "the registry is only looked at")]

use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { users (id) { id -> Integer, name -> Text } }
diesel::table! { user_profiles (id) { id -> Integer, user_id -> Integer } }

#[derive(Debug, Clone, Queryable, Hooks)]
#[hooks(extends(Activity))]
struct User {
    id: i32,
    name: String,
}

#[derive(Debug, Clone, Queryable, Hooks)]
struct UserProfile {
    id: i32,
    #[hooks(one_to_one(User, on_delete = Protect, auto_create))]
    user_id: i32,
}

trait Activity: Send + Sync {}
impl Activity for User {}

#[derive(Debug, Clone, Signal)]
struct Renamed<T> {
    _to: T,
}

#[receiver(dispatch_uid = "trim", order = -10)]
fn trim(_: &mut PreSave<User>) {}

#[receiver(dispatch_uid = "audit")]
fn audit(_: &PostSave<User>, _: &mut SqliteConnection) {}

#[receiver(dispatch_uid = "index", before = "audit", after = "count")]
fn index(_: &[PostSave<User>], _: &mut SqliteConnection) {}

#[receiver(dispatch_uid = "count")]
fn count(_: &PostSave<dyn Activity>) {}

#[receiver(dispatch_uid = "mail", after_commit)]
fn mail(_: &PostCreate<User>) {}

#[receiver(dispatch_uid = "sync", after_commit(merged))]
fn sync(_: &PostSave<User>) {}

#[receiver(dispatch_uid = "undo", after_rollback)]
fn undo(_: &PostCreate<User>) {}

#[receiver(dispatch_uid = "greet")]
fn greet(_: &Renamed<Option<User>>) {
    unreachable!("reading the registry runs no receiver");
}

#[test]
fn the_table_shows_everything_sorted_with_its_place() {
    assert_eq!(diesel_hooks::registry().to_string(), TABLE);
}

const TABLE: &str = r#"models
  name         table          place
  User         users          tests/registry_table.rs:10
  UserProfile  user_profiles  tests/registry_table.rs:17

relations
  relation             parent  on_delete  auto_create  place
  UserProfile.user_id  User    Protect    yes          tests/registry_table.rs:17

receivers: `without_receiver("uid", ..)` mutes one, `without_hooks(..)` all
  signal                  uid    order                         runs                  takes                        place
  PostCreate<User>        mail   0                             after commit          &_                           tests/registry_table.rs:45
  PostCreate<User>        undo   0                             after rollback        &_                           tests/registry_table.rs:51
  PostSave<User>          index  0, before audit, after count  at once               &[_], &mut SqliteConnection  tests/registry_table.rs:39
  PostSave<User>          audit  0                             at once               &_, &mut SqliteConnection    tests/registry_table.rs:36
  PostSave<User>          sync   0                             after commit, merged  &_                           tests/registry_table.rs:48
  PostSave<dyn Activity>  count  0                             at once               &_                           tests/registry_table.rs:42
  PreSave<User>           trim   -10                           at once               &mut _                       tests/registry_table.rs:33
  Renamed<Option<User>>   greet  0                             at once               &_                           tests/registry_table.rs:54
"#;

#[test]
fn what_is_in_order_has_no_findings() {
    assert_eq!(diesel_hooks::registry().findings(), []);
}
