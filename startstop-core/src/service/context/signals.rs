//! What a service is told: to end, until when, to drain.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::futures::{Cancelled, CancelledOwned, Signalled};
use super::{Context, Link};
use crate::engine::listeners;
use crate::engine::waiters::Topic;
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::StopStage;
use crate::sync::CancellationToken;

pin_project! {
    /// The future of [`Context::run_until_cancelled`]. Not an `async fn`, which would store its argument twice.
    struct RunUntilCancelled<'a, F> {
        cx: &'a Context,
        #[pin]
        future: Option<F>,
        // Since the first poll that had to wait.
        cancelled: Option<Cancelled<'a>>,
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let ended = match this.future.as_mut().as_pin_mut() {
            Some(_) if this.cancelled.is_none() && this.cx.is_cancelled() => None,
            Some(future) => match future.poll(task) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => {
                    let cancelled = this.cancelled.get_or_insert_with(|| this.cx.cancelled());
                    ready!(Pin::new(cancelled).poll(task));
                    None
                }
            },
            None => None,
        };
        this.future.set(None);
        *this.cancelled = None;
        Poll::Ready(ended)
    }
}

impl Context {
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
        CancelledOwned::new(self.without_tasks())
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
    /// cancellation comes first. In a context that is cancelled already it is `None`, and `future` is not
    /// polled; if both come at once later, the output wins.
    ///
    /// # Examples
    ///
    /// See [`Context`].
    ///
    /// # Cancel safety
    ///
    /// It drops `future` when it is dropped, and when the context is cancelled: it is as cancel safe
    /// as `future` is.
    pub fn run_until_cancelled<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + use<'_, F> {
        RunUntilCancelled { cx: self, future: Some(future), cancelled: None }
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
        let synced = attempt.node().shared().synced();
        if synced.attempts == attempt.epoch() { synced.deadline() } else { None }
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

    /// Why the attempt is to end, once it is. The first reason stays for the attempt. Whatever its group does to a member is
    /// [`StopReason::Group`].
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
                listeners::why(&attempt.node().shared().synced(), attempt.epoch())
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
                Signalled::new(attempt, StopStage::Draining, Topic::Drain).await;
            }
            Link::Detached(detached) => detached.draining().await,
        }
    }
}
