use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{Employee, EmployeeProfile};

use crate::{Hired, ran};

#[receiver]
fn audit_z_save(_: &PostSave<Employee>, _: &mut SqliteConnection) {
    ran("audit_z_save");
}

#[receiver]
fn audit_a_save(_: &PostSave<dyn AnyModel>) {
    ran("audit_a_save");
}

#[receiver(order = -10)]
fn audit_first(_: &PostSave<Employee>) {
    ran("audit_first");
}

#[receiver(after = "mail::create")]
fn audit_create(_: &PostCreate<Employee>) {
    ran("audit_create");
}

#[receiver]
fn audit_hired(_: &Hired, _: &mut SqliteConnection) {
    ran("audit_hired");
}

#[receiver]
fn audit_deleted(_: &PostDelete<dyn AnyModel>, _: &mut SqliteConnection) {
    ran("audit_deleted");
}

#[receiver]
fn audit_profile(_: &PostCreate<EmployeeProfile>) {
    ran("audit_profile");
}
