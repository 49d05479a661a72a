//! Draws the models, relations and receivers of a program: `hooks.mmd` (Mermaid), `hooks.dot` (Graphviz) and
//! `hooks.svg`, in the folder that is given, or in this one.
//!
//! `cargo run --example graph -- docs/picture` draws what the README shows.
#![allow(missing_docs, dead_code, reason = "the models are only drawn")]
#![allow(clippy::print_stdout, reason = "a program says what it did")]

use std::path::PathBuf;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_hooks::prelude::*;

diesel::table! { teams (id) { id -> Integer, name -> Text } }
diesel::table! { employees (id) { id -> Integer, name -> Text, email -> Text, hired -> Timestamp } }
diesel::table! { employee_profiles (id) { id -> Integer, employee_id -> Integer, bio -> Nullable<Text> } }
diesel::table! { profile_settings (id) { id -> Integer, profile_id -> Integer, theme -> Text } }
diesel::table! { badges (id) { id -> Integer, employee_id -> Integer, code -> Text } }
diesel::table! { desks (id) { id -> Integer, team_id -> Integer } }

/// What the activity feed shows.
trait Activity: Send + Sync {}
impl Activity for Employee {}
impl Activity for Team {}

#[derive(Clone, Queryable, Hooks)]
#[hooks(extends(Activity))]
struct Team {
    id: i32,
    name: String,
}

#[derive(Clone, Queryable, Hooks)]
#[hooks(extends(Activity))]
struct Employee {
    id: i32,
    name: String,
    email: String,
    #[hooks(auto_now_add)]
    hired: NaiveDateTime,
}

#[derive(Clone, Queryable, Hooks)]
struct EmployeeProfile {
    id: i32,
    #[hooks(one_to_one(Employee, on_delete = Protect, related_name = profile, auto_create))]
    employee_id: i32,
    bio: Option<String>,
}

#[derive(Clone, Queryable, Hooks)]
#[diesel(table_name = profile_settings)]
struct ProfileSettings {
    id: i32,
    #[hooks(one_to_one(EmployeeProfile, on_delete = Cascade, related_name = settings, auto_create))]
    profile_id: i32,
    theme: String,
}

#[derive(Clone, Queryable, Hooks)]
struct Badge {
    id: i32,
    #[hooks(one_to_one(Employee, on_delete = Cascade, related_name = badge))]
    employee_id: i32,
    code: String,
}

#[derive(Clone, Queryable, Hooks)]
struct Desk {
    id: i32,
    #[hooks(one_to_one(Team, on_delete = Cascade))]
    team_id: i32,
}

#[derive(Clone, Signal)]
struct PasswordChanged {
    employee: i32,
}

#[receiver(dispatch_uid = "normalise_email")]
fn normalise_email(event: &mut PreCreate<Employee>) {
    event.new.email = event.new.email.to_lowercase();
}

#[receiver(dispatch_uid = "welcome_mail", after_commit)]
fn welcome_mail(_: &PostCreate<Employee>) {}

#[receiver(dispatch_uid = "recycle_badge")]
fn recycle_badge(_: &PostDelete<Badge>) {}

#[receiver(dispatch_uid = "feed")]
fn feed(_: &PostSave<dyn Activity>) {}

#[receiver(dispatch_uid = "audit_save")]
fn audit_save(_: &PostSave<dyn AnyModel>) {}

#[receiver(dispatch_uid = "audit_delete")]
fn audit_delete(_: &PostDelete<dyn AnyModel>) {}

#[receiver(dispatch_uid = "warn_by_mail")]
fn warn_by_mail(_: &PasswordChanged) {}

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(PathBuf::new, PathBuf::from);
    let registry = diesel_hooks::registry();
    for (name, picture) in [
        ("hooks.mmd", registry.to_mermaid()),
        ("hooks.dot", registry.to_dot()),
        ("hooks.svg", registry.to_svg()),
    ] {
        std::fs::write(folder.join(name), picture)?;
        println!("{name} is drawn");
    }
    Ok(())
}
