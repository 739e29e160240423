//! Takes connections until the stop, and waits until the last of them has ended.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use startstop_core::{Context, Reload};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep, sleep_until};

use super::connection::{connection, sleep_until_some};
use super::phase::{ConnectionShared, NOTICED, ServeCounts};
use super::room::Room;
use super::schedule::Timeouts;
use super::{App, Listener, Serve};
use crate::descriptors::is_want_of_descriptors;

/// The detail of the status is not written more often than once in this time.
const BETWEEN_DETAILS: Duration = Duration::from_millis(100);

/// After an accept that has failed for want of descriptors or memory.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Certificates that are being read again.
type Reading = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Until when nothing is accepted, since the last accept has failed.
struct Pause {
    until: Instant,
    /// How many connections there were. When there are fewer, there is a descriptor again.
    connections: usize,
}

struct Server<A> {
    settings: Serve,
    cx: Context,
    app: A,
    counts: Arc<ServeCounts>,
    room: Room,
    pause: Option<Pause>,
    /// The numbers of the last detail, and when the next may be written.
    shown: (usize, usize),
    next: Instant,
    has_reported: bool,
}

pub(super) async fn accept(settings: Serve, cx: Context, listener: impl Listener, app: impl App) {
    let counts = Arc::new(ServeCounts::default());
    let next = Instant::now();
    let room = Room::new(settings.max_connections, Arc::clone(&counts));
    let mut server = Server {
        settings,
        cx,
        app,
        counts,
        room,
        pause: None,
        shown: (0, 0),
        next,
        has_reported: false,
    };
    server.until_stopped(&listener).await;
    server.take_what_waits(&listener);
    sleep(NOTICED).await;
    server.take_what_waits(&listener);
    drop(listener);
    server.until_the_last().await;
}

impl<A: App> Server<A> {
    async fn until_stopped<L: Listener>(&mut self, listener: &L) {
        let cx = self.cx.clone();
        let counts = Arc::clone(&self.counts);
        let mut reading: Option<Reading> = None;
        // The client that was accepted while there was no room.
        let mut waits: Option<L::Io> = None;
        loop {
            let number = self.room.number();
            self.pause.take_if(|pause| number < pause.connections);
            if let Some(io) = waits.take_if(|_| !self.room.is_full()) {
                self.begin(io);
            }
            let can_accept = !self.room.is_full() || self.room.can_be_made();
            let paused = self.pause.as_ref().map(|pause| pause.until);
            let accepts = paused.is_none() && waits.is_none() && can_accept;
            let is_outdated = self.numbers() != self.shown;
            tokio::select! {
                biased;
                () = cx.cancelled() => break,
                accepted = poll_fn(|task| listener.poll_accept(task)), if accepts => {
                    match accepted {
                        Ok(io) => {
                            waits = Some(io);
                            self.room.make_if_full();
                        }
                        Err(error) => self.failed(error),
                    }
                }
                () = sleep_until_some(paused), if paused.is_some() => self.pause = None,
                () = sleep_until(self.next), if is_outdated => self.show(),
                () = self.room.is_to_look() => match waits {
                    Some(_) => self.room.make_if_full(),
                    None => self.room.look(),
                },
                () = counts.changed.notified() => {}
                reload = self.reload(), if reading.is_none() => reading = Some(self.read_again(reload)),
                () = has_read(&mut reading) => {}
            }
        }
        if let Some(io) = waits {
            self.begin(io);
        }
        // A reload that is under way is finished and answered.
        if let Some(reading) = reading {
            cx.spawn(reading);
        }
    }

    fn begin<I>(&mut self, io: I)
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let shared = ConnectionShared::new(Arc::clone(&self.counts));
        self.room.enter(&shared);
        let (cx, app) = (self.cx.clone(), self.app.clone());
        let timeouts = Timeouts {
            header: self.settings.header_timeout,
            idle: self.settings.idle_timeout,
        };
        #[cfg(feature = "tls")]
        if let Some(tls) = self.settings.tls.clone() {
            self.cx.spawn(async move {
                if let Some(io) = super::tls::in_time(&cx, &tls, io, timeouts.header).await {
                    connection(cx, io, app, shared, timeouts).await;
                }
            });
            return;
        }
        self.cx.spawn(connection(cx, io, app, shared, timeouts));
    }

    /// An accept has failed: it is the client's affair, or there is want of something, which may pass.
    fn failed(&mut self, error: io::Error) {
        if is_of_the_client(&error) {
            return;
        }
        if is_want_of_descriptors(&error) {
            self.room.make();
        }
        if !std::mem::replace(&mut self.has_reported, true) {
            self.cx.report(error);
        }
        self.pause = Some(Pause {
            until: Instant::now() + AFTER_A_FAILURE,
            connections: self.room.number(),
        });
    }

    /// Takes what is in the queue now. Without the budget of a task, which would leave some of it there.
    fn take_what_waits<L: Listener>(&mut self, listener: &L) {
        let waker = std::task::Waker::noop();
        let mut task = std::task::Context::from_waker(waker);
        let mut take = std::pin::pin!(unconstrained(poll_fn(|task| {
            loop {
                match listener.poll_accept(task) {
                    Poll::Ready(Ok(io)) => self.begin(io),
                    Poll::Ready(Err(error)) if is_of_the_client(&error) => {}
                    Poll::Ready(Err(_)) | Poll::Pending => return Poll::Ready(()),
                }
            }
        })));
        let taken = std::future::Future::poll(take.as_mut(), &mut task);
        debug_assert!(
            taken.is_ready(),
            "it takes what is there and waits for nothing"
        );
    }

    async fn until_the_last(&mut self) {
        let counts = Arc::clone(&self.counts);
        while counts.connections.load(Ordering::Relaxed) > 0 {
            let is_outdated = self.numbers() != self.shown;
            tokio::select! {
                () = sleep_until(self.next), if is_outdated => self.show(),
                () = counts.changed.notified() => {}
            }
        }
        self.show();
    }

    fn numbers(&self) -> (usize, usize) {
        let counts = &self.counts;
        (
            counts.connections.load(Ordering::Relaxed),
            counts.requests.load(Ordering::Relaxed),
        )
    }

    fn show(&mut self) {
        self.shown = self.numbers();
        let (connections, requests) = self.shown;
        self.cx.detail(format!(
            "{connections} connections, {requests} requests in flight"
        ));
        self.next = Instant::now() + BETWEEN_DETAILS;
    }

    /// A request to reload, if there are certificates to be read again.
    async fn reload(&self) -> Reload {
        #[cfg(feature = "tls")]
        if self
            .settings
            .tls
            .as_ref()
            .is_some_and(super::Tls::is_of_files)
        {
            return self.cx.reloaded().await;
        }
        pending().await
    }

    /// Returns the answer to a request to reload. It owns what it needs, for the files may be slow to read, and meanwhile clients
    /// come, and a stop.
    #[cfg_attr(
        not(feature = "tls"),
        expect(clippy::unused_self, reason = "the certificates are a setting")
    )]
    fn read_again(&self, reload: Reload) -> Reading {
        #[cfg(feature = "tls")]
        if let Some(tls) = self.settings.tls.clone() {
            return Box::pin(async move { tls.read_again(reload).await });
        }
        Box::pin(async { reload.done() })
    }
}

/// Waits until the certificates have been read, if they are being read.
async fn has_read(reading: &mut Option<Reading>) {
    match reading {
        Some(read) => read.await,
        None => pending().await,
    }
    *reading = None;
}

/// Returns whether an accept has failed because the client is gone already.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
