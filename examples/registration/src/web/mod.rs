//! Requests and answers.

mod account;
mod admin;
mod csrf;
mod db;
pub mod form;
mod headers;
mod in_time;
mod login;
pub(crate) mod pages;
mod profile;
pub mod registration;
pub mod visitor;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Html;
use axum::routing::{get, post};
use minijinja::context;
use request_signals::SignalLayer;
use tower_http::catch_panic::CatchPanicLayer;

use self::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};

pub(crate) fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(home))
        .route(
            "/register",
            get(registration::show).post(registration::submit),
        )
        .route("/login", get(login::show).post(login::submit))
        .route("/logout", post(login::leave))
        .route("/profile", get(profile::show))
        .route("/profile/edit", get(profile::edit).post(profile::save))
        .route("/account/delete", get(account::ask).post(account::delete))
        .nest("/admin", admin::router());
    around(app, pages)
}

/// Pages, with what stands around every page: who asks, forms of other sites, headers, time limits, signals.
pub fn around(app: App, pages: Router<App>) -> Router {
    let pages = pages
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn(csrf::protect))
        .layer(from_fn_with_state(app.clone(), visitor::identify));
    Router::new()
        .route("/style.css", get(pages::style))
        .route("/icon.svg", get(pages::icon))
        .merge(pages)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(in_time::answer))
        .layer(from_fn_with_state(app.clone(), headers::protect))
        .layer(SignalLayer)
        .with_state(app)
}

async fn home(visitor: Visitor) -> Result<Html<String>> {
    visitor.page("home.html", context! {})
}

/// The hook of the standard library has told of it already.
fn panicked(_: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    axum::response::IntoResponse::into_response(Error::Panicked)
}
