//! How long a service was up and down, and how often a failure took it down.

use super::{Shared, Synced, ended};
use crate::report::state::{Readiness, State};
use crate::report::status::Outages;
use crate::rules::lifecycle::End;
use crate::sync::clock;

/// The outages of a service that had some.
#[derive(Default)]
pub(super) struct OutageLog {
    outages: Outages,
    /// When the one began that is not over.
    since: Option<u64>,
}

/// Counts the time in the state that is left, and what comes of the new one.
#[inline]
pub(super) fn count_time(
    synced: &mut Synced,
    shared: &Shared,
    old_since: u64,
    new: State,
    now: u64,
) {
    if synced.is_down {
        synced.was_down = synced
            .was_down
            .saturating_add(now.saturating_sub(old_since));
    }
    synced.is_down = counts_as_down(synced, shared, new);
    let fails = synced.is_down && has_failed_in(synced, new);
    if fails {
        synced.make_rare().outages.make();
    }
    let log = synced.rare_mut().and_then(|rare| rare.outages.get_mut());
    let Some(OutageLog { outages, since }) = log else {
        return;
    };
    match (new, *since) {
        (_, None) if fails => {
            *since = Some(now);
            outages.begun += 1;
        }
        (State::Running, Some(began)) => {
            outages.over += 1;
            outages.lasted = outages.lasted.saturating_add(now.saturating_sub(began));
            *since = None;
        }
        (State::Stopped, _) if !fails => *since = None,
        _ => {}
    }
}

/// Returns whether a failure brings the service into this state.
fn has_failed_in(synced: &Synced, state: State) -> bool {
    match state {
        State::Stopping => synced.life.is_lost() || !matches!(synced.life.end(), End::Completed),
        State::Backoff => synced.rare().is_some_and(|rare| rare.ended_by.is_some()),
        State::Stopped => true,
        State::Starting | State::Running => false,
    }
}

/// Returns whether the service is down in this state other than on request, or because it has completed. What a job takes
/// counts for nothing.
fn counts_as_down(synced: &Synced, shared: &Shared, state: State) -> bool {
    match state {
        State::Running => false,
        State::Starting => shared.rules().readiness != Readiness::Completion,
        State::Backoff => true,
        State::Stopping => !synced.life.is_asked() && synced.life.end() != End::Completed,
        State::Stopped => {
            !synced.exit.is_success() && synced.cold.get().is_some() && !ended::was_told(synced)
        }
    }
}

/// Returns the time down over all cycles, in nanoseconds.
pub(crate) fn downtime(synced: &Synced, since: u64, now: u64) -> u64 {
    let current = if synced.is_down {
        now.saturating_sub(since)
    } else {
        0
    };
    synced.was_down.saturating_add(current)
}

/// Returns how often a failure took the service down, and for how long.
pub(crate) fn outages(synced: &Synced) -> Outages {
    let rare = synced.rare();
    let log = rare.and_then(|rare| rare.outages.get());
    log.map(|log| log.outages).unwrap_or_default()
}

/// Returns when the last heartbeat came, if a watchdog waits for them.
pub(crate) fn heartbeat_at(synced: &Synced, shared: &Shared) -> Option<u64> {
    let (_, beat) = shared.settings.watch()?;
    let beat = beat.load(std::sync::atomic::Ordering::Acquire);
    (synced.life.is_run_alive() && beat > 0).then_some(beat)
}

/// Returns when the attempt that ends will be aborted, if ever.
pub(crate) fn stops_at(synced: &Synced) -> Option<u64> {
    let ends = synced.state() == State::Stopping && !synced.life.is_unresponsive();
    (ends && synced.stop_at != clock::NEVER).then_some(synced.stop_at)
}
