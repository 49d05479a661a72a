//! The layer's signals stand around every request, whatever its answer.

use std::convert::Infallible;
use std::sync::Mutex;

use diesel_hooks::prelude::*;
use http::{Request, Response, StatusCode};
use request_signals::{RequestFinished, RequestStarted, SignalLayer};
use tower::{ServiceBuilder, ServiceExt};

static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note(text: String) {
    HEARD.lock().expect("one test").push(text);
}

#[receiver]
fn started(event: &RequestStarted) {
    note(format!("{} {}", event.method, event.path));
}

#[receiver(order = 1)]
fn broken(_event: &RequestStarted) -> Result<(), &'static str> {
    Err("a receiver that fails stops no request")
}

#[receiver]
fn finished(event: &RequestFinished) {
    let status = event
        .status
        .map_or("failed".into(), |status| status.to_string());
    note(format!("{} {}: {status}", event.method, event.path));
}

async fn handle(request: Request<()>) -> Result<Response<()>, Infallible> {
    note("handled".into());
    let mut response = Response::new(());
    if request.uri().path() == "/missing" {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

#[tokio::test]
async fn a_request_is_signalled_before_and_after_it_is_handled() {
    for path in ["/", "/missing?q=secret"] {
        let service = ServiceBuilder::new().layer(SignalLayer).service_fn(handle);
        let request = Request::get(path).body(()).expect("a request");
        service.oneshot(request).await.expect("an answer");
    }
    assert_eq!(
        *HEARD.lock().expect("one test"),
        [
            "GET /",
            "handled",
            "GET /: 200 OK",
            "GET /missing",
            "handled",
            "GET /missing: 404 Not Found",
        ]
    );
}
