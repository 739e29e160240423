//! The view that a unit test has of a service without a runner.

use std::fmt;
use std::sync::Arc;

use super::heard::Heard;
use crate::report::error::ReloadError;
use crate::report::failure::Failure;

/// Shows a unit test what a service reports through a context from
/// [`Context::probed`](crate::Context::probed). It can also drain the service and ask it for a
/// reload.
///
/// Use it to test what a service does by itself; use a [`Runner`](crate::Runner) under
/// `tokio::time::pause` to test deadlines, restarts and readiness. The probe keeps neither the
/// context nor the tasks of the service alive.
///
/// # Examples
///
/// ```
/// use startstop_core::{Context, Service, service_fn};
/// use tokio_util::sync::CancellationToken;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let service = service_fn(async |cx: Context| {
///     cx.checkpoint("connecting");
///     cx.ready();
///     cx.report("a message was not understood");
///     cx.cancelled().await;
/// });
///
/// let token = CancellationToken::new();
/// let (cx, probe) = Context::probed(token.clone());
/// let service = tokio::spawn(async move { service.run(cx).await });
/// # tokio::task::yield_now().await;
/// assert!(probe.is_ready());
/// assert_eq!(probe.checkpoint(), Some("connecting"));
/// assert_eq!(probe.reports()[0].error().to_string(), "a message was not understood");
/// token.cancel();
/// service.await.unwrap().unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Probe {
    heard: Arc<Heard>,
}

impl Probe {
    pub(super) fn new(heard: Arc<Heard>) -> Self {
        Self { heard }
    }

    /// Returns whether the service has said that it can do its job, and has not taken that back.
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
    /// assert!(!probe.is_ready());
    /// service_fn(async |cx: Context| cx.ready()).run(cx).await.unwrap();
    /// assert!(probe.is_ready());
    /// # }
    /// ```
    pub fn is_ready(&self) -> bool {
        self.heard.said().readiness().is_ok()
    }

    /// Returns why the service cannot do its job, if it has said so by [`not_ready`](crate::Context::not_ready).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::Context;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// cx.not_ready("the queue is full");
    /// assert_eq!(probe.not_ready_reason().as_deref(), Some("the queue is full"));
    /// cx.ready();
    /// assert_eq!(probe.not_ready_reason(), None);
    /// ```
    pub fn not_ready_reason(&self) -> Option<String> {
        self.heard
            .said()
            .readiness()
            .err()
            .flatten()
            .map(ToString::to_string)
    }

    /// Returns what the service has reported, oldest first: by [`report`](crate::Context::report), as the errors and
    /// panics of its tasks, and as the answer to a reload.
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
    /// service_fn(async |cx: Context| cx.report("a bad message")).run(cx).await.unwrap();
    /// assert_eq!(probe.reports()[0].error().to_string(), "a bad message");
    /// # }
    /// ```
    pub fn reports(&self) -> Vec<Failure> {
        self.heard.said().failures.clone()
    }

    /// Returns how often the service has called [`heartbeat`](crate::Context::heartbeat).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::Context;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// cx.heartbeat();
    /// cx.heartbeat();
    /// assert_eq!(probe.heartbeats(), 2);
    /// ```
    pub fn heartbeats(&self) -> u64 {
        self.heard.said().beats
    }

    /// Returns the last [checkpoint](crate::Context::checkpoint) that the service has passed.
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
    /// service_fn(async |cx: Context| cx.checkpoint("connecting")).run(cx).await.unwrap();
    /// assert_eq!(probe.checkpoint(), Some("connecting"));
    /// # }
    /// ```
    pub fn checkpoint(&self) -> Option<&'static str> {
        self.heard.said().checkpoint
    }

    /// Returns what the service wants to be shown beside its state, by [`detail`](crate::Context::detail).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::Context;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// cx.detail("3 connections");
    /// assert_eq!(probe.detail().as_deref(), Some("3 connections"));
    /// ```
    pub fn detail(&self) -> Option<String> {
        self.heard.said().detail.as_ref().map(ToString::to_string)
    }

    /// Returns the numbers of the service's own, by [`gauge`](crate::Context::gauge).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::Context;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// cx.gauge("queued", 3.0);
    /// assert_eq!(probe.gauges(), [("queued", 3.0)]);
    /// ```
    pub fn gauges(&self) -> Vec<(&'static str, f64)> {
        self.heard.said().gauges.clone()
    }

    /// Asks the service for a reload, and waits until it has answered what [`reloaded`](crate::Context::reloaded) has given it.
    /// It waits as long as the service does not look for requests.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, ReloadError, Service, service_fn};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let service = service_fn(async |cx: Context| {
    ///     cx.reloaded().await.done();
    ///     cx.reloaded().await.failed("line 3: no such key");
    /// });
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// let service = tokio::spawn(async move { service.run(cx).await });
    /// probe.reload().await.unwrap();
    /// assert!(matches!(probe.reload().await, Err(ReloadError::Failed(_))));
    /// service.await.unwrap().unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ReloadError::Failed`]: the service has said so.
    /// - [`ReloadError::Stopped`]: the last clone of the context is gone.
    ///
    /// # Cancel safety
    ///
    /// The request is made when this is first polled; dropping it takes nothing back.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        self.heard.reload().await
    }

    /// Begins a drain: [`draining`](crate::Context::draining) resolves. A drain that is over is the cancellation of the token.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::Context;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (cx, probe) = Context::probed(CancellationToken::new());
    /// probe.drain();
    /// cx.draining().await;
    /// assert!(!cx.is_cancelled());
    /// # }
    /// ```
    pub fn drain(&self) {
        self.heard.drain.cancel();
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("ready", &self.is_ready())
            .finish_non_exhaustive()
    }
}
