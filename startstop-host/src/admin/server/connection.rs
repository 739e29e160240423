//! One connection: HTTP/1, with limits of time and size.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use startstop_core::Context;
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
/// How long the rest of a request may take then.
const REST: Duration = Duration::from_millis(50);

/// Serves a connection until it ends, or a moment after the server is told to.
pub(super) async fn serve(cx: &Context, stream: TcpStream, routes: Router, place: &IdlePlace) {
    let asks = AtomicBool::new(false);
    let io = TokioIo::new(Limited {
        stream,
        place,
        asks: &asks,
        stall: None,
    });
    let answers = Answers {
        routes: TowerToHyperService::new(routes),
        asks: &asks,
        cx,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(MOST_HEADER)
        .serve_connection(io, answers);
    let mut connection = pin!(connection);
    tokio::select! {
        // Errors concern this client alone.
        ended = connection.as_mut() => return drop(ended),
        () = cx.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let ended = timeout(REST, connection.as_mut()).await;
    if ended.is_err() && !asks.load(Ordering::Relaxed) {
        drop(timeout(GOODBYE, connection).await);
    }
}

/// The routes for one connection. A request bears the context, by which its answer knows when the server ends.
struct Answers<'a> {
    routes: TowerToHyperService<Router>,
    asks: &'a AtomicBool,
    cx: &'a Context,
}

impl Service<Request<Incoming>> for Answers<'_> {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.asks.store(false, Ordering::Relaxed);
        request.extensions_mut().insert(self.cx.clone());
        self.routes.call(request)
    }
}

/// A stream whose reader may not stall, and that notes when it is used.
struct Limited<'a> {
    stream: TcpStream,
    place: &'a IdlePlace,
    /// Whether something has come since the last request began: that of the next one, or of a body, which nothing here needs.
    asks: &'a AtomicBool,
    /// Runs while the client takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
}

impl Limited<'_> {
    /// Returns the outcome of a write, or an error once the client has stalled for too long.
    fn written<T>(
        &mut self,
        task: &mut Task<'_>,
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
        task: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(task, buffer);
        if read.is_ready() {
            self.place.stir();
            self.asks.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Limited<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(task, bytes);
        self.written(task, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(task, bytes);
        self.written(task, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}
