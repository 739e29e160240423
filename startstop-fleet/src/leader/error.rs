//! The errors of a leader.

use startstop_core::{AttachError, Failure};
use thiserror::Error;

use crate::election::StopCause;
use crate::store::StoreError;
use crate::timing::TimingError;

/// Why a [`Leader`](crate::Leader) ended, or what it reported.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, Settings, once};
/// use startstop_fleet::{Leader, LeaderError, Memory};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let slow = Settings::new().stop_timeout(Duration::from_secs(60));
/// let leader = Leader::new("invoices", Memory::new(), |_| once(async |_cx| {})).settings(slow);
/// let runner = Runner::new(leader);
/// let error = runner.start().await.unwrap_err();
/// assert!(format!("{error:?}").contains("a service that takes 62s to stop may outlive its lease"));
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LeaderError {
    /// The service could outlive its lease.
    #[error("the timing does not fit what is led")]
    Timing(#[from] TimingError),
    /// The store refuses the lease: a right or a table is missing, or the name is none.
    #[error("the store refuses the lease")]
    Refused(#[source] StoreError),
    /// The store cannot be reached. Reported once, until it can.
    #[error("the store of the lease fails")]
    Store(#[source] StoreError),
    /// The led service has failed.
    #[error(transparent)]
    Led(Failure),
    /// The led service was dropped, with its runtime or by somebody who has its handle.
    #[error("the led service was aborted")]
    Aborted,
    /// The service cannot be a part of the leader: its runner is a part of something else, or the leader was aborted meanwhile.
    #[error("the led service cannot be attached")]
    Attach(#[source] AttachError),
    /// The thread that ends a process in time cannot be had, so nothing was led.
    #[error("the guard of the term cannot be started")]
    Guard(#[source] std::io::Error),
    /// The lease was lost. Reported.
    #[error(transparent)]
    Lost(#[from] LeaseLost),
    /// The term was over before its service had ended. Reported with [`OnOverrun::Report`](crate::OnOverrun::Report).
    #[error("the service has not ended before its lease was over (fence {fence})")]
    #[non_exhaustive]
    Overrun {
        /// The fence of the term.
        fence: u64,
    },
}

/// A lease was lost, and not given up.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{LeaseLost, StopCause};
///
/// let words = |lost: &LeaseLost| match lost.cause {
///     StopCause::OutOfTouch => "the store was away",
///     StopCause::Taken => "somebody took or deleted the record",
///     _ => "the process was frozen",
/// };
/// # let _ = words;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the lease was lost (fence {fence}): {}", words(*cause))]
#[non_exhaustive]
pub struct LeaseLost {
    /// The fence of the term.
    pub fence: u64,
    /// How it was lost.
    pub cause: StopCause,
}

impl LeaseLost {
    pub(super) fn new(fence: u64, cause: StopCause) -> Self {
        Self { fence, cause }
    }
}

fn words(cause: StopCause) -> &'static str {
    match cause {
        StopCause::OutOfTouch => "it could not be renewed in time",
        StopCause::Taken => "its record was deleted, or is somebody else's",
        StopCause::Expired => "it was over before it could be renewed",
        StopCause::Stop | StopCause::Resign | StopCause::Unresponsive => "it was given up",
    }
}
