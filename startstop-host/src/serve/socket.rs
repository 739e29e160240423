//! The socket of a connection: tells what it receives, and can be ended from outside, also when it belongs to the user.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::phase::ConnectionShared;

const READ: usize = 0;
const WRITE: usize = 1;

pub(super) struct Socket<I> {
    io: I,
    shared: Arc<ConnectionShared>,
}

impl<I> Socket<I> {
    pub(super) fn new(io: I, shared: Arc<ConnectionShared>) -> Self {
        Self { io, shared }
    }
}

impl<I> Drop for Socket<I> {
    fn drop(&mut self) {
        self.shared.socket_dropped();
    }
}

impl<I> Socket<I> {
    /// Passes on the result of a write, and notes whether the client takes what it is sent.
    fn written<T>(&self, written: Poll<T>) -> Poll<T> {
        self.shared.sends(&written);
        written
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the service has stopped")
}

impl<I: AsyncRead + Unpin> AsyncRead for Socket<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Register the waker before the check, so that an end in between is not missed.
        self.shared.wait(READ, task.waker());
        if self.shared.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        if self.shared.reads_as_ended() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(task, buffer);
        if read.is_ready() {
            self.shared.received(&buffer.filled()[before..]);
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Socket<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.shared.wait(WRITE, task.waker());
        if self.shared.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        let written = Pin::new(&mut self.io).poll_write(task, bytes);
        self.written(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.wait(WRITE, task.waker());
        if self.shared.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        let flushed = Pin::new(&mut self.io).poll_flush(task);
        self.written(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(task)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shared.wait(WRITE, task.waker());
        if self.shared.is_closed() {
            return Poll::Ready(Err(closed()));
        }
        let written = Pin::new(&mut self.io).poll_write_vectored(task, bytes);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
