//! Supervision: policies, delays, limits, permanent errors, readiness across restarts, the watchdog.

mod cells;
mod delays;
mod during_backoff;
mod permanent;
mod readiness;
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{Context, Runner, Service, State, service_fn};

/// A service that counts its attempts and then does as it is told.
fn counted<T, F>(attempts: &Arc<AtomicUsize>, then: T) -> impl Service + use<T, F>
where
    T: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), &'static str>> + Send,
{
    let attempts = Arc::clone(attempts);
    service_fn(move |cx| {
        attempts.fetch_add(1, Ordering::SeqCst);
        then(cx)
    })
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The failure says that there were too many restarts.
fn tells_of_the_limit<S: Service>(runner: &Runner<S>) -> bool {
    assert_eq!(runner.state(), State::Stopped);
    let last = runner.errors_last().expect("it failed").to_string();
    let entry = runner
        .history()
        .entries()
        .last()
        .expect("it failed")
        .to_string();
    last.contains("limit") && entry.contains("limit")
}
