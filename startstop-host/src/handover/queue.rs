//! The successors that wait for their turn: each is told so each second, or it would take us for frozen.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::interval;

use super::alive::WAIT;
use super::wire::VERSION;

/// How often who waits is told so.
const EACH: Duration = Duration::from_secs(1);

/// Successors in the order in which they have come.
pub(super) struct Queue<'a> {
    listener: &'a UnixListener,
    waiting: VecDeque<UnixStream>,
}

impl<'a> Queue<'a> {
    pub(super) fn of(listener: &'a UnixListener) -> Self {
        Self {
            listener,
            waiting: VecDeque::new(),
        }
    }

    /// Waits for the one whose turn it is.
    pub(super) async fn next(&mut self) -> io::Result<UnixStream> {
        loop {
            if let Some(first) = self.waiting.pop_front() {
                return Ok(first);
            }
            self.welcome(self.listener.accept().await?.0);
        }
    }

    /// Waits for what concerns the one whose turn it is, while the others are told to wait.
    pub(super) async fn meanwhile<T>(&mut self, future: impl Future<Output = T>) -> io::Result<T> {
        let mut future = pin!(future);
        let mut time = interval(EACH);
        loop {
            tokio::select! {
                biased;
                output = future.as_mut() => return Ok(output),
                accepted = self.listener.accept() => self.welcome(accepted?.0),
                _ = time.tick() => self.waiting.retain(|stream| say(stream, WAIT)),
            }
        }
    }

    fn welcome(&mut self, stream: UnixStream) {
        if say(&stream, VERSION) {
            self.waiting.push_back(stream);
        }
    }
}

/// Says a byte, unless who waits is gone. One who does not listen has a full buffer, which is its own affair.
fn say(stream: &UnixStream, byte: u8) -> bool {
    match rustix::io::write(stream, &[byte]).map_err(io::Error::from) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}
