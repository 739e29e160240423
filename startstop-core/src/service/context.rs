//! What `run` and `shutdown` are given: the service's side of its runner.
//!
//! A context belongs to one attempt. It knows the attempt by number, so that one which outlives it is
//! inert: it is cancelled, and says nothing to the attempts after it.

// In the order of the page of `Context`.
mod attempt;
mod heard;
mod probe;
mod detached;
mod signals;
mod blocking;
mod readiness;
mod reporting;
mod tasks;
mod waiting;
mod futures;
mod reload;
pub(crate) mod attempt_guard;

use std::fmt;
use std::sync::Arc;

use crate::engine::Node;
use crate::report::trace::AttemptSpan;

pub(crate) use attempt::Attempt;
use detached::Detached;
pub use futures::{Cancelled, CancelledOwned};
pub use probe::Probe;
pub use reload::Reload;

/// The service's side of its runner, given to `run` and `shutdown`. Cheap to clone.
///
/// In [`shutdown`](crate::Service::shutdown), [`cancelled`](Self::cancelled),
/// [`is_cancelled`](Self::is_cancelled) and [`token`](Self::token) mean the deadline, for the stop
/// itself is known there.
///
/// A context that outlives its attempt is inert: it is cancelled, [`ready`](Self::ready),
/// [`report`](Self::report), [`heartbeat`](Self::heartbeat), [`request_stop`](Self::request_stop) and
/// [`request_restart`](Self::request_restart) do nothing, and [`spawn`](Self::spawn) drops its future. It
/// keeps the service alive, so do not store it in the service itself.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Context, Runner, service_fn};
///
/// async fn beat(cx: Context) {
///     let mut beats = tokio::time::interval(Duration::from_secs(1));
///     while cx.run_until_cancelled(beats.tick()).await.is_some() {
///         println!("{} is alive", cx.name());
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(beat));
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Context {
    link: Link,
}

#[derive(Clone)]
enum Link {
    Attempt(Attempt),
    Detached(Arc<Detached>),
}

impl Context {
    pub(crate) fn of_run(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self { link: Link::Attempt(Attempt::of_run(node, epoch)) }
    }

    pub(crate) fn of_shutdown(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self { link: Link::Attempt(Attempt::of_shutdown(node, epoch)) }
    }

    /// The attempt, unless the context is detached.
    pub(crate) fn attempt_link(&self) -> Option<&Attempt> {
        match &self.link {
            Link::Attempt(attempt) => Some(attempt),
            Link::Detached(_) => None,
        }
    }

    /// The span of the attempt.
    pub(crate) fn span(&self) -> AttemptSpan {
        let attempt = self.attempt_link();
        attempt.map(|attempt| attempt.node().shared().span(attempt.epoch())).unwrap_or_default()
    }

    /// The name of the service.
    ///
    /// # Examples
    ///
    /// See [`Context`].
    pub fn name(&self) -> &str {
        match &self.link {
            Link::Attempt(attempt) => attempt.node().shared().name(),
            Link::Detached(_) => heard::NAME,
        }
    }

    /// Which cycle this is, from 1; 0 of a detached context, and of one that outlives its cycle.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| assert_eq!((cx.cycle(), cx.attempt()), (1, 1))));
    /// runner.start().await.unwrap();
    /// # }
    /// ```
    pub fn cycle(&self) -> u64 {
        let Some(attempt) = self.attempt_link() else { return 0 };
        let synced = attempt.node().shared().synced();
        if synced.attempt_of(attempt.epoch()) > 0 { synced.cycle } else { 0 }
    }

    /// Which attempt of the cycle this is, from 1; 0 of a detached context, and of one that outlives
    /// its cycle.
    ///
    /// # Examples
    ///
    /// See [`cycle`](Self::cycle).
    pub fn attempt(&self) -> u64 {
        let Some(attempt) = self.attempt_link() else { return 0 };
        let synced = attempt.node().shared().synced();
        synced.attempt_of(attempt.epoch())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("name", &self.name())
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
