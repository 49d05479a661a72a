use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use super::visitor::Visitor;
use crate::error::{Error, Result};
use crate::forms::{Errors, Form};

/// A form that was sent.
pub(super) struct Submitted<F>(pub(super) F);

impl<F: Form, S: Send + Sync> FromRequest<S> for Submitted<F> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        match axum::Form::from_request(request, state).await {
            Ok(axum::Form(form)) => Ok(Submitted(form)),
            Err(why) => Err(Error::BadRequest(why.body_text())),
        }
    }
}

/// A page with a form, which it sends to itself.
#[derive(Debug, Serialize)]
pub(super) struct FormPage<'a> {
    /// Its heading.
    pub(super) title: &'a str,
    /// Where it is.
    pub(super) path: &'a str,
    /// What its button says.
    pub(super) button: &'a str,
    /// Where else people may want to go: what for, where, and what the link says.
    pub(super) instead: (&'a str, &'a str, &'a str),
}

impl FormPage<'_> {
    /// With the text that is in the form.
    pub(super) fn show<F: Form>(&self, visitor: &Visitor, form: &F) -> Result<Html<String>> {
        self.show_with(visitor, form, &Errors::default())
    }

    /// What came of the form, or the form again, with a message beside each field that is not right.
    pub(super) fn or_again<F: Form, T: IntoResponse>(
        &self,
        visitor: &Visitor,
        form: &F,
        outcome: Result<T>,
    ) -> Result<Response> {
        match outcome {
            Err(Error::Invalid(errors)) => {
                let page = self.show_with(visitor, form, &errors)?;
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
            outcome => outcome.map(IntoResponse::into_response),
        }
    }

    fn show_with<F: Form>(
        &self,
        visitor: &Visitor,
        form: &F,
        errors: &Errors,
    ) -> Result<Html<String>> {
        let context = context! {
            page => Serde(self),
            fields => Serde(form.shown(errors)),
        };
        visitor.page("form.html", context)
    }
}
