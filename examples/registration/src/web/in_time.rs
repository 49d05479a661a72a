//! Nobody waits for ever.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::error::{Error, Result};

/// Longer than anything waits in here.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn answer(request: Request, next: Next) -> Result<Response> {
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    answer.map_err(|_| Error::TooLate)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use axum::{Router, response::Html};
    use tower::ServiceExt as _;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_answered_by_the_page_for_errors() {
        let router = Router::new()
            .route("/", get(std::future::pending::<Html<&str>>))
            .layer(from_fn(super::answer));
        let answer = router.oneshot(Request::new(Body::empty())).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = to_bytes(answer.into_body(), usize::MAX).await;
        let body = String::from_utf8(body.expect("all of it").into()).expect("text");
        assert!(
            body.contains(r#"<p id="message">This took too long. Please try again.</p>"#),
            "{body}"
        );
    }
}
