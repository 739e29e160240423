//! The listeners that connections are accepted from.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

/// A listener that [`serve`](crate::serve) can accept connections from: tokio's `TcpListener` or `UnixListener`, or a
/// reference or an `Arc` of one, which outlives restarts of the service.
///
/// # Examples
///
/// ```
/// fn takes(_: impl startstop_host::Listener) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
/// takes(&listener);
/// takes(std::sync::Arc::new(listener));
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no listener",
    note = "accepted are `tokio::net::TcpListener` and `UnixListener`, and references to them"
)]
pub trait Listener: private::SealedListener + Send + Sync {
    #[doc(hidden)]
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    #[doc(hidden)]
    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<Self::Io>>;
}

mod private {
    pub trait SealedListener {}
}

impl private::SealedListener for TcpListener {}

impl Listener for TcpListener {
    type Io = TcpStream;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        TcpListener::poll_accept(self, task).map_ok(|(stream, _)| {
            // Short answers are not held back. An error is ignored: a connection that is gone says so when it is read.
            let _ = stream.set_nodelay(true);
            stream
        })
    }
}

#[cfg(unix)]
impl private::SealedListener for UnixListener {}

#[cfg(unix)]
impl Listener for UnixListener {
    type Io = UnixStream;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        UnixListener::poll_accept(self, task).map_ok(|(stream, _)| stream)
    }
}

impl<L: private::SealedListener> private::SealedListener for &L {}

impl<L: Listener> Listener for &L {
    type Io = L::Io;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<L::Io>> {
        (**self).poll_accept(task)
    }
}

impl<L: private::SealedListener> private::SealedListener for Arc<L> {}

impl<L: Listener> Listener for Arc<L> {
    type Io = L::Io;

    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<L::Io>> {
        (**self).poll_accept(task)
    }
}
