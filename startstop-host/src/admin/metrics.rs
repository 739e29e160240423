//! `/metrics`: the text of Prometheus, or `OpenMetrics` for clients that accept it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use prometheus_client::encoding::{prometheus_text, text};

use super::{Shared, answer};

const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT).into_iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    let open = accepted.any(|value| value.contains("application/openmetrics-text"));
    let (mut body, registry) = (String::new(), &shared.registry);
    let written = if open {
        text::encode(&mut body, registry)
    } else {
        prometheus_text::encode(&mut body, registry)
    };
    match written {
        Ok(()) => answer::new(
            200,
            if open {
                OPEN
            } else {
                prometheus_text::CONTENT_TYPE
            },
            body,
        ),
        Err(error) => answer::text(500, format!("{error}\n")),
    }
}
