//! The limit of what is sent along with a request: nothing here needs a body.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::timeout;

use super::answer;

/// The most bytes of a body.
const MOST: usize = 64 * 1024;
/// How long a body may take to arrive.
const LIMIT: Duration = Duration::from_secs(10);

/// Reads what a request brings, which is not used, and refuses what is too large or too slow.
pub(super) async fn limit_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    if body.size_hint().lower() > MOST as u64 {
        return too_large();
    }
    match timeout(LIMIT, axum::body::to_bytes(body, MOST)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, bytes.into())).await,
        Ok(Err(_)) => too_large(),
        Err(_) => answer::text(408, "the body did not arrive in time\n"),
    }
}

fn too_large() -> Response {
    answer::text(413, "the body is too large\n")
}
