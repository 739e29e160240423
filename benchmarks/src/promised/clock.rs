//! Instants of tokio as nanoseconds, so that one fits beside a state in one word.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// An hour before its first use: a paused clock may stand before it.
fn zero() -> Instant {
    static ZERO: OnceLock<Instant> = OnceLock::new();
    *ZERO.get_or_init(|| {
        let now = std::time::Instant::now();
        let zero = now.checked_sub(Duration::from_hours(1));
        Instant::from_std(zero.unwrap_or(now))
    })
}

pub(super) fn now() -> u64 {
    nanos(Instant::now().saturating_duration_since(zero()))
}

pub(super) fn instant(at: u64) -> Instant {
    zero() + Duration::from_nanos(at)
}

pub(super) fn later(at: u64, after: Duration) -> u64 {
    at.saturating_add(nanos(after))
}

fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(duration.subsec_nanos().into())
}
