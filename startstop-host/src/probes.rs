//! The questions that a host asks: is it alive, has it started, is it ready.

mod check;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Exit, Outcome, Runner, Service, State, Status};
use tokio::runtime::Handle;

use crate::parts::{LIVE, Part, READY};
use crate::pulse::Pulse;
use crate::source::Source;
use crate::verdict::Verdict;

use check::Check;

/// The answers of a service to three questions: is it alive, has it started, is it ready?
///
/// Each answer is read from one [`Status`](startstop_core::Status) snapshot when somebody asks, so it is never older than the question. The
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
    /// That of the runtime which the service runs on, where it is known.
    pulse: Option<Arc<Pulse>>,
    /// The runtime that checks are called on, if not that of the caller.
    runtime: Option<Handle>,
}

impl Probes {
    /// Makes the probes of a service.
    ///
    /// # Examples
    ///
    /// See [`Probes`].
    pub fn of<S: Service>(runner: &Runner<S>) -> Self {
        Self {
            source: Arc::new(runner.downgrade()),
            checks: Vec::new(),
            pulse: None,
            runtime: None,
        }
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
    pub fn check<F, Fut>(mut self, name: impl Into<String>, limit: Duration, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.checks
            .push(Arc::new(Check::new(name.into(), limit, check)));
        self
    }

    /// The probes of a service whose runtime has a pulse: checks are called on that runtime.
    pub(crate) fn on_runtime(mut self, pulse: Arc<Pulse>, runtime: Handle) -> Self {
        self.pulse = Some(pulse);
        self.runtime = Some(runtime);
        self
    }

    /// Returns the runtime of the service, where it is known.
    #[cfg(feature = "admin")]
    pub(crate) fn runtime(&self) -> Option<&Handle> {
        self.runtime.as_ref()
    }

    #[cfg(any(
        feature = "admin",
        feature = "grpc-health",
        feature = "handover",
        feature = "notify"
    ))]
    pub(crate) fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    #[cfg(feature = "grpc-health")]
    pub(crate) fn has_checks(&self) -> bool {
        !self.checks.is_empty()
    }

    /// Returns whether the process is alive: no only for what a restart of the process mends, that is a part that is
    /// unresponsive, and under a [`Host`](crate::Host) the part `runtime`, when the runtime of the service has run no task
    /// for 5 s. A failed dependency, a backoff and a stop in order are no reasons.
    ///
    /// # Examples
    ///
    /// See [`Probes`].
    pub fn live(&self) -> Verdict {
        Verdict::of(self.live_parts())
    }

    /// Returns whether the service has been ready once in this cycle. It stays so in a backoff and in a drain.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    /// use startstop_host::Probes;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let probes = Probes::of(&runner);
    /// assert_eq!(probes.startup().http_status(), 503);
    /// runner.start().await.unwrap();
    /// assert_eq!(probes.startup().http_status(), 200);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn startup(&self) -> Verdict {
        Verdict::of(self.startup_parts())
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
        Verdict::of(self.ready_parts().await)
    }

    pub(crate) fn live_parts(&self) -> Vec<Part> {
        let status = self.source.status();
        let mut parts = status.map(|status| LIVE.ask(&status)).unwrap_or_default();
        let pulse = self.pulse.as_ref();
        parts.extend(pulse.map(|pulse| Part::new("runtime", pulse.problem())));
        parts
    }

    pub(crate) fn startup_parts(&self) -> Vec<Part> {
        let Some(status) = self.source.status() else {
            return vec![gone()];
        };
        let mut parts = READY.ask(&status);
        if has_started(&status) {
            parts = parts
                .into_iter()
                .map(|part| Part::new(part.name, None))
                .collect();
        }
        parts
    }

    pub(crate) async fn ready_parts(&self) -> Vec<Part> {
        let checked = self.checked(|_| true).await;
        // Read the status after the checks, which may take a while.
        let mut parts = match self.source.status() {
            Some(status) => READY.ask(&status),
            None => vec![gone()],
        };
        parts.extend(checked);
        parts
    }

    /// Calls the checks whose names are meant, side by side.
    pub(crate) async fn checked(&self, is_meant: impl Fn(&str) -> bool) -> Vec<Part> {
        let runtime = self.runtime.as_ref();
        let meant = self.checks.iter().filter(|check| is_meant(check.name()));
        let running: Vec<_> = meant
            .map(|check| (check.name(), check.begin(runtime)))
            .collect();
        let mut checked = Vec::new();
        for (name, outcome) in running {
            checked.push(Part::new(name, outcome.await.err()));
        }
        checked
    }
}

/// Returns whether the service has been ready once in its cycle, which is not over, or was that of a job which is done.
fn has_started(status: &Status) -> bool {
    let is_over = status.state() == State::Stopped && status.last_exit() != Exit::Completed;
    status.has_started() && !is_over
}

fn gone() -> Part {
    Part::new("service", Some("gone".to_owned()))
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state: Option<State> = self.source.status().map(|status| status.state());
        let checks: Vec<_> = self.checks.iter().map(|check| check.name()).collect();
        f.debug_struct("Probes")
            .field("state", &state)
            .field("checks", &checks)
            .finish_non_exhaustive()
    }
}
