//! Finds out whether a child that ended by a signal was told to end together with this process.
//!
//! A service manager signals a whole control group: each child hears the same signal as this process, before
//! this process can tell it anything, and a child that others depend on is to be told last. Only signals that
//! this process catches are listened to, so that no listener changes what a signal does.

use std::task::{self, Poll, Waker};
use std::time::Duration;

use startstop_core::Context;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};
use tokio::time::{Instant, timeout};

use crate::proc_fs;
use crate::signal::Signal;

/// How far the two may be apart. Who is told first is chance.
const APART: Duration = Duration::from_millis(250);

/// How long the end of the child waits for its own stop where this process was told: those who depend on
/// the child are stopped before.
const LONGEST_STOP: Duration = Duration::from_secs(90);

pub(super) struct Told(Vec<Heard>);

/// A signal that is listened to, and when it was heard last.
struct Heard {
    signal: Signal,
    listener: Listener,
    at: Option<Instant>,
}

impl Heard {
    /// Notes it if it was sent since it was asked last.
    fn poll(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        if self.listener.poll_recv(cx) != Poll::Ready(Some(())) {
            return Poll::Pending;
        }
        self.at = Some(Instant::now());
        Poll::Ready(())
    }

    fn within(&self, time: Duration) -> bool {
        self.at.is_some_and(|at| at.elapsed() <= time)
    }
}

impl Told {
    pub(super) fn listen(stop_signal: Signal) -> Self {
        let mut signals = vec![stop_signal, Signal::TERM];
        signals.dedup();
        let caught = signals
            .into_iter()
            .filter(|signal| proc_fs::catches("self", *signal));
        let listen = |wanted: Signal| {
            let listener = signal(SignalKind::from_raw(wanted.number())).ok()?;
            Some(Heard {
                signal: wanted,
                listener,
                at: None,
            })
        };
        Self(caught.filter_map(listen).collect())
    }

    /// Waits until this process is told something, and notes it.
    pub(super) async fn next(&mut self) {
        std::future::poll_fn(|cx| {
            let mut heard = self.0.iter_mut();
            let heard = heard.any(|heard| heard.poll(cx).is_ready());
            if heard {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn heard(&self, wanted: Signal, within: Duration) -> bool {
        self.0
            .iter()
            .any(|heard| heard.signal == wanted && heard.within(within))
    }

    /// Returns whether a child that was told to stop by another signal has ended by one that this process was told as well.
    pub(super) fn is_of_this_stop(&mut self, ended_by: Signal) -> bool {
        let mut cx = task::Context::from_waker(Waker::noop());
        for heard in &mut self.0 {
            let _ = heard.poll(&mut cx);
        }
        self.heard(ended_by, LONGEST_STOP)
    }

    /// Waits until it is clear whether a child that has ended by `ended_by` was told to.
    pub(super) async fn was_told(
        &mut self,
        cx: &Context,
        ended_by: Signal,
        stop_signal: Signal,
    ) -> bool {
        let is_heard = self.0.iter().any(|heard| heard.signal == ended_by);
        if !is_heard && ended_by != stop_signal {
            return false;
        }
        let end = Instant::now() + APART;
        while !self.heard(ended_by, APART) {
            tokio::select! {
                biased;
                () = cx.cancelled() => return ended_by == stop_signal,
                () = self.next() => {}
                () = tokio::time::sleep_until(end) => return false,
            }
        }
        cx.not_ready(format!(
            "ended by {ended_by}, of which this process was told as well"
        ));
        timeout(LONGEST_STOP, cx.cancelled()).await.is_ok()
    }
}
