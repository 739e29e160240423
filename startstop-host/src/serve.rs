//! HTTP servers whose connections are tasks of the service, so that nothing of them outlives its stop.
//!
//! [`accept`] takes connections and counts them; [`connection`] is the task of one, from its first byte to the drop of its
//! socket; [`phase`] says what a connection is doing, and [`schedule`] until when it may; [`socket`], [`respond`] and [`executor`]
//! tell it what has happened. [`listener`] is what is accepted from, and [`room`] says who goes when there are too many.
//!
//! 1. The task of a connection lasts until its socket is dropped, also when an upgrade has handed the socket to the user.
//! 2. A connection that waits for its client has a deadline, before a stop and during it.

mod app;
mod listener;
mod tail;
mod tunnels;
mod phase;
mod executor;
mod room;
mod socket;
mod respond;
mod schedule;
mod connection;
mod accept;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::time::Duration;

use startstop_core::Context;

pub use app::App;
pub use executor::CxExecutor;
pub use listener::Listener;
#[cfg(feature = "tls")]
pub use tls::Tls;

/// Serves HTTP/1 and HTTP/2 on a listener until the service is told to stop.
///
/// `app` is an axum `Router`, or any tower service of hyper's requests. Every connection is a task of the attempt, so after
/// `Stopped` none is left. Each request bears the [`Context`] in its extensions (`Extension<Context>` in axum). The settings
/// are those of [`Serve::new`]; use [`Serve`] to change them.
///
/// Pass a listener, or a reference to one that outlives restarts: then nobody is refused while the service restarts.
///
/// # What happens at a stop
///
/// - During a drain, connections are still accepted and answered, with `connection: close`, in HTTP/2 with GOAWAY: one that is
///   new gets it 100 ms after its first request, for what a client could not send on new connections it does not send again.
/// - At the stop, what waits in the queue of the listener is still taken, and no more.
/// - Idle connections close at once, when it is sure that nothing has been received from them; one that has sent nothing closes
///   after 100 ms: its request may be on the way.
/// - HTTP/2 connections get GOAWAY, those without a request yet, and those that are new, after 100 ms likewise. Server-sent events
///   end.
/// - Other requests in flight are finished until the deadline, and then dropped.
/// - A connection that has sent half a head, or that was upgraded (a WebSocket), holds the stop up for at most half of the time
///   that is left, the former for no longer than the header timeout either. An upgraded one reads as ended after that half, and
///   is closed at the deadline. So does a connection of HTTP/2 that bears nothing but tunnels (CONNECT, or a WebSocket by it): it gets
///   GOAWAY, and is closed after that half, or when the last of them has ended.
///
/// Where the process has no descriptor left for a client that waits, the connection that has been idle for the longest time makes room,
/// once that is 5 s; the failure is reported.
///
/// The status shows how many connections there are, and how many requests are in flight, as its detail.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use startstop_core::{Context, Runner, service_fn};
/// use startstop_host::serve;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let server = Runner::new(startstop_core::service_fn_with(listener, async |listener, cx: Context| {
///     let app = Router::new().route("/", get(async || "hello"));
///     serve(cx, &*listener, app).await
/// }));
/// server.start().await?;
/// server.stop().await?; // no connection is left
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// None today: what goes wrong with a connection ends that connection, and an accept that fails is reported to the history
/// once, and tried again.
///
/// # Cancel safety
///
/// Dropping the future ends accepting; connections that were accepted go on as tasks of the attempt until it ends.
pub async fn serve(cx: Context, listener: impl Listener, app: impl App) -> io::Result<()> {
    Serve::new().serve(cx, listener, app).await
}

/// The settings of a server, and [`serve`](Serve::serve) with them.
///
/// | setting | default | |
/// |---|---|---|
/// | `header_timeout` | 10 s | from the first byte of a head, or from the accept, to the end of the head |
/// | `idle_timeout` | 60 s | how long a connection may stay without a request; one with a WebSocket or another tunnel may for ever |
/// | `max_connections` | none | how many are open at once; further ones wait, and the one that has been idle longest makes room |
/// | `tls` | none | feature `tls` |
///
/// Both timeouts are kept by the server itself: hyper's own header timeout counts idle time as reading, and with HTTP/2 beside
/// HTTP/1 does not begin before the first bytes (hyper 1.12).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use startstop_core::Context;
/// use startstop_host::Serve;
///
/// async fn run(cx: Context) -> std::io::Result<()> {
///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
///     Serve::new().idle_timeout(Duration::from_secs(5)).serve(cx, listener, Router::new()).await
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let runner = startstop_core::Runner::new(startstop_core::service_fn(run));
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap();
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Serve {
    header_timeout: Duration,
    idle_timeout: Duration,
    max_connections: Option<usize>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl Default for Serve {
    fn default() -> Self {
        Self::new()
    }
}

impl Serve {
    /// Returns the default settings.
    ///
    /// # Examples
    ///
    /// See [`Serve`].
    pub fn new() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_connections: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Sets how long a client may take for a head, from its first byte or from the accept on. Default: 10 s.
    /// `Duration::MAX` sets no limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let strict = startstop_host::Serve::new().header_timeout(Duration::from_secs(1));
    /// assert!(format!("{strict:?}").contains("header_timeout: 1s"));
    /// ```
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// Sets how long a connection may stay open without a request. Default: 60 s. `Duration::MAX` sets no limit.
    ///
    /// # Examples
    ///
    /// See [`Serve`].
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets how many connections may be open at once; at least one. Further clients wait in the queue of the listener. While
    /// somebody waits, the connection that has been idle for the longest time makes room, once that is 5 s. Default: no limit.
    ///
    /// # Examples
    ///
    /// ```
    /// let small = startstop_host::Serve::new().max_connections(64);
    /// assert!(format!("{small:?}").contains("Some(64)"));
    /// ```
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = Some(most.max(1));
        self
    }

    /// Serves TLS, with HTTP/2 by ALPN. On a reload of the service the certificates are read again.
    ///
    /// # Examples
    ///
    /// See [`Tls`].
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Serves as [`serve`](fn@serve) does, with these settings.
    ///
    /// # Examples
    ///
    /// See [`Serve`].
    ///
    /// # Errors
    ///
    /// As [`serve`](fn@serve).
    ///
    /// # Cancel safety
    ///
    /// As [`serve`](fn@serve).
    pub async fn serve(
        self,
        cx: Context,
        listener: impl Listener,
        app: impl App,
    ) -> io::Result<()> {
        accept::accept(self, cx, listener, app).await;
        Ok(())
    }
}
