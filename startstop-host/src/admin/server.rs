//! The server of the admin port: few connections, each with limits of time and size.
//!
//! 1. There are never more than [`MOST`] connections: a new one closes the one that has been silent for the longest time. It does so
//!    too where the process has no descriptor left for it.
//! 2. A connection costs nothing beyond its buffers: it has no thread, and what it asks is answered at once.

mod connection;
mod idle;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use startstop_core::{Context, Service};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use connection::serve;
use idle::Connections;

/// The most connections at once.
const MOST: usize = 256;
/// How long to wait when there are no descriptors left, and how long a connection may be silent then.
const PAUSE: Duration = Duration::from_millis(100);
/// How long one that is to make room takes for that.
const MOMENT: Duration = Duration::from_millis(5);
/// How often at most that is told.
const TELL: Duration = Duration::from_secs(60);

/// The part of the host that answers on the admin port.
pub(crate) struct AdminServer {
    listener: Arc<TcpListener>,
    routes: Router,
}

impl AdminServer {
    pub(super) fn new(listener: Arc<TcpListener>, routes: Router) -> Self {
        Self { listener, routes }
    }

    fn listener(&self) -> io::Result<tokio::net::TcpListener> {
        self.listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(self.listener.try_clone()?)
    }
}

impl Service for AdminServer {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = self.listener()?;
        let connections = Arc::new(Connections::new(MOST));
        let mut told: Option<Instant> = None;
        while let Some(accepted) = cx.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, _)) => self.begin(&cx, &connections, stream),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    if told.is_none_or(|at| at.elapsed() >= TELL) {
                        cx.report(error);
                        told = Some(Instant::now());
                    }
                    let makes_room = connections.make_room(PAUSE);
                    sleep(if makes_room { MOMENT } else { PAUSE }).await;
                }
            }
        }
        Ok(())
    }
}

impl AdminServer {
    fn begin(&self, cx: &Context, connections: &Arc<Connections>, stream: TcpStream) {
        let place = Connections::enter(connections);
        let (routes, this) = (self.routes.clone(), cx.clone());
        cx.spawn(async move {
            place
                .until_closed(serve(&this, stream, routes, &place))
                .await;
        });
    }
}

/// Returns whether an error of `accept` says something of one connection alone.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
