//! The words for where a service is and how it ended.

use std::fmt;

/// The stage of a service in its life.
///
/// ```text
///           start              ready
/// Stopped ─────────▶ Starting ─────────▶ Running
///    ▲                ▲    │                │
///    │     delay over │    └───────┬────────┘
///    │                │            │ the attempt ends
///    │                │  policy    ▼
///    │             Backoff ◀─── Stopping
///    │                             │
///    └─────────────────────────────┘ nothing runs any more
/// ```
///
/// | from | to | when |
/// |---|---|---|
/// | `Stopped` | `Starting` | a start |
/// | `Starting` | `Running` | the service is ready; under [`Readiness::Immediate`] just before `run` is first polled |
/// | `Starting`, `Running` | `Stopping` | the attempt ends, by itself or by a stop, and something of it still runs |
/// | `Starting`, `Running`, `Stopping` | `Stopped` | nothing of the attempt runs any more |
/// | `Starting`, `Running`, `Stopping` | `Backoff` | the same, and a [`RestartPolicy`](crate::RestartPolicy) makes another attempt after a delay |
/// | `Backoff` | `Starting` | the delay is over, or a start comes |
/// | `Backoff` | `Stopping` | a stop; `Stopped` follows |
/// | `Stopping` | `Starting` | nothing runs any more, and a start or restart waits for that |
///
/// After an abort that has no effect the state remains `Stopping` until the part that does not yield has ended.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, State, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// assert_eq!(runner.state(), State::Stopped);
/// runner.start().await.unwrap();
/// assert_eq!(runner.state(), State::Running);
/// assert_eq!(runner.state().to_string(), "running");
/// # runner.stop().await.unwrap();
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
pub enum State {
    /// Nothing of the service runs that the runner knows of: neither `run` nor `shutdown` nor a task of its context.
    #[default]
    Stopped,
    /// A start was requested, and the service is not ready yet.
    Starting,
    /// The service is ready.
    Running,
    /// The service ends: on request, or because `run` has ended and its tasks wind down.
    Stopping,
    /// The last attempt failed; the next begins after a delay.
    Backoff,
}

impl State {
    /// All states, in the order of a life.
    pub(crate) const ALL: [Self; 5] = [
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Backoff,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Backoff => "backoff",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the last cycle of a service ended.
///
/// As the value of `main` it is an exit code: 0 for [`Completed`](Self::Completed) and
/// [`Stopped`](Self::Stopped), 1 for the others.
///
/// # Examples
///
/// ```
/// use startstop_core::{Exit, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(once(async |_cx| println!("done")));
/// runner.start().await.unwrap();
/// assert_eq!(runner.wait().await, Exit::Completed);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Exit {
    /// The service ended by itself, without an error.
    Completed,
    /// The service ended on request, without a failure; also the answer for a runner that never ran.
    Stopped,
    /// A failure ended the service, or came after its stop had begun.
    Failed,
    /// The service was aborted: on request, at a deadline, or because its runtime ended. Also reported when an unresponsive
    /// service ends after a stop has given up on it.
    Aborted,
    /// The service does not yield, and still runs. Only `Runner::run_until_signal` returns it.
    Unresponsive,
}

impl Exit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Unresponsive => "unresponsive",
        }
    }

    /// Returns whether the exit code of this end is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::Exit;
    ///
    /// assert!(Exit::Stopped.is_success());
    /// assert!(!Exit::Aborted.is_success());
    /// ```
    pub fn is_success(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(u8::from(!exit.is_success()))
    }
}

impl std::process::Termination for Exit {
    fn report(self) -> std::process::ExitCode {
        self.into()
    }
}

/// When a service counts as ready, that is, when `start()` returns.
///
/// Under [`Immediate`](Self::Immediate) and [`Completion`](Self::Completion) an attempt whose `run` returns `Ok` counts as ready.
///
/// # Examples
///
/// ```
/// use startstop_core::{Readiness, Settings};
///
/// let settings = Settings::new().readiness(Readiness::Explicit);
/// assert_eq!(settings.get_readiness(), Some(Readiness::Explicit));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Readiness {
    /// As soon as `run` is entered.
    #[default]
    Immediate,
    /// When the service calls [`Context::ready`](crate::Context::ready). An attempt that returns `Ok` before, and was not told
    /// to stop, has failed: [`Cause::NotReady`].
    Explicit,
    /// When `run` has returned `Ok` and the tasks that it has spawned have ended: a job. It has no start timeout.
    Completion,
}

/// A part of an attempt: each has to end before the service is stopped.
///
/// # Examples
///
/// ```
/// # use startstop_core::Phase;
/// assert_eq!(Phase::Shutdown.to_string(), "shutdown");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Phase {
    /// [`Service::run`](crate::Service::run).
    Run,
    /// [`Service::shutdown`](crate::Service::shutdown).
    Shutdown,
    /// A task of [`Context::spawn`](crate::Context::spawn).
    Task,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Run => "run",
            Self::Shutdown => "shutdown",
            Self::Task => "task",
        })
    }
}

/// The kind of a failure.
///
/// # Examples
///
/// ```
/// use startstop_core::{Cause, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(once(async |_cx| Err::<(), _>("no such table")));
/// let _ = runner.start().await;
/// assert_eq!(runner.errors_last().unwrap().cause(), Cause::Error);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Cause {
    /// An error was returned, a start that nobody awaited was refused, or the limit of restarts was reached.
    Error,
    /// It panicked.
    Panic,
    /// It did not get ready, or did not end, in time, and was aborted.
    TimedOut,
    /// It did not yield after its abort, or was silent for longer than its watchdog allows.
    Unresponsive,
    /// Its runtime ended.
    Aborted,
    /// `run` returned `Ok` before the service was ready, and was not told to stop; see [`Readiness::Explicit`].
    NotReady,
    /// It completed, although it is a member of a group whose completion is a failure.
    Completed,
    /// The service reported it and went on.
    Reported,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::TimedOut => "timed out",
            Self::Unresponsive => "unresponsive",
            Self::Aborted => "aborted",
            Self::NotReady => "not ready",
            Self::Completed => "completed",
            Self::Reported => "reported",
        })
    }
}
