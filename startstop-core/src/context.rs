//! What `run` and `shutdown` are given: the service's side of its runner.
//!
//! A context belongs to one attempt. It knows the attempt by number, so that one which outlives it is
//! inert: it is cancelled, and says nothing to the attempts after it.

mod blocking;
mod detached;
mod wait;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::{Arm, Node, update};
use crate::failure::Fault;
use crate::lifecycle::{Input, Level};
use crate::outcome::Outcome;
use crate::panic::BoxError;
use crate::request;
use crate::state::Phase;
use crate::sync::CancellationToken;
use crate::task;
use crate::waiters::Topic;

use detached::Detached;
pub use wait::{Cancelled, CancelledOwned};
use wait::{Reloaded, Signalled};

/// The service's side of its runner, given to `run` and `shutdown`. Cheap to clone.
///
/// In [`shutdown`](crate::Service::shutdown), [`cancelled`](Self::cancelled),
/// [`is_cancelled`](Self::is_cancelled) and [`token`](Self::token) mean the deadline, for the stop
/// itself is known there.
///
/// A context that outlives its attempt is inert: it is cancelled, [`ready`](Self::ready),
/// [`report`](Self::report) and [`heartbeat`](Self::heartbeat) do nothing, and
/// [`spawn`](Self::spawn) drops its future. It keeps the service alive, so do not store it in the
/// service itself.
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

/// One attempt of one runner, seen from one of its parts.
#[derive(Clone)]
pub(crate) struct Attempt {
    node: Arc<dyn Node>,
    epoch: u64,
}

/// The highest bit of an epoch tells the contexts of `shutdown` from those of `run`.
const SHUTDOWN: u64 = 1 << 63;

impl Attempt {
    pub(crate) fn node(&self) -> &Arc<dyn Node> {
        &self.node
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch & !SHUTDOWN
    }

    fn phase(&self) -> Phase {
        if self.epoch & SHUTDOWN == 0 { Phase::Run } else { Phase::Shutdown }
    }

    /// The level that means cancelled here.
    fn cancel_level(&self) -> Level {
        match self.phase() {
            Phase::Shutdown => Level::Aborted,
            Phase::Run | Phase::Task => Level::Cancelled,
        }
    }

    fn cancel_topic(&self) -> Topic {
        match self.phase() {
            Phase::Shutdown => Topic::Deadline,
            Phase::Run | Phase::Task => Topic::Cancel,
        }
    }

    fn has_reached(&self, level: Level) -> bool {
        self.node.core().level(self.epoch()) >= level
    }

    fn token(&self) -> CancellationToken {
        let token = self.node.core().cell().token(self.epoch(), self.cancel_level());
        match token {
            Some(token) => CancellationToken::clone(&token),
            None => {
                let token = CancellationToken::new();
                token.cancel();
                token
            }
        }
    }
}

impl Context {
    pub(crate) fn of_run(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self { link: Link::Attempt(Attempt { node, epoch }) }
    }

    pub(crate) fn of_shutdown(node: Arc<dyn Node>, epoch: u64) -> Self {
        Self { link: Link::Attempt(Attempt { node, epoch: epoch | SHUTDOWN }) }
    }

    /// The attempt, unless the context is detached.
    pub(crate) fn attempt_link(&self) -> Option<&Attempt> {
        match &self.link {
            Link::Attempt(attempt) => Some(attempt),
            Link::Detached(_) => None,
        }
    }

    /// A context without a runner, for calling `service.run(cx)` in a unit test.
    ///
    /// `token` is its cancellation. [`ready`](Self::ready), [`report`](Self::report) and
    /// [`heartbeat`](Self::heartbeat) do nothing; [`spawn`](Self::spawn) uses the current runtime, and
    /// its tasks end with the last clone of the context.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Service, service_fn};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let service = service_fn(async |cx| cx.cancelled().await);
    /// let token = CancellationToken::new();
    /// token.cancel();
    /// service.run(Context::detached(token)).await.unwrap();
    /// # }
    /// ```
    pub fn detached(token: CancellationToken) -> Self {
        Self { link: Link::Detached(Arc::new(Detached::new(token))) }
    }

    /// Waits until a stop is requested; in `shutdown`, until its deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
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

    /// Like [`cancelled`](Self::cancelled), but `'static`, for
    /// `axum::serve(..).with_graceful_shutdown(..)`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     let told = tokio::spawn(cx.cancelled_owned());
    ///     told.await.unwrap();
    /// }));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a cancellation stays.
    pub fn cancelled_owned(&self) -> CancelledOwned {
        CancelledOwned::new(self.clone())
    }

