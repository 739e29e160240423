//! The questions that a host asks: is it alive, has it started, is it ready.

mod check;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{BoxError, Runner, Service, State, Status};

use crate::source::Source;
use crate::verdict::{self, Verdict};

use check::Check;

/// Whether a service is alive, has started and is ready.
///
/// Each answer is read from one [`Status`] snapshot when somebody asks, so it is never older than the question. The
/// parts are the leaves of the tree, by their paths, and the [checks](Self::check), by their names. It does not keep
/// the service running.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Runner, service_fn};
/// use startstop_host::Probes;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let db = service_fn(async |cx| cx.cancelled().await);
/// let runner = Runner::new(Group::builder("shop").with("db", db).build().unwrap());
/// let probes = Probes::of(&runner);
///
/// assert!(probes.live().ok());
/// assert!(!probes.ready().await.ok());
/// runner.start().await.unwrap();
/// assert!(probes.ready().await.ok());
/// # runner.stop().await.unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Probes {
    source: Arc<dyn Source>,
    checks: Vec<Arc<Check>>,
}

impl Probes {
    /// Makes the probes of a service.
    ///
    /// # Examples
    ///
    /// See [`Probes`].
    pub fn of<S: Service>(runner: &Runner<S>) -> Self {
        Self { source: Arc::new(runner.downgrade()), checks: Vec::new() }
    }

    /// Adds a check: the service is ready only while `check` yields `Ok` within `limit`.
    ///
    /// All checks of one question run side by side, so those that hang cost the longest limit once. A check that is
    /// late is dropped; one that blocks its thread is not called again before it has ended. A panic is an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    /// use startstop_host::Probes;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// let probes = Probes::of(&runner)
    ///     .check("disk", Duration::from_secs(1), async || Err::<(), _>("the disk is full"));
    ///
    /// let verdict = probes.ready().await;
    /// assert_eq!(verdict.parts(), [("disk".to_owned(), "the disk is full".to_owned())]);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn check<F, Fut, E>(mut self, name: impl Into<String>, limit: Duration, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.checks.push(Arc::new(Check::new(name.into(), limit, check)));
        self
    }

    /// Returns whether the process is alive: no only for what a restart of the process mends, that is a part that is
    /// unresponsive. A failed dependency, a backoff and a stop in order are no reasons.
    ///
    /// # Examples
    ///
    /// See [`Probes`].
    pub fn live(&self) -> Verdict {
        let Some(status) = self.source.status() else { return Verdict::new(Vec::new()) };
        let is_fine = |status: &Status| !verdict::holds_unresponsive(status);
        let reason = |_: &Status| "unresponsive".to_owned();
        Verdict::new(verdict::leaves(&status, is_fine, reason))
    }

    /// Returns whether the service is ready now, with all its checks.
    ///
    /// # Examples
    ///
    /// See [`Probes`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers, if there are checks.
    ///
    /// # Cancel safety
    ///
    /// A check in progress goes on to its end or limit.
    pub async fn ready(&self) -> Verdict {
        let running: Vec<_> = self.checks.iter().map(Check::begin).collect();
        let mut failed = Vec::new();
        for (check, outcome) in self.checks.iter().zip(running) {
            if let Err(reason) = outcome.await {
                failed.push((check.name().to_owned(), reason));
            }
        }
        // After the checks, which may take a while.
        let mut parts = self.not_ready();
        parts.extend(failed);
        Verdict::new(parts)
    }

    fn not_ready(&self) -> Vec<(String, String)> {
        match self.source.status() {
            Some(status) => verdict::leaves(&status, Status::is_ready, verdict::why_not_ready),
            None => vec![("service".to_owned(), "gone".to_owned())],
        }
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state: Option<State> = self.source.status().map(|status| status.state());
        let checks: Vec<_> = self.checks.iter().map(|check| check.name()).collect();
        f.debug_struct("Probes").field("state", &state).field("checks", &checks).finish()
    }
}
