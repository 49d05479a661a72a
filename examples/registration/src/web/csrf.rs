//! Forms of other sites are refused, whatever they ask for.

use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;

use super::visitor::Visitor;
use crate::error::{Error, Result};

/// How long a form may be, in bytes.
const LONGEST: usize = 16 * 1024;

#[derive(Deserialize)]
struct Sent {
    csrf: String,
}

/// Lets a request that changes something pass only with the token of the browser's own forms.
pub(super) async fn protect(visitor: Visitor, request: Request, next: Next) -> Result<Response> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST).await.map_err(|_| Error::TooLong)?;
    let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
    match Form::<Sent>::from_request(copy, &()).await {
        Ok(Form(sent)) if visitor.token.allows(&sent.csrf) => {
            let request = Request::from_parts(parts, Body::from(body));
            Ok(next.run(request).await)
        }
        _ => Err(Error::ForeignForm),
    }
}
