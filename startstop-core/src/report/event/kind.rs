//! The kinds of events.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::report::causes::text_of;
use crate::report::error::{ReloadError, Unresponsive};
use crate::report::failure::{Failure, Summary};
use crate::report::state::Exit;
use crate::report::stop_reason::StopReason;
use crate::report::text::Escaped;

/// The kind of an event; see [`Event`](super::Event).
///
/// # Examples
///
/// ```
/// use startstop_core::{EventKind, Exit, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(once(async |_cx| Err::<(), _>("no such table")));
/// let mut events = runner.events();
/// let _ = runner.start().await;
///
/// assert!(matches!(events.next().await.unwrap().kind(), EventKind::Starting));
/// assert!(matches!(events.next().await.unwrap().kind(), EventKind::Failed(_)));
/// let last = events.next().await.unwrap();
/// assert!(matches!(last.kind(), EventKind::Stopped { exit: Exit::Failed, .. }));
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EventKind {
    /// An attempt is about to begin: a start was asked for, or the delay before the next attempt is over.
    Starting,
    /// The service can do its job now, or has done it.
    Ready {
        /// How long that took, from the start of the attempt, or from [`NotReady`](Self::NotReady).
        after: Duration,
    },
    /// For now the service cannot do its job, while it goes on running: why. So also of a group that has started and is not ready
    /// at that moment.
    NotReady(Cow<'static, str>),
    /// A drain has begun: the service goes on for now, and is not ready any more.
    Draining,
    /// The attempt is to end, and why.
    Stopping(StopReason),
    /// The cycle has ended.
    Stopped {
        /// How.
        exit: Exit,
        /// How long the last attempt was running; of a job, how long it took.
        ran: Duration,
    },
    /// A failure was recorded.
    Failed(Failure),
    /// The attempt has ended, and another one follows.
    Backoff {
        /// After how long.
        delay: Duration,
        /// Its number.
        attempt: u64,
    },
    /// The remaining parts of the attempt are aborted: dropped at their next await point.
    Aborting,
    /// An aborted part does not yield; the value names what is stuck.
    Unresponsive(Unresponsive),
    /// A reload was asked for: it is handed to the service, or refused at once, as in a backoff, where nothing runs.
    Reloading,
    /// The reload is over, with the answer of the service.
    Reloaded(Result<(), ReloadError>),
    /// The service has become a member of a group that exists already.
    Inserted,
    /// The service is no longer a member.
    Removed,
    /// The reader was too slow: so many events were dropped, before the next one.
    Missed(u64),
}

impl EventKind {
    /// Returns its name, as programs read it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready { .. } => "ready",
            Self::NotReady(_) => "not_ready",
            Self::Draining => "draining",
            Self::Stopping(_) => "stopping",
            Self::Stopped { .. } => "stopped",
            Self::Failed(_) => "failed",
            Self::Backoff { .. } => "backoff",
            Self::Aborting => "aborting",
            Self::Unresponsive(_) => "unresponsive",
            Self::Reloading => "reloading",
            Self::Reloaded(_) => "reloaded",
            Self::Inserted => "inserted",
            Self::Removed => "removed",
            Self::Missed(_) => "missed",
        }
    }
}

/// One line, whatever is in it.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { after } => write!(f, "ready after {after:?}"),
            Self::NotReady(reason) => write!(f, "not ready: {}", Escaped(reason)),
            Self::Stopping(reason) => write!(f, "stopping: {reason}"),
            Self::Stopped { exit, ran } => write!(f, "stopped: {exit} after {ran:?}"),
            Self::Failed(failure) => {
                let error = text_of(failure.error());
                write!(f, "{}: {}", Summary(failure), Escaped(&error))
            }
            Self::Backoff { delay, attempt } => {
                write!(f, "backoff: attempt {attempt} in {delay:?}")
            }
            Self::Unresponsive(stuck) => write!(f, "unresponsive: {}", Escaped(&stuck.to_string())),
            Self::Reloaded(Ok(())) => f.write_str("reloaded"),
            Self::Reloaded(Err(error)) => {
                write!(f, "not reloaded: {}", Escaped(&error.to_string()))
            }
            Self::Missed(count) => write!(f, "missed {count} events"),
            Self::Starting
            | Self::Draining
            | Self::Aborting
            | Self::Reloading
            | Self::Inserted
            | Self::Removed => f.write_str(self.name()),
        }
    }
}
