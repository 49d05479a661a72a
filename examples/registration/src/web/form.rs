//! Forms as they are sent, and pages with forms.

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
#[derive(Debug)]
pub struct Submitted<F>(pub F);

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
pub struct FormPage<'a> {
    /// Its heading.
    pub title: &'a str,
    /// Where it is.
    pub path: &'a str,
    /// What its button says.
    pub button: &'a str,
    /// Where else people may want to go: what for, where, and what the link says.
    pub instead: (&'a str, &'a str, &'a str),
}

impl FormPage<'_> {
    /// With the text that is in the form.
    ///
    /// # Errors
    ///
    /// If it cannot be rendered.
    pub fn show<F: Form>(&self, visitor: &Visitor, form: &F) -> Result<Html<String>> {
        self.show_with(visitor, form, &Errors::default())
    }

    /// What came of the form, or the form again, with a message beside each field that is not right.
    ///
    /// # Errors
    ///
    /// What came of the form, if that is not about its fields.
    pub fn or_again<F: Form, T: IntoResponse>(
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
