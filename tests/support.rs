//! A service that emits what happens to it and does what it is told, and what the tests wait with.

use std::future::Future;
use std::time::Duration;

use startstop_core::{Runner, Service, Settings, StartError, StopError};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;
use tokio::time::Instant;

mod act;
mod alone;
mod latch;
mod probe;

pub(crate) use act::{Act, Broken};
pub(crate) use alone::alone;
pub(crate) use latch::Latch;
pub(crate) use probe::{Event, Probe, Remote};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A runner of a fresh probe.
pub(crate) fn probed(settings: Settings) -> (Runner<Probe>, Remote) {
    let (probe, remote) = Probe::new();
    (Runner::with_settings(probe, settings), remote)
}

/// A failure instead of a hang: a day of paused time, or ten real seconds where threads are many.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let limit = match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => 24 * 60 * 60 * SECOND,
        _ => 10 * SECOND,
    };
    tokio::time::timeout(limit, future).await.expect("it should have ended by now")
}

/// Lets everything that can go on do so. No time passes; for current-thread tests.
pub(crate) async fn idle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Timers tick in milliseconds.
#[track_caller]
pub(crate) fn assert_took(since: Instant, expected: Duration) {
    let took = since.elapsed();
    let off = took.abs_diff(expected);
    assert!(off <= Duration::from_millis(3), "took {took:?} instead of {expected:?}");
}

/// Somebody who waits for an outcome.
pub(crate) struct Caller<T>(JoinHandle<T>);

impl<T: Send + 'static> Caller<T> {
    /// Begins to wait: the future has been polled when this returns.
    pub(crate) async fn of(future: impl Future<Output = T> + Send + 'static) -> Self {
        let handle = tokio::spawn(future);
        idle().await;
        Self(handle)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.0.is_finished()
    }

    /// What the call came to, which others can still bring about.
    pub(crate) async fn outcome(self) -> T {
        within(self.0).await.expect("the caller does not panic")
    }

    /// Drops the future of the call.
    pub(crate) async fn give_up(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

pub(crate) async fn start<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StartError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.start().await }).await
}

pub(crate) async fn ensure<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StartError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.ensure_running().await }).await
}

pub(crate) async fn restart<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StartError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.restart().await }).await
}

pub(crate) async fn stop<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StopError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.stop().await }).await
}

pub(crate) async fn wait<S: Service>(runner: &Runner<S>) -> Caller<startstop_core::Exit> {
    let runner = runner.clone();
    Caller::of(async move { runner.wait().await }).await
}
