//! Models with hand-written insertables, of which the derive sees nothing but the name.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_hooks::prelude::*;

use super::schema::{cadre, cadre_profiles, employees};

#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = employees, check_for_backend(Sqlite))]
#[hooks(new = NewEmployee)]
pub(super) struct Employee {
    id: i32,
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
}

#[derive(Insertable)]
#[diesel(table_name = employees)]
pub(super) struct NewEmployee {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = cadre, check_for_backend(Sqlite))]
#[hooks(new = NewCadre)]
pub(super) struct Cadre {
    id: i32,
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
}

#[derive(Insertable)]
#[diesel(table_name = cadre)]
pub(super) struct NewCadre {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    pub(super) phone: String,
}

#[derive(Clone, Queryable, Selectable, Identifiable, Hooks)]
#[diesel(table_name = cadre_profiles, check_for_backend(Sqlite))]
#[hooks(new = NewCadreProfile)]
pub(super) struct CadreProfile {
    id: i32,
    #[hooks(one_to_one(Cadre, on_delete = Cascade, auto_create))]
    cadre_id: i32,
    dob: Option<String>,
    team: Option<String>,
    address: Option<String>,
}

#[derive(Insertable, Default)]
#[diesel(table_name = cadre_profiles)]
pub(super) struct NewCadreProfile {
    cadre_id: i32,
    dob: Option<String>,
    team: Option<String>,
    address: Option<String>,
}
