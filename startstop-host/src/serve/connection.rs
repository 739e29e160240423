//! The task of one connection: from the accept until its socket is dropped.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use startstop_core::Context;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::App;
use super::executor::ConnectionExecutor;
use super::phase::ConnectionShared;
use super::respond::Respond;
use super::schedule::{Schedule, Step, Timeouts};
use super::socket::Socket;

/// The socket of a connection whose task is dropped is closed, also where the user has it.
struct CloseOnDrop<'a>(&'a ConnectionShared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

pub(super) async fn connection<I>(
    cx: Context,
    io: I,
    app: impl App,
    shared: Arc<ConnectionShared>,
    timeouts: Timeouts,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let _close = CloseOnDrop(&shared);
    let socket = TokioIo::new(Socket::new(io, Arc::clone(&shared)));
    let respond = Respond {
        app,
        cx: cx.clone(),
        shared: Arc::clone(&shared),
    };
    let mut builder = Builder::new(ConnectionExecutor {
        cx: cx.clone(),
        shared: Arc::clone(&shared),
    });
    // WebSockets over HTTP/2, as axum's own server has them.
    builder.http2().enable_connect_protocol();
    // The schedule keeps both timeouts, so hyper keeps none.
    builder.http1().header_read_timeout(None);
    {
        let mut served = pin!(builder.serve_connection_with_upgrades(socket, respond));
        let (mut cancelled, mut draining) = (pin!(cx.cancelled()), pin!(cx.draining()));
        let mut schedule = Schedule::new(timeouts);
        loop {
            let next = schedule.next(&shared).map(|(at, _)| at);
            tokio::select! {
                // Stop and drain come first, so that an answer sent now already says that the connection closes.
                biased;
                () = cancelled.as_mut(), if !schedule.is_stop() => {
                    schedule.stop(half_of_what_is_left(&cx));
                    shared.closes.store(true, Ordering::Release);
                }
                () = draining.as_mut(), if schedule.is_open() => {
                    schedule.drain();
                    shared.closes.store(true, Ordering::Release);
                }
                // Errors of a connection concern its client alone.
                _ = served.as_mut() => break,
                () = shared.changed.notified() => {}
                // The timer comes after the connection, which has read by now what had arrived.
                () = sleep_until_some(next), if next.is_some() => match schedule.due(&shared) {
                    Some(Step::Goodbye) => served.as_mut().graceful_shutdown(),
                    Some(Step::Close) => break,
                    None => {}
                },
            }
        }
    }
    until_dropped(&cx, &shared).await;
}

fn half_of_what_is_left(cx: &Context) -> Option<Instant> {
    Instant::now().checked_add(cx.remaining()? / 2)
}

pub(super) async fn sleep_until_some(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Waits for a stop, and for half of the time that it leaves.
pub(super) async fn half_of_a_stop(cx: &Context) {
    cx.cancelled().await;
    sleep_until_some(half_of_what_is_left(cx)).await;
}

/// Waits until the user has dropped the socket of an upgrade. After half of what a stop leaves it reads as ended.
async fn until_dropped(cx: &Context, shared: &ConnectionShared) {
    let mut stop: Pin<&mut _> = pin!(async {
        half_of_a_stop(cx).await;
        shared.end_reads();
        std::future::pending::<()>().await;
    });
    while !shared.is_dropped() {
        tokio::select! {
            () = shared.changed.notified() => {}
            () = stop.as_mut() => {}
        }
    }
}
