//! Instants as nanoseconds, so that one fits beside a state in one atomic word.
//!
//! Time is tokio's: under `tokio::time::pause` these stand still with it.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// Later than any deadline: never.
pub(crate) const NEVER: u64 = u64::MAX;

/// How far before its first use the clock begins. A paused clock stands where its runtime was
/// built, which may be before the first use here, and an instant must not come before zero. The first that the
/// system can say counts.
const HEADROOM: [Duration; 3] = [
    Duration::from_secs(365 * 24 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(60 * 60),
];

/// Real time, whatever the clock of the runtime says that asks first: that may be paused, and in a far future.
fn zero() -> Instant {
    static ZERO: OnceLock<Instant> = OnceLock::new();
    *ZERO.get_or_init(|| {
        let now = std::time::Instant::now();
        let zero = HEADROOM
            .into_iter()
            .find_map(|before| now.checked_sub(before));
        Instant::from_std(zero.unwrap_or(now))
    })
}

/// Now, in nanoseconds.
#[inline]
pub(crate) fn now() -> u64 {
    nanos(since_zero()).min(NEVER - 1)
}

/// Returns the time from `start` to now, with less to do after the clock was read than by [`now`].
#[inline]
pub(crate) fn since(start: u64) -> Duration {
    let start = Duration::from_nanos(start);
    since_zero().saturating_sub(start)
}

#[inline]
fn since_zero() -> Duration {
    Instant::now().saturating_duration_since(zero())
}

/// Returns the instant `after` from `start`, or [`NEVER`].
pub(crate) fn later(start: u64, after: Duration) -> u64 {
    start.saturating_add(nanos(after))
}

/// Returns the time from `start` to `end`.
pub(crate) fn between(start: u64, end: u64) -> Duration {
    Duration::from_nanos(end.saturating_sub(start))
}

/// Returns the instant as tokio's, or `None` for [`NEVER`] and what no clock can say.
pub(crate) fn instant(at: u64) -> Option<Instant> {
    match at {
        NEVER => None,
        at => zero().checked_add(Duration::from_nanos(at)),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}
