//! One connection: HTTP/1, with limits of time and size.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

use super::idle::IdlePlace;

/// How long a head may take to arrive, and a connection be silent between two requests.
const HEADER: Duration = Duration::from_secs(10);
/// The most bytes of a head.
const MOST_HEADER: usize = 16 * 1024;
/// How long a client may take none of an answer.
const STALL: Duration = Duration::from_secs(30);
/// How long an answer may take to its end once the server ends.
const GOODBYE: Duration = Duration::from_millis(500);

/// Serves a connection until it ends, or a moment after `stop`.
pub(super) async fn serve(
    stream: TcpStream,
    routes: Router,
    place: &IdlePlace,
    stop: impl Future<Output = ()>,
) {
    let io = TokioIo::new(Limited {
        stream,
        place,
        stall: None,
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(MOST_HEADER)
        .serve_connection(io, TowerToHyperService::new(routes));
    let mut connection = pin!(connection);
    tokio::select! {
        // Errors concern this client alone.
        ended = connection.as_mut() => return drop(ended),
        () = stop => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(GOODBYE, connection).await);
}

/// A stream whose reader may not stall, and that notes when it is used.
struct Limited<'a> {
    stream: TcpStream,
    place: &'a IdlePlace,
    /// Runs while the client takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Limited<'_> {
    /// Returns the outcome of a write, or an error once the client has stalled for too long.
    fn written<T>(
        &mut self,
        task: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            self.place.stir();
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALL)));
        stall
            .as_mut()
            .poll(task)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Limited<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(task, buffer);
        if read.is_ready() {
            self.place.stir();
        }
        read
    }
}

impl AsyncWrite for Limited<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.written(task, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, bytes);
        self.written(task, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
