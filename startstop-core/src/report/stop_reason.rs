//! Why an attempt is to end.

use std::fmt;

/// Why an attempt is to end: the first reason stays for the attempt.
///
/// An action of a group on a member is always [`Group`](Self::Group), whatever caused the group to
/// act.
///
/// # Examples
///
/// ```
/// use startstop_core::{EventKind, Runner, StopReason, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// let mut events = runner.events();
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap();
/// let reason = loop {
///     if let EventKind::Stopping(reason) = events.next().await.unwrap().kind() {
///         break *reason;
///     }
/// };
/// assert_eq!(reason, StopReason::Requested);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum StopReason {
    /// A stop was asked for by a handle.
    Requested,
    /// A restart, or a start of what runs, was asked for by a handle.
    Restart,
    /// The parent token was cancelled.
    Parent,
    /// The group that the service is a member of stops or restarts it.
    Group,
    /// The service asked for its own stop.
    Own,
    /// `run` returned `Ok` by itself.
    Completed,
    /// `run` failed by itself.
    Failed,
    /// The service was not ready within `start_timeout`.
    StartTimedOut,
    /// The watchdog saw no heartbeat.
    Watchdog,
    /// The runtime of the service ended.
    RuntimeEnded,
    /// The last handle of the service is gone.
    Abandoned,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Requested => "requested",
            Self::Restart => "restart",
            Self::Parent => "parent cancelled",
            Self::Group => "group",
            Self::Own => "own request",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::StartTimedOut => "start timed out",
            Self::Watchdog => "watchdog",
            Self::RuntimeEnded => "runtime ended",
            Self::Abandoned => "abandoned",
        })
    }
}
