//! What pages are made of: templates, the style sheet and the icon, all compiled in.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::error::Result;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // A name that is not there is a mistake.
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in SOURCES {
        templates
            .add_template(name, source)
            .expect("a test renders each of them");
    }
    templates
});

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

const SOURCES: &[(&str, &str)] = sources![
    "account_delete.html",
    "admin/delete.html",
    "admin/index.html",
    "admin/layout.html",
    "admin/rows.html",
    "error.html",
    "form.html",
    "home.html",
    "layout.html",
    "profile.html",
    "profile_card.html",
];

/// A page.
pub(crate) fn render(template: &str, context: Value) -> Result<Html<String>> {
    part(template, context).map(Html)
}

/// A part of a page.
pub(super) fn part(template: &str, context: Value) -> Result<String> {
    Ok(TEMPLATES.get_template(template)?.render(context)?)
}

const AN_HOUR: &str = "public, max-age=3600";

pub(super) async fn style() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, AN_HOUR),
    ];
    (headers, include_str!("../../assets/style.css"))
}

pub(super) async fn icon() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, AN_HOUR)];
    (headers, include_str!("../../assets/icon.svg"))
}