    /// Whether a stop is requested; in `shutdown`, whether its deadline has passed. Takes no lock.
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
            Link::Attempt(attempt) => attempt.has_reached(attempt.cancel_level()),
            Link::Detached(detached) => detached.token.is_cancelled(),
        }
    }

    /// A token that is cancelled with this context, to hand on. It is built when first asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     let token = cx.token();
    ///     tokio::spawn(async move { token.cancelled().await }).await.unwrap();
    /// }));
    /// runner.start().await.unwrap();
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
    /// cancellation comes first. If both are there at once, the output wins.
    ///
    /// # Examples
    ///
    /// See [`Context`].
    ///
    /// # Cancel safety
    ///
    /// It drops `future` when it is dropped, and when the context is cancelled: it is as cancel safe
    /// as `future` is.
    pub async fn run_until_cancelled<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut cancelled = self.cancelled();
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
                return std::task::Poll::Ready(Some(output));
            }
            std::pin::Pin::new(&mut cancelled).poll(cx).map(|()| None)
        })
        .await
    }

    /// Says that the service can do its job now. Saying it twice is fine; it means nothing where the
    /// readiness is not [`Explicit`](crate::Readiness::Explicit).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Readiness, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = service_fn(async |cx| {
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    ///     cx.ready();
    ///     while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
    ///         drop(client?);
    ///     }
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// let settings = Settings::new().readiness(Readiness::Explicit);
    /// let runner = Runner::with_settings(server, settings);
    /// runner.start().await.unwrap(); // returns once the port is bound
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn ready(&self) {
        let Some(attempt) = self.attempt_link() else { return };
        update(&attempt.node, |core, cell, after| {
            if cell.attempts == attempt.epoch() {
                cell.step(core, Input::Ready, Arm::Now, after);
            }
        });
    }

    /// Records a failure without ending the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Cause, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| cx.report("a message was not understood")));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.errors_last().unwrap().cause(), Cause::Reported);
    /// # }
    /// ```
    pub fn report(&self, error: impl Into<BoxError>) {
        let Some(attempt) = self.attempt_link() else { return };
        let fault = Fault::reported(error.into());
        let phase = attempt.phase();
        // Handed back if the context is inert, since its drop is foreign code.
        let _inert = update(&attempt.node, |core, cell, after| {
            if cell.attempts != attempt.epoch() || !cell.life.is_alive() {
                return Some(fault);
            }
            cell.record(core, phase, fault, after);
            None
        });
    }

    /// Spawns a task that belongs to the attempt: its error or panic is recorded, and the attempt has
    /// not ended before it has. It is not aborted by a stop before the deadline; let it watch
    /// [`cancelled`](Self::cancelled).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Phase, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.spawn(async { Err::<(), _>("disk full") });
    ///     cx.cancelled().await;
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// assert_eq!(runner.errors_last().unwrap().phase(), Phase::Task);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// A detached context panics when called outside of a tokio runtime.
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        match &self.link {
            Link::Attempt(attempt) => task::spawn(&attempt.node, attempt.epoch(), future),
            Link::Detached(detached) => detached.spawn(future),
        }
    }

    /// When the service will be aborted, once a stop is requested; `None` before, and if never.
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
        let cell = attempt.node.core().cell();
        if cell.attempts == attempt.epoch() { cell.deadline() } else { None }
    }

    /// How long until the service will be aborted, once a stop is requested; `None` before, and if
    /// never.
    ///
    /// # Examples
    ///
    /// See [`deadline`](Self::deadline).
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.deadline()?.saturating_duration_since(Instant::now()))
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
                Signalled::new(attempt, Level::Draining, Topic::Drain).await;
            }
            Link::Detached(detached) => detached.token.cancelled().await,
        }
    }

    /// Waits for a reload request. Several requests before the service looks are one.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     while cx.run_until_cancelled(cx.reloaded()).await.is_some() {
    ///         println!("reading the configuration again");
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// runner.reload();
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped: a request that it had not returned yet is there for the
    /// next call.
    pub async fn reloaded(&self) {
        match &self.link {
            Link::Attempt(attempt) => Reloaded::new(attempt).await,
            Link::Detached(_) => std::future::pending().await,
        }
    }

    /// Tells the watchdog that the service is alive. Free where none is set; else one atomic store.
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
    ///     let mut work = tokio::time::interval(Duration::from_secs(1));
    ///     while cx.run_until_cancelled(work.tick()).await.is_some() {
    ///         cx.heartbeat();
    ///     }
    /// });
    /// let settings = Settings::new().watchdog(Duration::from_secs(3));
    /// let runner = Runner::with_settings(service, settings);
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(60)).await;
    /// assert!(runner.is_running());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn heartbeat(&self) {
        if let Some(attempt) = self.attempt_link() {
            attempt.node.core().heartbeat(attempt.epoch());
        }
    }

    /// Asks its own runner for a stop and returns at once. A service that awaited its own `stop()`
    /// inside `run` would wait for itself until the deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.request_stop();
    ///     cx.cancelled().await;
    /// }));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.wait().await, Exit::Stopped);
    /// # }
    /// ```
    pub fn request_stop(&self) {
        match &self.link {
            Link::Attempt(attempt) => request::stop_attempt(&attempt.node, attempt.epoch()),
            Link::Detached(detached) => detached.token.cancel(),
        }
    }

    /// Asks its own runner for a restart and returns at once. A detached context does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     if cx.cycle() == 1 {
    ///         cx.request_restart();
    ///         cx.cancelled().await;
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// while runner.wait().await != Exit::Completed {}
    /// assert_eq!(runner.status().cycles(), 2);
    /// # }
    /// ```
    pub fn request_restart(&self) {
        if let Link::Attempt(attempt) = &self.link {
            request::restart_attempt(&attempt.node, attempt.epoch());
        }
    }

    /// The name of the service.
    ///
    /// # Examples
    ///
    /// See [`Context`].
    pub fn name(&self) -> &str {
        match &self.link {
            Link::Attempt(attempt) => attempt.node.core().name(),
            Link::Detached(_) => "detached",
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
        let cell = attempt.node.core().cell();
        if cell.attempt_of(attempt.epoch()) > 0 { cell.cycle } else { 0 }
    }

    /// Which attempt of the cycle this is, from 1; 0 of a detached context, and of one that outlives
    /// its cycle.
    ///
    /// # Examples
    ///
    /// See [`cycle`](Self::cycle).
    pub fn attempt(&self) -> u64 {
        let Some(attempt) = self.attempt_link() else { return 0 };
        let cell = attempt.node.core().cell();
        cell.attempt_of(attempt.epoch())
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
