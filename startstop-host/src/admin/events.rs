//! `/events`: what happens, as server-sent events.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_core::Stream;
use startstop_core::{CancelledOwned, Context, Event, Events};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{AdminShared, answer};

/// How often a stream without events says that it is still there.
const ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn events(State(shared): State<Arc<AdminShared>>, request: Request) -> Response {
    let Ok(permit) = Arc::clone(&shared.streams).try_acquire_owned() else {
        return answer::text(503, "there are too many streams of events\n");
    };
    let Some(handle) = shared.probes.source().handle() else {
        return answer::text(503, "the service is gone\n");
    };
    // Of the server, where it tells when it ends.
    let server = request.extensions().get::<Context>();
    let server_ends = server.map(|cx| Box::pin(cx.cancelled_owned()));
    let body = Body::from_stream(Lines::new(handle.events(), server_ends, permit));
    answer::new(200, "text/event-stream", body)
}

/// Events as lines, with comments between them that keep the connection. They end with the server.
struct Lines {
    events: Events,
    server_ends: Option<Pin<Box<CancelledOwned>>>,
    alive: Interval,
    _permit: OwnedSemaphorePermit,
}

impl Lines {
    fn new(
        events: Events,
        server_ends: Option<Pin<Box<CancelledOwned>>>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        // The first tick comes at once: it tells the client that it is heard.
        let mut alive = interval(ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            events,
            server_ends,
            alive,
            _permit: permit,
        }
    }
}

impl Stream for Lines {
    type Item = Result<Bytes, serde_json::Error>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(event) = Pin::new(&mut self.events).poll_next(task) {
            return Poll::Ready(event.map(|event| line(&event)));
        }
        let server_ends = self.server_ends.as_mut();
        if server_ends.is_some_and(|ends| ends.as_mut().poll(task).is_ready()) {
            return Poll::Ready(None);
        }
        ready!(self.alive.poll_tick(task));
        Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))))
    }
}

fn line(event: &Event) -> Result<Bytes, serde_json::Error> {
    let mut line = b"data: ".to_vec();
    serde_json::to_writer(&mut line, event)?;
    line.extend_from_slice(b"\n\n");
    Ok(line.into())
}
