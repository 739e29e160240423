//! The task of one connection: from the accept until its socket is dropped.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use startstop_core::Context;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::App;
use super::executor::CxExecutor;
use super::phase::{ON_ITS_WAY, Phase, Shared};
use super::respond::Respond;
use super::socket::Socket;

/// How long a connection may wait for its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) header: Duration,
    pub(super) idle: Duration,
}

/// The socket of a connection whose task is dropped is closed, also where the user has it.
struct CloseOnDrop<'a>(&'a Shared);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

pub(super) async fn connection<I>(
    cx: Context,
    io: I,
    app: impl App,
    shared: Arc<Shared>,
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
    let mut builder = Builder::new(CxExecutor(cx.clone()));
    // Both timeouts are kept here.
    builder.http1().header_read_timeout(None);
    {
        let mut served = pin!(builder.serve_connection_with_upgrades(socket, respond));
        let (mut cancelled, mut draining) = (pin!(cx.cancelled()), pin!(cx.draining()));
        let mut told = Told::Nothing;
        loop {
            let due = due(&shared, timeouts, &told);
            tokio::select! {
                // First what was told, so that an answer of now says that the connection closes.
                biased;
                () = cancelled.as_mut(), if !told.is_stop() => {
                    told = Told::Stop { at: Instant::now(), half: half_of_what_is_left(&cx) };
                    shared.closes.store(true, Ordering::Release);
                    if closes_at_once(&shared) {
                        served.as_mut().graceful_shutdown();
                    }
                }
                () = draining.as_mut(), if matches!(told, Told::Nothing) => {
                    told = Told::Drain;
                    shared.closes.store(true, Ordering::Release);
                    if shared.is_http2() && closes_at_once(&shared) {
                        served.as_mut().graceful_shutdown();
                    }
                }
                // What goes wrong with a connection is its client's affair.
                _ = served.as_mut() => break,
                () = shared.changed.notified() => {
                    // The first request of HTTP/2 has come since the drain began, or one has ended since the stop.
                    let is_told = told.is_stop() || matches!(told, Told::Drain) && shared.is_http2();
                    if is_told && closes_at_once(&shared) {
                        served.as_mut().graceful_shutdown();
                    }
                }
                () = sleep_until_some(due), if due.is_some() => {
                    let is_due = due.is_some_and(|due| due <= Instant::now());
                    if is_due && told.is_stop() && shared.waits_no_longer() {
                        served.as_mut().graceful_shutdown();
                    } else if is_due {
                        break;
                    }
                }
            }
        }
    }
    until_dropped(&cx, &shared).await;
}

/// The last word to the connection.
enum Told {
    Nothing,
    Drain,
    /// When, and when half of the time that was left then is over.
    Stop {
        at: Instant,
        half: Option<Instant>,
    },
}

impl Told {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop { .. })
    }
}

/// Returns whether the connection is told to close now. Before its first request it is not: hyper would close it, while its
/// request may be on the way, and no client sends again what it could not send on a new connection.
fn closes_at_once(shared: &Shared) -> bool {
    matches!(shared.phase(), Phase::Idle(_) | Phase::Busy)
}

fn half_of_what_is_left(cx: &Context) -> Option<Instant> {
    Instant::now().checked_add(cx.remaining()? / 2)
}

/// Returns when the connection is dropped if nothing changes.
fn due(shared: &Shared, timeouts: Timeouts, told: &Told) -> Option<Instant> {
    let own = match (shared.phase(), told) {
        (Phase::Fresh(from) | Phase::Opened(from), Told::Stop { at, .. }) => {
            from.max(*at).checked_add(ON_ITS_WAY)
        }
        (Phase::Fresh(from) | Phase::Head(from), _) => from.checked_add(timeouts.header),
        (Phase::Opened(from) | Phase::Idle(from), _) => from.checked_add(timeouts.idle),
        (Phase::Busy | Phase::Upgraded, _) => return None,
    };
    match told {
        Told::Stop { half, .. } => [own, *half].into_iter().flatten().min(),
        Told::Nothing | Told::Drain => own,
    }
}

async fn sleep_until_some(due: Option<Instant>) {
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
async fn until_dropped(cx: &Context, shared: &Shared) {
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
