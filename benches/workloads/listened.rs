//! Models that somebody listens to. The receivers do nothing: what is measured is that they may.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_hooks::prelude::*;

use super::hand_written::NewCadre;
use super::schema::{cadre, employees, staff};

/// Greeted by a receiver with the connection, so that a savepoint of Diesel's is around it.
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = staff, check_for_backend(Sqlite))]
pub(super) struct GreetedStaff {
    id: i32,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[receiver]
fn greet_staff(_: &PostCreate<GreetedStaff>, _: &mut SqliteConnection) -> diesel_hooks::Result {
    Ok(())
}

/// As [`GreetedStaff`], with a hand-written insertable.
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = cadre, check_for_backend(Sqlite))]
#[hooks(new = NewCadre)]
pub(super) struct GreetedCadre {
    id: i32,
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
}

#[receiver]
fn greet_cadre(_: &PostCreate<GreetedCadre>, _: &mut SqliteConnection) -> diesel_hooks::Result {
    Ok(())
}

/// Heard by observers, which cannot fail.
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employees, check_for_backend(Sqlite))]
pub(super) struct ObservedEmployee {
    id: i32,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[receiver]
fn observe_update(_: &PostUpdate<ObservedEmployee>) {}

#[receiver]
fn observe_save(_: &PostSave<ObservedEmployee>) {}

/// Heard by a receiver that can refuse what was written.
#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employees, check_for_backend(Sqlite))]
pub(super) struct ReviewedEmployee {
    id: i32,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[receiver]
fn review_create(_: &PostCreate<ReviewedEmployee>) -> diesel_hooks::Result {
    Ok(())
}

#[receiver]
fn review_update(_: &PostUpdate<ReviewedEmployee>) -> diesel_hooks::Result {
    Ok(())
}
