use diesel::prelude::*;
use diesel_hooks::prelude::*;
use staff::{Employee, EmployeeProfile};

use crate::{Hired, ran};

#[receiver]
fn mail_save(_: &PostSave<Employee>) {
    ran("mail_save");
}

#[receiver(dispatch_uid = "mail::create", order = 5)]
fn mail_create(_: &PostCreate<Employee>) {
    ran("mail_create");
}

#[receiver(order = 1)]
fn mail_hired(_: &Hired) {
    ran("mail_hired");
}

#[receiver(after_commit)]
fn mail_later(_: &PostSave<Employee>) {
    ran("mail_later");
}

#[receiver]
fn mail_delete(_: &PreDelete<Employee>, _: &mut SqliteConnection) {
    ran("mail_delete");
}

#[receiver]
fn mail_profile(_: &PreDelete<EmployeeProfile>) {
    ran("mail_profile");
}
