//! The successors that wait for their turn: each is told so each second, or it would take us for frozen.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use startstop_core::Context;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{interval, sleep};

use super::alive::WAIT;
use super::wire::VERSION;
use crate::descriptors::is_want_of_descriptors;

/// How often who waits is told so.
const EACH: Duration = Duration::from_secs(1);

/// After an accept that has failed for want of descriptors.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Successors in the order in which they have come.
pub(super) struct Queue<'a> {
    listener: &'a UnixListener,
    cx: &'a Context,
    waiting: VecDeque<UnixStream>,
    has_reported: bool,
}

impl<'a> Queue<'a> {
    pub(super) fn of(listener: &'a UnixListener, cx: &'a Context) -> Self {
        Self {
            listener,
            cx,
            waiting: VecDeque::new(),
            has_reported: false,
        }
    }

    /// Waits for the one whose turn it is.
    pub(super) async fn next(&mut self) -> io::Result<UnixStream> {
        loop {
            if let Some(first) = self.waiting.pop_front() {
                return Ok(first);
            }
            let stream = self.accept().await?;
            self.welcome(stream);
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
                accepted = self.accept() => self.welcome(accepted?),
                _ = time.tick() => self.waiting.retain(|stream| say(stream, WAIT)),
            }
        }
    }

    /// Accepts a successor; where the process has no descriptor left for it, when there is one again: an end of this part would refuse it.
    async fn accept(&mut self) -> io::Result<UnixStream> {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return Ok(stream),
                Err(error) if is_want_of_descriptors(&error) => {
                    if !std::mem::replace(&mut self.has_reported, true) {
                        self.cx.report(error);
                    }
                    sleep(AFTER_A_FAILURE).await;
                }
                Err(error) => return Err(error),
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
