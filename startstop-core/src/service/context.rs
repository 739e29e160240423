//! The context of `run` and `shutdown`: the service's side of its runner.
//!
//! A context belongs to one attempt. It knows the attempt by number, so that one which outlives it is
//! inert: it is cancelled, and says nothing to the attempts after it.

// In the order of the page of `Context`.
mod attempt;
mod heard;
mod probe;
mod detached;
mod run_until_cancelled;
mod blocking;
mod reporting;
mod tasks;
mod waiting;
mod futures;
mod reload;
pub(crate) mod attempt_guard;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::waiters::Topic;
use crate::engine::{Node, listeners, parts};
use crate::report::stop_reason::StopReason;
use crate::report::trace::AttemptSpan;
use crate::rules::lifecycle::StopStage;
use crate::sync::CancellationToken;

pub(crate) use attempt::Attempt;
use detached::Detached;
use futures::StageReached;
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
/// assert!(runner.errors_list().is_empty());
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
        Self {
            link: Link::Attempt(Attempt::of_run(node, epoch)),
        }
    }

    pub(crate) fn of_shutdown(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self {
            link: Link::Attempt(Attempt::of_shutdown(node, epoch)),
        }
    }

    /// Returns the attempt, unless the context is detached.
    pub(crate) fn attempt_link(&self) -> Option<&Attempt> {
        match &self.link {
            Link::Attempt(attempt) => Some(attempt),
            Link::Detached(_) => None,
        }
    }

    /// Returns the span of the attempt.
    pub(crate) fn span(&self) -> AttemptSpan {
        let attempt = self.attempt_link();
        attempt
            .map(|attempt| attempt.node().shared().span(attempt.epoch()))
            .unwrap_or_default()
    }

    /// Returns the name of the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = once(async |cx| assert_eq!(cx.name(), "import"));
    /// let runner = Runner::with_settings(job, Settings::new().name("import"));
    /// runner.start().await.unwrap();
    /// # }
    /// ```
    pub fn name(&self) -> &str {
        match &self.link {
            Link::Attempt(attempt) => attempt.node().shared().name(),
            Link::Detached(_) => heard::NAME,
        }
    }

    /// Returns the path of the service: the names from the outermost owner down, as its failures
    /// and events have it, or its name if it has no owner.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let db = service_fn(async |cx| {
    ///     assert_eq!((cx.name(), cx.path().as_str()), ("db", "app/db"));
    ///     cx.cancelled().await;
    /// });
    /// let app = Runner::new(Group::builder("app").with("db", db).build().unwrap());
    /// app.start().await.unwrap();
    /// app.stop().await.unwrap();
    /// # assert!(app.errors_list().is_empty());
    /// # }
    /// ```
    pub fn path(&self) -> String {
        let Some(attempt) = self.attempt_link() else {
            return heard::NAME.to_owned();
        };
        let shared = attempt.node().shared();
        let path = shared.synced().path(&shared.settings);
        path.as_str().to_owned()
    }

    /// Returns which cycle this is, from 1; 0 for a detached context, and for a context that outlives its cycle.
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
        let Some(attempt) = self.attempt_link() else {
            return 0;
        };
        let shared = attempt.node().shared();
        let synced = shared.synced();
        if parts::attempt_of(&synced, shared, attempt.epoch()) > 0 {
            synced.cycle
        } else {
            0
        }
    }

    /// Returns which attempt of the cycle this is, from 1; 0 for a detached context, and for a context that outlives its
    /// cycle.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = once(async |cx| if cx.attempt() == 1 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, Settings::new().restart(RestartPolicy::on_failure()));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().attempts(), 2);
    /// # }
    /// ```
    pub fn attempt(&self) -> u64 {
        let Some(attempt) = self.attempt_link() else {
            return 0;
        };
        let shared = attempt.node().shared();
        parts::attempt_of(&shared.synced(), shared, attempt.epoch())
    }

    /// Makes a context without a runner, for calling `service.run(cx)` in a unit test.
    ///
    /// `token` is its cancellation. [`ready`](Self::ready), [`report`](Self::report) and
    /// [`heartbeat`](Self::heartbeat) do nothing: a test that looks at them uses [`probed`](Self::probed).
    /// [`spawn`](Self::spawn) uses the current runtime, and its tasks end with the last clone of the context.
    /// [`request_stop`](Self::request_stop) and [`request_shutdown`](Self::request_shutdown) cancel `token` itself,
    /// [`request_restart`](Self::request_restart) does nothing, [`reloaded`](Self::reloaded) waits for ever, and there is no
    /// [`deadline`](Self::deadline).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Service, service_fn};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx| cx.cancelled().await);
    /// let token = CancellationToken::new();
    /// token.cancel();
    /// assert!(service.run(Context::detached(token)).await.is_ok());
    /// # }
    /// ```
    pub fn detached(token: CancellationToken) -> Self {
        Self::probed(token).0
    }

    /// Makes a [detached](Self::detached) context, and a [`Probe`] that tells what the service says to it, drains it and
    /// asks it for a reload.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Service, service_fn};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// service_fn(async |cx: Context| cx.ready()).run(cx).await.unwrap();
    /// assert!(probe.is_ready());
    /// # }
    /// ```
    pub fn probed(token: CancellationToken) -> (Self, Probe) {
        let (detached, probe) = Detached::new(token);
        (
            Self {
                link: Link::Detached(Arc::new(detached)),
            },
            probe,
        )
    }

    /// The same for a waiter: of a detached context, a copy that does not keep its tasks.
    fn without_tasks(&self) -> Self {
        match &self.link {
            Link::Attempt(_) => self.clone(),
            Link::Detached(detached) => Self {
                link: Link::Detached(Arc::new(detached.without_tasks())),
            },
        }
    }

    /// Waits until a stop is requested; in `shutdown`, until its deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.cancelled().await;
    ///     assert!(cx.is_cancelled());
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a cancellation stays.
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled::new(self)
    }

    /// Returns a future like [`cancelled`](Self::cancelled), but `'static`, for
    /// `axum::serve(..).with_graceful_shutdown(..)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     let told = tokio::spawn(cx.cancelled_owned());
    ///     told.await.unwrap();
    ///     assert!(cx.is_cancelled());
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a cancellation stays.
    pub fn cancelled_owned(&self) -> CancelledOwned {
        CancelledOwned::new(self.without_tasks())
    }

    /// Returns whether a stop is requested; in `shutdown`, whether its deadline has passed. Takes no lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Context;
    /// # use tokio_util::sync::CancellationToken;
    /// let token = CancellationToken::new();
    /// let cx = Context::detached(token.clone());
    /// assert!(!cx.is_cancelled());
    /// token.cancel();
    /// assert!(cx.is_cancelled());
    /// ```
    pub fn is_cancelled(&self) -> bool {
        match &self.link {
            Link::Attempt(attempt) => attempt.has_reached(attempt.cancel_stage()),
            Link::Detached(detached) => detached.token.is_cancelled(),
        }
    }

    /// Returns whether it has been told to drain or to stop.
    pub(crate) fn is_told_to_end(&self) -> bool {
        match &self.link {
            Link::Attempt(attempt) => attempt.has_reached(StopStage::Draining),
            Link::Detached(detached) => detached.token.is_cancelled(),
        }
    }

    /// Returns a token that is cancelled with this context, to hand on. It is built when first asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     let token = cx.token();
    ///     cx.cancelled().await;
    ///     assert!(token.is_cancelled());
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn token(&self) -> CancellationToken {
        match &self.link {
            Link::Attempt(attempt) => attempt.token(),
            // A child, so that whoever gets it cannot cancel the whole.
            Link::Detached(detached) => detached.token.child_token(),
        }
    }

    /// Runs `future` until it is done or the context is cancelled: its output, or `None` if the
    /// cancellation comes first. In a context that is cancelled already it is `None`, and `future` is not
    /// polled; if both come at once later, the output wins.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, once, Runner};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| {
    ///     assert_eq!(cx.run_until_cancelled(async { 7 }).await, Some(7));
    ///     cx.request_stop();
    ///     let waited = cx.run_until_cancelled(std::future::pending::<u32>()).await;
    ///     assert_eq!(waited, None);
    /// }));
    /// runner.start().await.unwrap_err(); // it has stopped itself
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It drops `future` when it is dropped, and when the context is cancelled: it is as cancel safe
    /// as `future` is.
    pub fn run_until_cancelled<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + use<'_, F> {
        run_until_cancelled::RunUntilCancelled::new(self, future)
    }

    /// Blocks the thread until the context is cancelled, for `timeout` at most: whether it is
    /// cancelled. For [`blocking_fn`](crate::blocking_fn). `timeout` is real time, also where tokio's
    /// clock is paused; [`Duration::MAX`] waits for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::Context;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let token = CancellationToken::new();
    /// let cx = Context::detached(token.clone());
    /// assert!(!cx.cancelled_blocking(Duration::from_millis(1)));
    /// token.cancel();
    /// assert!(cx.cancelled_blocking(Duration::MAX));
    /// ```
    pub fn cancelled_blocking(&self, timeout: Duration) -> bool {
        blocking::wait(self, timeout)
    }

    /// Returns when the service will be aborted, once a stop is requested; `None` before, and if never.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     assert_eq!(cx.deadline(), None);
    ///     cx.cancelled().await;
    ///     assert_eq!(cx.remaining(), Some(Duration::from_secs(3)));
    /// }));
    /// runner.start().await.unwrap();
    /// runner.stop_within(Duration::from_secs(3)).await.unwrap();
    /// # }
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        let attempt = self.attempt_link()?;
        let shared = attempt.node().shared();
        let synced = shared.synced();
        if shared.is_current(attempt.epoch()) {
            synced.deadline()
        } else {
            None
        }
    }

    /// Returns how long until the service will be aborted, once a stop is requested; `None` before, and if
    /// never.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.cancelled().await;
    ///     assert_eq!(cx.remaining(), Some(Duration::from_secs(3)));
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop_within(Duration::from_secs(3)).await.unwrap();
    /// # }
    /// ```
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.deadline()?.saturating_duration_since(Instant::now()))
    }

    /// Returns why the attempt is to end, once it is. The first reason stays for the attempt. An
    /// action of its group on a member is always [`StopReason::Group`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StopReason, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     assert_eq!(cx.reason(), None);
    ///     cx.cancelled().await;
    ///     assert_eq!(cx.reason(), Some(StopReason::Requested));
    /// }));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn reason(&self) -> Option<StopReason> {
        match &self.link {
            Link::Attempt(attempt) => {
                let shared = attempt.node().shared();
                listeners::why(&shared.synced(), shared, attempt.epoch())
            }
            Link::Detached(detached) => detached.reason(),
        }
    }

    /// Waits for a drain to begin: a stop is requested, and the cancellation follows after the
    /// `drain` setting. Without that setting it resolves with the cancellation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx| {
    ///     cx.draining().await;
    ///     assert!(!cx.is_cancelled()); // still serving, but not ready any more
    ///     cx.cancelled().await;
    /// });
    /// let settings = Settings::new().drain(Duration::from_secs(1));
    /// let runner = Runner::with_settings(service, settings);
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a drain stays.
    pub async fn draining(&self) {
        match &self.link {
            Link::Attempt(attempt) => {
                StageReached::new(attempt, StopStage::Draining, Topic::Drain).await;
            }
            Link::Detached(detached) => detached.draining().await,
        }
    }

    /// Waits for a reload request. Several requests before the service looks are one. Where several tasks of a service wait,
    /// each gets one, and the answer is there when all have answered.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
    ///         reload.done();
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// assert!(runner.reload().await.is_ok());
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped: a request that it had not returned yet is there for the next call.
    pub async fn reloaded(&self) -> Reload {
        match &self.link {
            Link::Attempt(attempt) => reload::Reloaded::new(attempt).await,
            Link::Detached(detached) => detached.reloaded().await,
        }
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
