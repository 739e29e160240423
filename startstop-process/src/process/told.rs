//! Whether a child that ended by a signal was told to end together with this process.
//!
//! A service manager signals a whole control group: each child hears the same signal as this process, before
//! this process can tell it anything, and a child that others depend on is to be told last. Only signals that
//! this process catches are listened to, so that no listener changes what a signal does.

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

pub(super) struct Told {
    listeners: Vec<(Signal, Listener)>,
    last: Option<(Signal, Instant)>,
}

impl Told {
    pub(super) fn listen(stop_signal: Signal) -> Self {
        let mut signals = vec![stop_signal, Signal::TERM];
        signals.dedup();
        let caught = signals.into_iter().filter(|signal| proc_fs::catches("self", *signal));
        let listen = |wanted: Signal| {
            signal(SignalKind::from_raw(wanted.number())).ok().map(|listener| (wanted, listener))
        };
        Self { listeners: caught.filter_map(listen).collect(), last: None }
    }

    /// Waits until this process is told something, and notes it.
    pub(super) async fn next(&mut self) {
        let signal = std::future::poll_fn(|cx| {
            let mut listeners = self.listeners.iter_mut();
            let heard = listeners.find_map(|(signal, listener)| {
                listener.poll_recv(cx).is_ready().then_some(*signal)
            });
            heard.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await;
        self.last = Some((signal, Instant::now()));
    }

    fn has_heard(&self, wanted: Signal) -> bool {
        self.last.is_some_and(|(signal, at)| signal == wanted && at.elapsed() <= APART)
    }

    /// Waits until it is clear whether a child that has ended by `ended_by` was told to.
    pub(super) async fn was_told(
        &mut self,
        cx: &Context,
        ended_by: Signal,
        stop_signal: Signal,
    ) -> bool {
        let is_heard = self.listeners.iter().any(|(signal, _)| *signal == ended_by);
        if !is_heard && ended_by != stop_signal {
            return false;
        }
        let end = Instant::now() + APART;
        while !self.has_heard(ended_by) {
            tokio::select! {
                biased;
                () = cx.cancelled() => return ended_by == stop_signal,
                () = self.next() => {}
                () = tokio::time::sleep_until(end) => return false,
            }
        }
        cx.not_ready(format!("ended by {ended_by}, of which this process was told as well"));
        timeout(LONGEST_STOP, cx.cancelled()).await.is_ok()
    }
}
