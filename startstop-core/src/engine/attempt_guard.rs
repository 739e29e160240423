//! A place in an attempt for what outlives the future of `run`: a thread, or the parts of a composite.
//!
//! The attempt has not ended before the guard is dropped, at the end of the thread, or of a cycle of the part.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::gate::update_and_leave;
use super::{ArmTimer, Node, Synced, record, update};
use crate::report::error::Unresponsive;
use crate::report::failure::RawFailure;
use crate::report::state::Phase;
use crate::rules::lifecycle::{Input, Lifecycle, Part, StopStage};
use crate::sync::{AtomicBool, in_turn};

/// The attempt takes no more parts: it is aborted, or has ended.
pub(crate) struct Closed;

/// A part of an attempt.
pub(crate) struct AttemptGuard {
    /// Until it is dropped.
    node: Option<Arc<dyn Node>>,
    epoch: u64,
    /// The phase that it is a part of: `run` or `shutdown`.
    phase: Phase,
    /// The stop stage of the attempt from which on the part begins no cycle.
    until: StopStage,
    part: Part,
    /// Whether it keeps deadlines of its own, which have not run out.
    keeps: AtomicBool,
}

/// A test of whether an attempt takes such a part.
type IsOpen = fn(&Lifecycle) -> bool;

/// A remark on an attempt that has such a part.
type Remark = fn(&mut Synced);

impl AttemptGuard {
    /// Returns a place for a part in attempt `epoch`, if that `is_open` for it, and with it a `remark` on what the attempt is.
    pub(crate) fn of(
        node: &Arc<dyn Node>,
        epoch: u64,
        phase: Phase,
        part: Part,
        (is_open, remark): (IsOpen, Remark),
    ) -> Result<Self, Closed> {
        let open = update(node, |shared, synced, deferred| {
            let open = shared.is_current(epoch) && is_open(&synced.life);
            if open {
                remark(synced);
                synced.step(shared, Input::Added(part), ArmTimer::Now, deferred);
            }
            open
        });
        if !open {
            return Err(Closed);
        }
        let node = Some(Arc::clone(node));
        let keeps = AtomicBool::new(part == Part::Kept);
        Ok(Self {
            node,
            epoch,
            phase,
            until: StopStage::Aborted,
            part,
            keeps,
        })
    }

    /// Forbids the part to begin a cycle once the attempt is at this stage; else it begins none once that is aborted.
    pub(crate) fn until(mut self, stage: StopStage) -> Self {
        self.until = stage;
        self
    }

    /// Records what the holder of the place has failed with, unless it was aborted on request meanwhile.
    pub(crate) fn record(&self, fault: RawFailure) {
        if let Some(node) = &self.node {
            update(node, |shared, synced, deferred| {
                if let Some(fault) = record::of_part(synced, shared, self.phase, fault, deferred) {
                    record::failure(synced, shared, self.phase, fault, deferred);
                }
            });
        }
    }
}

/// The questions of a part to the guard of its owner.
impl AttemptGuard {
    /// Returns which owner it is, by the address of what the guard keeps alive.
    pub(crate) fn owner(&self) -> usize {
        self.node
            .as_ref()
            .map_or(0, |node| Arc::as_ptr(node).addr())
    }

    /// Returns the owner itself, until the guard is dropped.
    pub(super) fn node(&self) -> Option<Arc<dyn Node>> {
        self.node.clone()
    }

    /// Returns whether the owner has stopped so far that no cycle of this part begins any more. Takes no lock.
    pub(super) fn goes_down(&self) -> bool {
        self.node
            .as_ref()
            .is_none_or(|node| node.shared().stage(self.epoch) >= self.until)
    }

    /// Returns whether the owner drains or stops: no policy makes another attempt. Takes no lock.
    pub(super) fn drains(&self) -> bool {
        self.node
            .as_ref()
            .is_some_and(|node| node.shared().stage(self.epoch) >= StopStage::Draining)
    }

    /// Returns whether they have run out.
    pub(super) fn is_stuck(&self) -> bool {
        self.part == Part::Kept && !self.keeps.load(Ordering::Acquire)
    }

    /// Which guard it is, once it has run out: then it is shared, and stays where it is.
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The deadlines of the cycle have run out and something of it is still there.
    pub(super) fn ran_out(&self, verdict: &Unresponsive) {
        let Some(node) = self.node.clone() else {
            return;
        };
        if self.keeps.swap(false, Ordering::AcqRel) {
            let (epoch, id, verdict) = (self.epoch, self.id(), verdict.clone());
            in_turn(move || {
                update_and_leave(node, |shared, synced, deferred| {
                    record::note_stuck(synced, shared, epoch, (id, &verdict));
                    synced.step(shared, Input::RanOut, ArmTimer::Now, deferred);
                });
            });
        }
    }
}

impl Drop for AttemptGuard {
    fn drop(&mut self) {
        let part = if self.is_stuck() {
            Part::Stuck
        } else {
            self.part
        };
        let id = self.id();
        let Some(node) = self.node.take() else { return };
        // The end of the owner may be that of the next one, and so on.
        in_turn(move || {
            update_and_leave(node, |shared, synced, deferred| {
                if part == Part::Stuck {
                    record::forget_stuck(synced, id);
                }
                synced.step(shared, Input::Ended(part), ArmTimer::Now, deferred);
            });
        });
    }
}
