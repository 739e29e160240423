//! The application that is served.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use hyper_util::rt::TokioIo;
use startstop_core::Context;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

/// More bytes than the buffers of two sockets hold.
pub(super) const LARGE: usize = 32 * 1024 * 1024;

/// The state that the tests share with the app.
#[derive(Default)]
pub(super) struct Gate {
    pub(super) arrived: Notify,
    pub(super) go: Notify,
}

pub(super) fn app(gate: &Arc<Gate>) -> Router {
    let slow = {
        let gate = Arc::clone(gate);
        async move || {
            gate.arrived.notify_one();
            gate.go.notified().await;
            "done"
        }
    };
    let upgrade = {
        let gate = Arc::clone(gate);
        async move |request: axum::extract::Request| {
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(request).await.expect("it is upgraded");
                gate.arrived.notify_one();
                let mut socket = TokioIo::new(upgraded);
                let mut read = Vec::new();
                let _ = socket.read_to_end(&mut read).await;
                gate.go.notified().await;
            });
            (
                axum::http::StatusCode::SWITCHING_PROTOCOLS,
                [("connection", "upgrade"), ("upgrade", "echo")],
            )
        }
    };
    let events = {
        let gate = Arc::clone(gate);
        async move || {
            gate.arrived.notify_one();
            let body = http_body_util::StreamBody::new(Silent);
            (
                [("content-type", "text/event-stream")],
                axum::body::Body::new(body),
            )
        }
    };
    let endless = {
        let gate = Arc::clone(gate);
        async move || {
            gate.arrived.notify_one();
            let body = http_body_util::StreamBody::new(Endless);
            (
                [("content-type", "Text/Event-Stream; charset=utf-8")],
                axum::body::Body::new(body),
            )
        }
    };
    Router::new()
        .route("/endless", get(endless))
        .route("/large", get(async || vec![b'x'; LARGE]))
        .route(
            "/",
            get(async |Extension(cx): Extension<Context>| cx.name().to_owned()),
        )
        .route("/slow", get(slow))
        .route("/panics", get(panics))
        .route("/events", get(events))
        .route("/upgrade", get(upgrade))
}

async fn panics() -> &'static str {
    panic!("a request that nobody has thought of")
}

/// A stream of events that never pauses.
struct Endless;

impl futures_core::Stream for Endless {
    type Item = Result<hyper::body::Frame<hyper::body::Bytes>, io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let event = hyper::body::Bytes::from_static(b"data: again\n\n");
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(event))))
    }
}

/// A stream of events in which nothing ever happens.
struct Silent;

impl futures_core::Stream for Silent {
    type Item = Result<hyper::body::Frame<hyper::body::Bytes>, io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}
