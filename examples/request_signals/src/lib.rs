//! Django's `request_started` and `request_finished`, sent by a [`tower`] layer: they stand around every
//! request of a service, need no database, and are heard by plain receivers.
//!
//! ```
//! use diesel_hooks::prelude::*;
//! use request_signals::RequestFinished;
//!
//! #[receiver]
//! fn count(event: &RequestFinished) {
//!     println!("{} {} took {:?}", event.method, event.path, event.elapsed);
//! }
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use diesel_hooks::prelude::*;
use http::{Method, Request, Response, StatusCode};
use tower::{Layer, Service};

/// A request arrived.
#[derive(Debug, Clone, Signal)]
pub struct RequestStarted {
    /// Its method.
    pub method: Method,
    /// The path that it asks for.
    pub path: String,
}

/// A request was answered, or failed.
#[derive(Debug, Clone, Signal)]
pub struct RequestFinished {
    /// Its method.
    pub method: Method,
    /// The path that it asked for.
    pub path: String,
    /// What it was answered with; none if the service failed.
    pub status: Option<StatusCode>,
    /// How long that took.
    pub elapsed: Duration,
}

/// Sends [`RequestStarted`] and [`RequestFinished`] around every request.
///
/// A receiver that fails is logged; the request goes on.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignalLayer;

impl<S> Layer<S> for SignalLayer {
    type Service = Signalled<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Signalled { inner }
    }
}

/// A service whose requests are signalled.
#[derive(Debug, Clone)]
pub struct Signalled<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Signalled<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let started = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        report(
            RequestStarted {
                method: method.clone(),
                path: path.clone(),
            }
            .send_detached(),
        );
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let status = answer.as_ref().ok().map(Response::status);
            let elapsed = started.elapsed();
            report(
                RequestFinished {
                    method,
                    path,
                    status,
                    elapsed,
                }
                .send_detached(),
            );
            answer
        })
    }
}

fn report(outcome: diesel_hooks::Result) {
    if let Err(error) = outcome {
        log::error!("{error}");
    }
}
