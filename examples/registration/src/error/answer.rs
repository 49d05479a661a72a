use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;

use super::{Error, protectors};
use crate::web::pages;

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::BadRequest(_) => StatusCode::BAD_REQUEST,
            Error::ForeignForm | Error::NotAdmin => StatusCode::FORBIDDEN,
            Error::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Error::LoggedIn | Error::NotLoggedIn => StatusCode::SEE_OTHER,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Error::Protected(_) => StatusCode::CONFLICT,
            Error::Busy(_) | Error::TooLate => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(why) if why.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(_)
            | Error::Hash(_)
            | Error::Random(_)
            | Error::Template(_)
            | Error::Unfinished(_)
            | Error::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the visitor reads: nothing of what is inside.
    fn message(&self) -> String {
        match self {
            Error::Invalid(errors) => errors.to_string(),
            Error::BadRequest(why) => why.clone(),
            Error::ForeignForm => {
                "This form is too old, or was not opened here. Go back, reload the page and send it again.".into()
            }
            Error::TooLong => "This is more than fits into the form.".into(),
            Error::NotAdmin => "This page is for administrators.".into(),
            Error::NotFound => "There is nothing here.".into(),
            Error::MethodNotAllowed => "This page cannot be asked for in this way.".into(),
            Error::Protected(why) => {
                format!("It cannot be deleted while this refers to it: {}.", protectors(why))
            }
            Error::Busy(_) => "Too many people are here right now. Please try again.".into(),
            Error::TooLate => "This took too long. Please try again.".into(),
            Error::Database(why) if why.is_retryable() => {
                "Somebody else is changing the same. Please try again.".into()
            }
            _ => "Something went wrong here. It is written down, and we are sorry.".into(),
        }
    }
}

/// The one place in which an error becomes an answer.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Error::NotLoggedIn => return Redirect::to("/login").into_response(),
            Error::LoggedIn => return Redirect::to("/profile").into_response(),
            _ => {}
        }
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = %self);
        }
        let heading = status.canonical_reason().unwrap_or("Error");
        let context = context! { heading, message => self.message(), visitor => () };
        match pages::render("error.html", context) {
            Ok(page) => (status, page).into_response(),
            Err(error) => {
                tracing::error!(%error);
                (status, self.message()).into_response()
            }
        }
    }
}
