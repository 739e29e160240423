//! The tokens of an attempt, and how its tasks and its `shutdown` are aborted and end.

use std::sync::Arc;
use std::task::Waker;

use super::{Deferred, Ending, Shared, Synced, record, reporting, tasks};
use crate::report::failure::RawFailure;
use crate::report::state::Phase;
use crate::rules::lifecycle::StopStage;
use crate::sync::{AbortHandle, CancellationToken};

/// How a task or a `shutdown` has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartEnd {
    /// By itself.
    Finished,
    /// Its future was dropped.
    Dropped,
}

/// Returns the token that is cancelled when attempt `epoch` reaches `stage`, made when first asked for;
/// `None` if it has reached that already.
///
/// In an `Arc`, since cloning a token takes its lock: a token calls wakers with its lock held,
/// and ours take the lock of the engine.
pub(crate) fn token(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    stage: StopStage,
) -> Option<Arc<CancellationToken>> {
    if has_reached(synced, shared, epoch, stage) {
        return None;
    }
    let rare = synced.make_rare();
    let slot = match stage {
        StopStage::Aborted => &mut rare.deadline_token,
        _ => &mut rare.token,
    };
    Some(Arc::clone(slot.get_or_insert_default()))
}

/// Returns the number of attempt `epoch` within the current cycle; 0 if it was in an earlier one.
pub(crate) fn attempt_of(synced: &Synced, shared: &Shared, epoch: u64) -> u64 {
    (epoch + synced.attempt()).saturating_sub(shared.attempts())
}

/// Returns whether attempt `epoch` is at least at `stage`.
pub(crate) fn has_reached(synced: &Synced, shared: &Shared, epoch: u64, stage: StopStage) -> bool {
    !reporting::is_alive(synced, shared, epoch) || synced.life.stage() >= stage
}

/// Keeps something to be done at the end of attempt `epoch`, under a number; hands it back if that has ended.
pub(crate) fn at_end(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    ending: Ending,
) -> Result<u64, Ending> {
    if !shared.is_current(epoch) || !synced.life.is_alive() {
        return Err(ending);
    }
    Ok(synced.make_rare().endings.make().add(ending))
}

/// Returns whether `waker` is that of the driver, which is woken whenever the stop stage changes.
pub(crate) fn wakes_driver(synced: &Synced, waker: &Waker) -> bool {
    synced
        .driver
        .waker
        .as_ref()
        .is_some_and(|driver| driver.will_wake(waker))
}

/// Notes how `shutdown` is aborted, which was spawned for attempt `epoch`; a task that came too late
/// is aborted at once.
pub(crate) fn shutdown_spawned(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    handle: AbortHandle,
) -> Option<AbortHandle> {
    let live = shared.is_current(epoch) && synced.life.is_shutdown_call_live();
    if !live || synced.life.stage() >= StopStage::Aborted {
        return Some(handle);
    }
    synced.make_rare().shutdown_call.replace(handle)
}

pub(crate) fn shutdown_gone(synced: &mut Synced) -> Option<AbortHandle> {
    synced.rare_mut()?.shutdown_call.take()
}

/// The end of a task or of `shutdown`, and what has failed in it and in its drop.
pub(crate) fn ended(
    synced: &mut Synced,
    shared: &Shared,
    (phase, end): (Phase, PartEnd),
    faults: impl IntoIterator<Item = RawFailure>,
    deferred: &mut Deferred,
) {
    for fault in faults {
        let Some(fault) = record::of_part(synced, shared, phase, fault, deferred) else {
            continue;
        };
        let failure = record::failure(synced, shared, phase, fault, deferred);
        if phase == Phase::Task {
            tasks::failed(synced, shared, failure);
        }
    }
    if end == PartEnd::Dropped && synced.life.stage() < StopStage::Aborted {
        synced.lost(shared, phase, deferred);
    }
}
