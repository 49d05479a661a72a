use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{Employee, EmployeeProfile};

use crate::{Hired, ran};

#[receiver(dispatch_uid = "index", before = "receiver_order::mail::mail_save")]
fn search_index(_: &PostSave<Employee>, _: &mut SqliteConnection) {
    ran("search_index");
}

#[receiver]
fn search_batch(_: &PostSave<EmployeeProfile>) {
    ran("search_batch");
}

#[receiver(order = 3)]
fn search_update(_: &PostUpdate<Employee>) {
    ran("search_update");
}

#[receiver(order = 3)]
fn search_update_too(_: &PostUpdate<Employee>, _: &mut SqliteConnection) {
    ran("search_update_too");
}

#[receiver]
fn search_hired(_: &Hired) {
    ran("search_hired");
}

#[receiver(order = -1)]
fn search_create(_: &PostCreate<dyn AnyModel>) {
    ran("search_create");
}

#[receiver(after_commit)]
fn search_later(_: &PostSave<Employee>) {
    ran("search_later");
}
