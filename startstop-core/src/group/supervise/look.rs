//! A member as the supervisor sees it.

use crate::core::Node;
use crate::error::{StartError, StopError};
use crate::failure::{Failure, Interruption};
use crate::group::board::Rest;
use crate::state::{Exit, State};

/// A member at one moment.
pub(super) struct Look {
    pub(super) state: State,
    pub(super) cycle: u64,
    pub(super) exit: Exit,
    /// The cycle ended because it was told to.
    pub(super) told: bool,
    pub(super) stuck: Option<StopError>,
    /// The last one of the cycle.
    pub(super) failure: Option<Failure>,
}

impl Look {
    pub(super) fn at(node: &dyn Node) -> Self {
        let cell = node.core().cell();
        Self {
            state: cell.state(),
            cycle: cell.cycle,
            exit: cell.exit,
            told: cell.was_told(),
            stuck: cell.verdict().cloned().map(StopError::Unresponsive),
            failure: cell.last_failure().cloned(),
        }
    }

    /// Whether it has ended, or was given up on.
    pub(super) fn is_resting(&self) -> bool {
        self.state == State::Stopped || self.stuck.is_some()
    }

    /// How it came to rest.
    pub(super) fn rest(&self) -> Rest {
        match self.exit {
            _ if self.stuck.is_some() => Rest::Stuck,
            _ if self.told => Rest::Told,
            Exit::Completed => Rest::Completed,
            Exit::Stopped => Rest::Told,
            _ => Rest::Failed,
        }
    }

    /// What went wrong in the stop.
    pub(super) fn failed_stop(&self) -> Option<&Failure> {
        let bad = matches!(self.exit, Exit::Failed | Exit::Aborted);
        self.failure.as_ref().filter(|_| bad)
    }

    /// Why it did not start: what a start of its own would have said.
    pub(super) fn start_error(&self) -> StartError {
        match &self.failure {
            _ if self.stuck.is_some() => StartError::Unresponsive,
            _ if self.told => StartError::Stopped,
            Some(failure) if is_late(failure) => StartError::TimedOut,
            Some(failure) => StartError::Failed(failure.clone()),
            None => StartError::Stopped,
        }
    }
}

fn is_late(failure: &Failure) -> bool {
    let error = failure.error().downcast_ref();
    matches!(error, Some(Interruption::StartTimedOut { .. }))
}
