//! What can be measured of a contender.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::crowd::Crowd;

pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Does it so many times, one after the other, and tells how long all of that took.
pub(crate) type Work = fn(u32) -> Pending<Duration>;

/// Reads on so many threads, so many times on each, and tells how long one thread took.
pub(crate) type Read = fn(usize, u32) -> Pending<Duration>;

/// Starts so many, then stops them.
pub(crate) type Many = fn(usize) -> Pending<Crowd>;

/// A workload, or why there is none.
#[derive(Clone, Copy)]
pub(crate) enum Can<T> {
    Do(T),
    // The floor and startstop can do all of it.
    #[cfg_attr(not(feature = "rivals"), allow(dead_code))]
    Not(&'static str),
}

/// One of those that are compared. Each start that is timed ends when the body of the service is
/// entered, each stop when it has ended.
pub(crate) struct Contender {
    /// As the registry knows it, but for the floor.
    pub(crate) name: &'static str,
    /// How it is used here.
    pub(crate) how: &'static str,
    /// A start and a stop.
    pub(crate) cycle: Can<Work>,
    /// The same of a service with a hook, called at its stop, which awaits once.
    pub(crate) hooked: Can<Work>,
    /// The same with a hook that is ready at once.
    pub(crate) ready: Can<Work>,
    /// Of a service that runs: until the next body is entered.
    pub(crate) restart: Can<Work>,
    /// One more start after the service has failed, with all that is kept of the failure.
    pub(crate) failing: Can<Work>,
    /// Whether the service runs.
    pub(crate) running: Can<Read>,
    /// For how long it has been running.
    pub(crate) uptime: Can<Read>,
    /// Idle services that know nothing of each other.
    pub(crate) crowd: Can<Many>,
    /// Each needs the one before it.
    pub(crate) chain: Can<Many>,
    /// All need the first one.
    pub(crate) star: Can<Many>,
}
