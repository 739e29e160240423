//! A watch: what has happened since a version, and what happens from then on.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::failure::{failure, status};
use super::{Parameters, Server};

/// A stream of events, a line of JSON each.
pub(super) fn follow(server: Server, query: &Parameters) -> Response {
    let selector = query.get("fieldSelector").cloned().unwrap_or_default();
    let name = selector.strip_prefix("metadata.name=").map(str::to_owned);
    let from: u64 = query
        .get("resourceVersion")
        .and_then(|from| from.parse().ok())
        .unwrap_or(0);
    let seconds = query
        .get("timeoutSeconds")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(300);
    let limit = Duration::from_secs(seconds);
    let (lines, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        tokio::time::timeout(limit, tell(server, name, from, lines))
            .await
            .ok();
    });
    let body = stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((Ok::<String, Infallible>(line), receiver))
    });
    Response::new(Body::from_stream(body))
}

/// From 0 on the present state comes first; what is too old is an error, and what is ahead is silence.
async fn tell(
    server: Server,
    name: Option<String>,
    from: u64,
    lines: mpsc::UnboundedSender<String>,
) {
    let wanted = |lease: &Value| {
        name.as_deref()
            .is_none_or(|name| lease["metadata"]["name"] == name)
    };
    let line =
        |kind: &str, object: &Value| format!("{}\n", json!({ "type": kind, "object": object }));
    let mut news = server.version.subscribe();
    let mut seen = from;
    {
        let table = server.table.lock().unwrap();
        if from == 0 {
            for lease in table.leases.values().filter(|lease| wanted(lease)) {
                lines.send(line("ADDED", lease)).ok();
            }
            seen = table.version;
        } else if from < table.compacted {
            let old = failure(410, "Expired", "too old resource version", Value::Null);
            lines.send(line("ERROR", &status(&old))).ok();
            return;
        }
    }
    loop {
        server.thawed().await;
        {
            let table = server.table.lock().unwrap();
            for (version, kind, lease) in &table.events {
                if *version > seen && wanted(lease) {
                    lines.send(line(kind, lease)).ok();
                }
            }
            seen = seen.max(table.version);
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = lines.closed() => return,
        }
    }
}
