//! How the last cycle ended: the same for those who waited for it, and for the owners that look at it later.

use super::Synced;
use crate::report::error::{StartError, StopError};
use crate::report::failure::Failure;
use crate::report::state::State;
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::End;

/// The cause of the end of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum EndedBy {
    /// It failed, or its runtime ended.
    #[default]
    Other,
    /// It was told to.
    Told,
    /// It had asked for its own stop, before anybody else did.
    Own,
    /// It was not ready in time.
    Late,
    /// `run` had returned `Ok` by itself, whatever became of the rest.
    Completed,
}

impl EndedBy {
    /// Returns whether it was told to end, by others or by itself.
    fn is_told(self) -> bool {
        matches!(self, Self::Told | Self::Own)
    }
}

/// How a cycle ended, as far as its exit does not say so. The next one does not change it.
#[derive(Default)]
pub(super) struct CycleEnd {
    by: EndedBy,
    /// It was aborted at the deadline of its stop.
    overdue: bool,
    /// An attempt of it was ready.
    ready: bool,
    /// The failure with which it ended.
    pub(super) failure: Option<Failure>,
}

/// Returns how the cycle that is over ends; not noted where nothing rare has come.
pub(super) fn ends(synced: &Synced) -> Option<CycleEnd> {
    let cold = synced.cold.get()?;
    let by = match synced.life.end() {
        _ if synced.life.is_lost() => EndedBy::Other,
        End::Asked if synced.why == Some(StopReason::Own) => EndedBy::Own,
        End::Asked => EndedBy::Told,
        End::Late => EndedBy::Late,
        End::Completed => EndedBy::Completed,
        End::None | End::Failed | End::Silent => EndedBy::Other,
    };
    let rare = cold.rare.get();
    let ended_by = rare
        .and_then(|rare| rare.ended_by.as_ref())
        .filter(|_| !by.is_told());
    Some(CycleEnd {
        by,
        overdue: synced.life.is_overdue(),
        ready: has_started(synced),
        failure: ended_by.or_else(|| rare?.after_stop.as_ref()).cloned(),
    })
}

/// Returns whether the last cycle ended because it was told to.
pub(crate) fn was_told(synced: &Synced) -> bool {
    ended_by(synced).is_told()
}

/// Returns what ended the last cycle.
pub(crate) fn ended_by(synced: &Synced) -> EndedBy {
    synced
        .cold
        .get()
        .map(|cold| cold.ended.by)
        .unwrap_or_default()
}

/// Returns whether the service has ended well by itself, and what it has left behind winds down.
pub(crate) fn completes(synced: &Synced) -> bool {
    synced.state() == State::Stopping
        && synced.life.end() == End::Completed
        && !synced.life.is_lost()
}

/// Returns whether an attempt of the current or most recent cycle has counted as ready.
pub(crate) fn has_started(synced: &Synced) -> bool {
    synced.life.was_ready() || synced.cold.get().is_some_and(|cold| cold.started)
}

/// Returns whether an attempt of the last cycle was ready.
pub(crate) fn ended_ready(synced: &Synced) -> bool {
    synced.cold.get().is_some_and(|cold| cold.ended.ready)
}

/// Returns why the cycle ended before the service was ready.
pub(crate) fn start_error(synced: &Synced) -> StartError {
    let Some(cold) = synced.cold.get() else {
        return StartError::Stopped;
    };
    let ended = &cold.ended;
    let rare = cold.rare.get();
    match rare
        .and_then(|rare| rare.ended_by.as_ref())
        .or(ended.failure.as_ref())
        .or_else(|| rare?.last.as_ref())
    {
        _ if ended.by == EndedBy::Late => StartError::TimedOut,
        Some(failure) => StartError::Failed(failure.clone()),
        None => StartError::Stopped,
    }
}

/// Returns what the stop of the cycle came to.
pub(crate) fn stop_outcome(synced: &Synced) -> Result<(), StopError> {
    let Some(cold) = synced.cold.get() else {
        return Ok(());
    };
    let rare = cold.rare.get();
    match rare.and_then(|rare| rare.after_stop.as_ref()) {
        _ if cold.ended.overdue => Err(StopError::TimedOut),
        Some(failure) => Err(StopError::Failed(failure.clone())),
        None => Ok(()),
    }
}

/// Returns what ended the last cycle, unless it was told to end or ended well; or else what failed in its stop. A reported
/// failure is neither, nor are those that followed one of the two.
pub(crate) fn failed_end(synced: &Synced) -> Option<&Failure> {
    synced.cold.get()?.ended.failure.as_ref()
}
