//! The errors that are none of a service's own.

use std::time::Duration;

use crate::report::state::Phase;
use crate::report::text::joined;

/// The error of a failure that the service did not return itself: it missed a deadline, does not
/// yield, has ended too early or too often, or lost its runtime.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Interruption, Runner, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |_cx| std::future::pending::<()>().await));
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap_err();
///
/// let failure = runner.errors_last().unwrap();
/// let error = failure.error().downcast_ref::<Interruption>().unwrap();
/// assert!(matches!(error, Interruption::StopTimedOut { after } if after.as_secs() == 5));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// The service was not ready within `start_timeout`.
    #[error("not ready after {after:?}")]
    StartTimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The service did not end within `stop_timeout`.
    #[error("did not end within {after:?} and was aborted")]
    StopTimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The members of a group were not all ready within its `start_timeout`; those that were are stopped again.
    #[error("not ready after {after:?}: {}", joined(members, "; "))]
    MembersNotReady {
        /// How long the group had.
        after: Duration,
        /// Each that was not ready, with its state and what it waited for.
        members: Vec<String>,
    },
    /// The members of a group did not all end within its `stop_timeout`.
    #[error(
        "did not end within {after:?} and was aborted: {}",
        joined(members, "; ")
    )]
    MembersNotStopped {
        /// How long the group had.
        after: Duration,
        /// Each that was late, by its path, with its state.
        members: Vec<String>,
    },
    /// The service did not yield within `abort_timeout` after its abort.
    #[error("does not yield: {part} is still there {after:?} after its abort")]
    Unresponsive {
        /// Which part.
        part: Phase,
        /// How long after the abort.
        after: Duration,
    },
    /// The service was silent for longer than its watchdog allows.
    #[error("no heartbeat for {after:?}")]
    Silent {
        /// The longest silence that is allowed.
        after: Duration,
    },
    /// `run` returned `Ok` before the service was ready, and was not told to stop.
    #[error("it returned before it was ready")]
    NotReady,
    /// A policy that restarts always has reached its limit after an attempt that ended well.
    #[error("it ended too often")]
    RestartLimit,
    /// The runtime that the service ran on has ended.
    #[error("the runtime has ended")]
    RuntimeEnded,
    /// The service completed, although it is a member of a group whose completion is a failure.
    #[error("it is to run until it is told to stop")]
    Completed,
}
