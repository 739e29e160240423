//! The inputs of an election, and its answers.

use std::time::Duration;

use crate::record::{Record, Version};

/// An event that the election is told.
#[derive(Debug, Clone)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// A call was answered.
    Answered {
        /// Which one.
        call: CallId,
        /// With what.
        result: Result<Record, CallError>,
    },
    /// The store says that the record has changed, and perhaps to what.
    Changed(Option<Record>),
    /// The led service, all of it, has ended: by itself or because it was told to.
    Ended,
    /// The led service was aborted and does not end: it is not waited for any longer than the term lasts.
    Unresponsive,
    /// The replica is to leave: its service stops, the lease is released, nothing follows.
    Stop,
    /// The replica is to give up its lease in order, and to follow.
    Resign,
}

/// An action that the election asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Call the store; a call before this one is given up.
    Call {
        /// The id that the answer bears.
        id: CallId,
        /// Which call.
        call: Call,
        /// How long it may take.
        limit: Duration,
    },
    /// Start the service, and see to it that it, or the process, has ended at `valid_until`.
    Lead {
        /// The fence of the term.
        fence: u64,
        /// When the term is over, unless it is extended.
        valid_until: Duration,
    },
    /// The term is valid for longer.
    Extend {
        /// When it is over now.
        valid_until: Duration,
    },
    /// Tell the service to stop.
    StopService {
        /// Why.
        cause: StopCause,
        /// When the term is over.
        valid_until: Duration,
    },
    /// The term is over and its service has not ended: the process has to go.
    Overrun,
}

/// A call of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Read the record.
    Read,
    /// Take it, if it is of this version.
    Take {
        /// As it was seen.
        expected: Version,
    },
    /// Renew it.
    Renew {
        /// As it is held.
        held: Record,
    },
    /// Release it.
    Release {
        /// As it was held.
        held: Record,
    },
}

/// Which call an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(pub(super) u64);

/// How a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallError {
    /// The record was not of the version that was expected, and was left as it was.
    Conflict,
    /// The call may have taken effect or not.
    Unknown,
}

/// Why a led service is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// The replica leaves.
    Stop,
    /// The replica was asked to give up its lease.
    Resign,
    /// The lease could not be renewed in time.
    OutOfTouch,
    /// The record is gone or somebody else's: deleted or taken by hand, or by a rule that is not ours.
    Taken,
    /// The term was over before anybody could say so: the process was frozen.
    Expired,
    /// The service is [unresponsive](Event::Unresponsive), though nobody has told it to stop: its watchdog has aborted it, say.
    Unresponsive,
}

impl StopCause {
    /// Tells whether the lease was lost, and not given up.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::OutOfTouch | Self::Taken | Self::Expired)
    }
}
