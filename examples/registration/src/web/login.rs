use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::db::Db;
use super::form::{FormPage, Submitted};
use super::visitor::{Guest, Member, NewToken};
use crate::app::App;
use crate::error::Result;
use crate::forms::{Errors, Form as _, Login};
use crate::models::User;
use crate::sessions::{self, Token};

const PAGE: FormPage<'static> = FormPage {
    title: "Log in",
    path: "/login",
    button: "Log in",
    instead: ("You have no account yet?", "/register", "Register"),
};

pub(super) async fn show(Guest(visitor): Guest) -> Result<Html<String>> {
    PAGE.show(&visitor, &Login::default())
}

pub(super) async fn submit(
    State(app): State<App>,
    db: Db,
    Guest(visitor): Guest,
    Submitted(form): Submitted<Login>,
) -> Result<Response> {
    let outcome = log_in(&app, &db, &form).await;
    PAGE.or_again(&visitor, &form, outcome)
}

async fn log_in(app: &App, db: &Db, form: &Login) -> Result<impl IntoResponse + use<>> {
    form.check()?;
    let name = form.username.clone();
    let found = db.run(move |conn| Ok(User::named(conn, &name)?)).await?;
    let hash = found.as_ref().map(|it| it.password_hash.clone());
    let verified = app.hasher().verify(form.password.clone(), hash).await?;
    let Some(user) = found.filter(|_| verified) else {
        // The same for both: who asks need not know which names there are.
        let message = "This user name and this password do not belong together.";
        return Err(Errors::beside("password", message).into());
    };
    let work = move |conn: &mut _| {
        sessions::delete_expired(conn, &user)?;
        sessions::open(conn, &user)
    };
    let token = db.run(work).await?;
    Ok((NewToken(token), Redirect::to("/profile?notice=logged-in")))
}

pub(super) async fn leave(db: Db, Member(visitor, _): Member) -> Result<impl IntoResponse> {
    db.run(move |conn| sessions::close(conn, &visitor.token))
        .await?;
    let token = Token::random()?;
    Ok((NewToken(token), Redirect::to("/?notice=logged-out")))
}
