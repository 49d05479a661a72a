//! Models whose `New` structs the derive makes.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_hooks::prelude::*;

use super::schema::{employees, staff, staff_profiles};

#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employees, check_for_backend(Sqlite))]
pub(super) struct Employee {
    pub(super) id: i32,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = staff, check_for_backend(Sqlite))]
pub(super) struct Staff {
    pub(super) id: i32,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = staff_profiles, check_for_backend(Sqlite))]
pub(super) struct StaffProfile {
    pub(super) id: i32,
    #[hooks(one_to_one(Staff, on_delete = Cascade, auto_create))]
    pub(super) staff_id: i32,
    pub(super) dob: Option<String>,
    pub(super) team: Option<String>,
    pub(super) address: Option<String>,
}
