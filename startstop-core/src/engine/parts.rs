//! The tokens of an attempt, and how its tasks and its `shutdown` are aborted and end.

use std::sync::Arc;
use std::task::Waker;

use super::{Deferred, Shared, Synced};
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

impl Synced {
    /// The token that is cancelled when attempt `epoch` reaches `level`, made when first asked for;
    /// `None` if it has reached that already.
    ///
    /// In an `Arc`, since cloning a token takes its lock: a token calls wakers with its lock held,
    /// and ours take the lock of the cell.
    pub(crate) fn token(&mut self, epoch: u64, stage: StopStage) -> Option<Arc<CancellationToken>> {
        if self.has_reached(epoch, stage) {
            return None;
        }
        let rare = self.rare();
        let slot = match stage {
            StopStage::Aborted => &mut rare.deadline_token,
            _ => &mut rare.token,
        };
        Some(Arc::clone(slot.get_or_insert_default()))
    }

    /// Whether `waker` is that of the driver, which is woken whenever a level changes.
    pub(crate) fn wakes_driver(&self, waker: &Waker) -> bool {
        self.driver.as_ref().is_some_and(|driver| driver.will_wake(waker))
    }

    /// Notes how `shutdown` is aborted, which was spawned for attempt `epoch`; a task that came too late
    /// is aborted at once.
    pub(crate) fn hook_spawned(&mut self, epoch: u64, handle: AbortHandle) -> Option<AbortHandle> {
        let live = self.attempts == epoch && self.life.is_hook_live();
        if !live || self.life.stage() >= StopStage::Aborted {
            return Some(handle);
        }
        self.rare().shutdown_call.replace(handle)
    }

    pub(crate) fn hook_gone(&mut self) -> Option<AbortHandle> {
        self.rare.as_mut()?.shutdown_call.take()
    }

    /// The end of a task or of `shutdown`, and what has failed in it and in its drop.
    pub(crate) fn part_ended(
        &mut self,
        shared: &Shared,
        (phase, end): (Phase, PartEnd),
        faults: impl IntoIterator<Item = RawFailure>,
        deferred: &mut Deferred,
    ) {
        for fault in faults {
            let failure = self.record(shared, phase, fault, deferred);
            if phase == Phase::Task {
                self.task_failed(shared, failure);
            }
        }
        if end == PartEnd::Dropped && self.life.stage() < StopStage::Aborted {
            self.lost(shared, phase, deferred);
        }
    }
}
