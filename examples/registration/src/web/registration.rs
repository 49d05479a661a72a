//! The page where visitors register.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::db::Db;
use super::form::{FormPage, Submitted};
use super::visitor::{Guest, NewToken};
use crate::app::App;
use crate::error::Result;
use crate::forms::Registration;
use crate::{accounts, sessions};

/// The page.
pub const PAGE: FormPage<'static> = FormPage {
    title: "Register",
    path: "/register",
    button: "Register",
    instead: ("You have an account?", "/login", "Log in"),
};

/// The empty form.
///
/// # Errors
///
/// If it cannot be rendered.
pub async fn show(Guest(visitor): Guest) -> Result<Html<String>> {
    PAGE.show(&visitor, &Registration::default())
}

pub(super) async fn submit(
    State(app): State<App>,
    db: Db,
    Guest(visitor): Guest,
    Submitted(form): Submitted<Registration>,
) -> Result<Response> {
    let outcome = register(&app, &db, &form).await;
    PAGE.or_again(&visitor, &form, outcome)
}

async fn register(app: &App, db: &Db, form: &Registration) -> Result<impl IntoResponse + use<>> {
    let account = form.account(app.hasher()).await?;
    let work = move |conn: &mut _| {
        let user = accounts::register(conn, &account)?;
        sessions::open(conn, &user)
    };
    let token = db.run(work).await?;
    Ok((NewToken(token), Redirect::to("/profile?notice=registered")))
}
