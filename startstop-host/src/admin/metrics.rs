//! `/metrics`: the text of Prometheus, or `OpenMetrics` for clients that accept it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use prometheus_client::encoding::{prometheus_text, text};

use super::{AdminShared, answer};

const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn metrics(
    State(shared): State<Arc<AdminShared>>,
    headers: HeaderMap,
) -> Response {
    let accepted = headers.get_all(header::ACCEPT).into_iter();
    let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let open = prefers_open(&accepted.join(","));
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

/// Returns whether an `Accept` names `OpenMetrics`, and prefers nothing else that there is (RFC 9110, 12.5.1).
fn prefers_open(accept: &str) -> bool {
    let open = quality(accept, &["application/openmetrics-text"]);
    let text = quality(accept, &["text/plain", "text/*", "*/*"]);
    open > 0.0 && open >= text
}

/// Returns how much the first of these ranges that is named is wanted.
fn quality(accept: &str, ranges: &[&str]) -> f32 {
    let named = |range: &&str| {
        let all = accept.split(',').filter_map(|entry| {
            let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let is_meant = name.trim().eq_ignore_ascii_case(range);
            is_meant.then(|| weight(parameters))
        });
        all.reduce(f32::max)
    };
    ranges.iter().find_map(named).unwrap_or(0.0)
}

/// Returns the weight `q` among the parameters, or 1.
fn weight(parameters: &str) -> f32 {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_weight = name.trim().eq_ignore_ascii_case("q");
        is_weight.then(|| value.trim().parse().unwrap_or(0.0))
    });
    weight.unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::prefers_open;

    #[test]
    fn open_metrics_are_for_clients_that_name_and_prefer_them() {
        for accept in [
            // Prometheus 2.42, and 3.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "Application/OpenMetrics-Text; Q=0.5",
            "application/openmetrics-text;q=0.2,text/plain;q=0.1,*/*",
        ] {
            assert!(prefers_open(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/*",
            "application/openmetrics-text;q=0",
            "text/plain;version=0.0.4, application/openmetrics-text;q=0.5",
            "application/openmetrics-text;q=0.5,text/*",
            "application/openmetrics-textual",
        ] {
            assert!(!prefers_open(accept), "{accept}");
        }
    }
}
