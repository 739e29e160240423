//! A timer of a runner that a blocked worker does not hold up: for the end of a backoff.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Sleep;

use super::Nudge;
use crate::sync::clock;

/// Resolves at a time, like a sleep of tokio; the thread wakes a worker of the runtime if that is late.
pub(crate) struct Alarm {
    // In a box: it is rare, and large beside the future of the service.
    sleep: Pin<Box<Sleep>>,
    _nudge: Option<Nudge>,
}

impl Alarm {
    /// On the current runtime, at `until` of the [`clock`].
    pub(crate) fn at(until: u64) -> Self {
        let sleep = match clock::instant(until) {
            Some(at) => tokio::time::sleep_until(at),
            None => tokio::time::sleep(Duration::MAX),
        };
        let nudge = Handle::try_current()
            .ok()
            .and_then(|on| Nudge::new(on, until));
        Self {
            sleep: Box::pin(sleep),
            _nudge: nudge,
        }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(task)
    }
}
