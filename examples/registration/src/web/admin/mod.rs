//! For administrators: every row with those that it belongs to, and what the library knows of it all.

mod models;
mod rows;

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use diesel_hooks::registry;
use minijinja::value::Serde;
use minijinja::{Value, context};

use self::models::{Listed, Section};
use super::visitor::{Admin, Visitor};
use crate::app::App;
use crate::error::Result;
use crate::models::{AuditEntry, Employee, EmployeeProfile, Person, Session, User};
use crate::receivers::requests::Requests;

const SECTIONS: [Section; 6] = [
    User::SECTION,
    Person::SECTION,
    Employee::SECTION,
    EmployeeProfile::SECTION,
    Session::SECTION,
    AuditEntry::SECTION,
];

/// A person comes and goes with the user, and an entry stays.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/", get(index))
        .route("/picture.svg", get(picture))
        .merge(rows::listed::<User>())
        .merge(rows::created::<User>())
        .merge(rows::deleted::<User>())
        .merge(rows::listed::<Person>())
        .merge(rows::listed::<Employee>())
        .merge(rows::created::<Employee>())
        .merge(rows::deleted::<Employee>())
        .merge(rows::listed::<EmployeeProfile>())
        .merge(rows::created::<EmployeeProfile>())
        .merge(rows::deleted::<EmployeeProfile>())
        .merge(rows::listed::<Session>())
        .merge(rows::deleted::<Session>())
        .merge(rows::listed::<AuditEntry>())
}

async fn index(Admin(visitor): Admin) -> Result<Html<String>> {
    page(
        &visitor,
        "admin/index.html",
        context! { registry => registry().to_string(), requests => Serde(Requests::so_far()) },
    )
}

fn page(visitor: &Visitor, template: &str, context: Value) -> Result<Html<String>> {
    visitor.page(
        template,
        context! { sections => Serde(SECTIONS), ..context },
    )
}

async fn picture(_: Admin) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        // The picture brings its styles along.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    (headers, registry().to_svg())
}
