//! A member as the supervisor sees it.

use crate::engine::Node;
use crate::engine::ended::{self, EndedBy};
use crate::report::error::{StartError, StopError};
use crate::report::failure::Failure;
use crate::report::state::{Exit, State};
use crate::rules::plan::MemberEnd;

/// The readiness that a member has reached in its current cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartSeen {
    No,
    Yes,
    /// In its last attempt; it waits for the next.
    Before,
}

/// A member at one moment. How it ended is told of the last cycle that did.
pub(super) struct MemberSnapshot {
    pub(super) state: State,
    pub(super) cycle: u64,
    /// Its attempt, over all cycles.
    pub(super) attempt: u64,
    /// It says that it is ready.
    pub(super) ready: bool,
    /// It ends by itself, and well so far.
    pub(super) completes: bool,
    exit: Exit,
    ended_by: EndedBy,
    /// It was ready in that cycle.
    pub(super) was_ready: bool,
    pub(super) start: StartSeen,
    pub(super) stuck: Option<StopError>,
    /// The failure of its end.
    pub(super) failure: Option<Failure>,
    /// The error of a start of its own.
    pub(super) start_error: StartError,
}

/// Returns whether a member is at rest or on its way there.
fn is_down_or_stopping(state: State) -> bool {
    matches!(state, State::Stopping | State::Stopped)
}

/// Returns whether a member is at rest or on its way there, and nothing follows.
pub(super) fn goes_down(node: &dyn Node) -> bool {
    let synced = node.shared().synced();
    is_down_or_stopping(synced.state()) && !synced.life.has_next()
}

/// Returns whether a member is on its way down, and a new cycle follows.
pub(super) fn comes_again(node: &dyn Node) -> bool {
    let synced = node.shared().synced();
    synced.state() == State::Stopping && synced.life.has_next()
}

/// Returns whether a member starts or stops in a cycle and an attempt that are known, and has been ready in it only if that is
/// known.
#[inline]
pub(super) fn is_on_its_way(
    node: &dyn Node,
    known_start: StartSeen,
    is_known: impl FnOnce(u64, u64) -> bool,
) -> bool {
    let synced = node.shared().synced();
    matches!(synced.state(), State::Starting | State::Stopping)
        && is_known(synced.cycle, node.shared().attempts())
        && (known_start != StartSeen::No || !ended::has_started(&synced))
        && synced.unresponsive().is_none()
}

/// Returns the error of a stop of a member that does not yield.
#[inline]
pub(super) fn stuck(node: &dyn Node) -> Option<StopError> {
    let synced = node.shared().synced();
    synced.unresponsive().cloned().map(StopError::Unresponsive)
}

/// Returns the cycle that a start of a member asks for.
pub(super) fn next_cycle(node: &dyn Node) -> u64 {
    let synced = node.shared().synced();
    synced.cycle + u64::from(is_down_or_stopping(synced.state()))
}

/// Returns the outcome of a stop of a member at rest, if the group has `told` it to stop; how one ended that was at rest before
/// is none of its removal.
pub(super) fn stop_outcome(node: &dyn Node, told: StopSeen) -> Result<(), StopError> {
    let synced = node.shared().synced();
    match (synced.unresponsive(), told) {
        (Some(stuck), _) => Err(StopError::Unresponsive(stuck.clone())),
        (None, StopSeen::Told) => ended::stop_outcome(&synced),
        (None, StopSeen::AtRest) => Ok(()),
    }
}

/// How a member that is removed came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopSeen {
    Told,
    /// It was at rest before.
    AtRest,
}

impl MemberSnapshot {
    #[inline]
    pub(super) fn at(node: &dyn Node) -> Self {
        let synced = node.shared().synced();
        let stuck = synced.unresponsive().cloned().map(StopError::Unresponsive);
        let is_stuck = stuck.is_some();
        Self {
            state: synced.state(),
            cycle: synced.cycle,
            attempt: node.shared().attempts(),
            ready: node.shared().atomic_state.read().is_ready(),
            completes: ended::completes(&synced),
            exit: synced.exit,
            ended_by: ended::ended_by(&synced),
            was_ready: if is_stuck {
                ended::has_started(&synced)
            } else {
                ended::ended_ready(&synced)
            },
            start: match (synced.was_up(), ended::has_started(&synced)) {
                (true, _) => StartSeen::Before,
                (false, true) => StartSeen::Yes,
                (false, false) => StartSeen::No,
            },
            failure: if is_stuck {
                synced.last_failure()
            } else {
                ended::failed_end(&synced)
            }
            .cloned(),
            start_error: if is_stuck {
                StartError::Unresponsive
            } else if ended::was_told(&synced) {
                StartError::Stopped
            } else {
                ended::start_error(&synced)
            },
            stuck,
        }
    }

    /// Returns whether it has ended, or was given up on.
    pub(super) fn is_resting(&self) -> bool {
        self.state == State::Stopped || self.stuck.is_some()
    }

    /// Returns how it came to rest.
    pub(super) fn rest(&self) -> MemberEnd {
        match self.exit {
            // Nobody waits for its end any more where that was before the look.
            _ if self.stuck.is_some() && self.state == State::Stopped => MemberEnd::Failed,
            _ if self.stuck.is_some() => MemberEnd::Stuck,
            _ if self.ended_by == EndedBy::Own => MemberEnd::Own,
            _ if self.ended_by == EndedBy::Told => MemberEnd::Told,
            Exit::Completed => MemberEnd::Completed,
            // Its handle has stopped what was left of it.
            _ if self.ended_by == EndedBy::Completed => MemberEnd::Told,
            _ => MemberEnd::Failed,
        }
    }
}
