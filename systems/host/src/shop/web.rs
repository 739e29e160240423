//! The part that serves: an answer long enough to be cut off in the middle, events, and web sockets.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{any, get};
use axum::{Extension, Router};
use futures_util::Stream;
use futures_util::stream::{StreamExt, once, pending};
use startstop_core::{Context, Service, Settings};
use startstop_host::serve;

use crate::millis;

/// The bytes of the answer, of which the test knows how many there are.
const LENGTH: usize = 4096;
/// How long a stop may take, of which the tests know the half.
const STOP: Duration = Duration::from_secs(10);

pub(crate) struct Web {
    listener: TcpListener,
}

impl Web {
    pub(crate) fn on(listener: TcpListener) -> Self {
        Self { listener }
    }
}

impl Service for Web {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        let app = Router::new()
            .route("/", get(async || "x".repeat(LENGTH)))
            .route("/events", get(events))
            .route("/ws", any(echo))
            .route("/ws/polite", any(polite_echo));
        serve(cx, listener, app).await
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .stop_timeout(STOP)
            .drain(millis("SHOP_DRAIN"))
    }
}

/// Server-sent events, one now and then none for ever.
async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = once(async { Ok(Event::default().data("open")) });
    Sse::new(first.chain(pending())).keep_alive(KeepAlive::default())
}

/// A WebSocket as most are written: it ends with its client, or with its socket.
async fn echo(ws: WebSocketUpgrade) -> Response {
    ws.on_upgrade(|mut socket| async move { while again(&mut socket).await {} })
}

/// One that says goodbye at the stop.
async fn polite_echo(ws: WebSocketUpgrade, Extension(cx): Extension<Context>) -> Response {
    ws.on_upgrade(|mut socket| async move {
        while cx.run_until_cancelled(again(&mut socket)).await == Some(true) {}
        drop(socket.send(Message::Close(None)).await);
    })
}

/// Sends what has come back; `false` at the end.
async fn again(socket: &mut WebSocket) -> bool {
    match socket.recv().await {
        Some(Ok(message)) => socket.send(message).await.is_ok(),
        _ => false,
    }
}
