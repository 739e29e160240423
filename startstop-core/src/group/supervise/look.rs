//! A member as the supervisor sees it.

use crate::core::Node;
use crate::error::{StartError, StopError};
use crate::failure::Failure;
use crate::group::board::Rest;
use crate::state::{Exit, State};

/// A member at one moment. How it ended is told of the last cycle that did.
#[allow(clippy::struct_excessive_bools)] // Marks that hold beside each other in any mixture.
pub(super) struct Look {
    pub(super) state: State,
    pub(super) cycle: u64,
    pub(super) exit: Exit,
    /// Another cycle follows this one.
    has_next: bool,
    /// The cycle ended because it was told to.
    pub(super) told: bool,
    /// The service itself had ended well, whatever became of its tasks.
    well: bool,
    /// It was ready in that cycle.
    pub(super) was_ready: bool,
    /// It is or was ready in this one.
    pub(super) has_started: bool,
    pub(super) stuck: Option<StopError>,
    /// What went wrong in its end.
    pub(super) failure: Option<Failure>,
    /// What a stop of its own has said.
    pub(super) stop: Result<(), StopError>,
    /// What a start of its own would have said.
    pub(super) start_error: StartError,
}

impl Look {
    pub(super) fn at(node: &dyn Node) -> Self {
        let cell = node.core().cell();
        let stuck = cell.verdict().cloned().map(StopError::Unresponsive);
        let is_stuck = stuck.is_some();
        Self {
            state: cell.state(),
            cycle: cell.cycle,
            exit: cell.exit,
            has_next: cell.life.has_next(),
            told: cell.was_told(),
            well: cell.ended_well(),
            was_ready: if is_stuck { cell.has_started() } else { cell.ended_ready() },
            has_started: cell.has_started(),
            failure: if is_stuck { cell.last_failure() } else { cell.failed_end() }.cloned(),
            stop: stuck.clone().map_or_else(|| cell.stop_outcome(), Err),
            start_error: match () {
                () if is_stuck => StartError::Unresponsive,
                () if cell.was_told() => StartError::Stopped,
                () => cell.start_error(),
            },
            stuck,
        }
    }

    /// Whether it has ended, or was given up on.
    pub(super) fn is_resting(&self) -> bool {
        self.state == State::Stopped || self.stuck.is_some()
    }

    /// Whether it is at rest or on its way there, and nothing follows.
    pub(super) fn goes_down(&self) -> bool {
        matches!(self.state, State::Stopping | State::Stopped) && !self.has_next
    }

    /// The cycle that a start asks for.
    pub(super) fn next_cycle(&self) -> u64 {
        let new = matches!(self.state, State::Stopped | State::Stopping);
        self.cycle + u64::from(new)
    }

    /// How it came to rest.
    pub(super) fn rest(&self) -> Rest {
        match self.exit {
            _ if self.stuck.is_some() => Rest::Stuck,
            _ if self.told => Rest::Told,
            Exit::Completed => Rest::Completed,
            Exit::Stopped => Rest::Told,
            // It had ended well, and its handle has stopped what was left of it.
            Exit::Aborted if self.failure.is_none() => Rest::Told,
            _ if self.well => Rest::Told,
            _ => Rest::Failed,
        }
    }
}
