//! A place in an attempt for what outlives the future of `run`: a thread, or the parts of a composite.
//!
//! The attempt has not ended before the guard is dropped.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::engine::gate::update_and_leave;
use crate::engine::{ArmTimer, Ending, Node, OwnerGuard, record, reporting, update};
use crate::report::error::Unresponsive;
use crate::report::failure::RawFailure;
use crate::report::state::Phase;
use crate::rules::lifecycle::{Input, Lifecycle, Part, StopStage};
use crate::service::context::{Attempt, Context};
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

/// Under a context without a runner there is nothing to hold, and so no place: what is to be started
/// goes on without. Where an attempt takes no more parts nothing may be started.
impl AttemptGuard {
    /// A place for a thread, which knows no deadline.
    pub(crate) fn held(cx: &Context) -> Result<Option<Self>, Closed> {
        let part = match cx.attempt_link().map(Attempt::phase) {
            Some(Phase::Shutdown) => Part::HeldByShutdown,
            _ => Part::Held,
        };
        Self::new(cx, part, Lifecycle::is_open)
    }

    /// A place for parts that keep deadlines of their own.
    pub(crate) fn kept(cx: &Context) -> Result<Option<Self>, Closed> {
        Self::new(cx, Part::Kept, Lifecycle::is_open)
    }

    /// The same for parts that are aborted in the drop of `run`, when the attempt takes no others.
    pub(crate) fn last(cx: &Context) -> Result<Option<Self>, Closed> {
        Self::new(cx, Part::Kept, Lifecycle::is_run_alive)
    }

    fn new(
        cx: &Context,
        part: Part,
        is_open: fn(&Lifecycle) -> bool,
    ) -> Result<Option<Self>, Closed> {
        let Some(attempt) = cx.attempt_link() else {
            return Ok(None);
        };
        let place = Self::of(
            attempt.node(),
            attempt.epoch(),
            attempt.phase(),
            part,
            is_open,
        )?;
        if part == Part::Kept {
            attempt.node().shared().synced().drives_parts();
        }
        Ok(Some(place))
    }

    /// A place for what is attached to this attempt.
    pub(crate) fn attached(node: &Arc<dyn Node>, epoch: u64) -> Result<Self, Closed> {
        let place = Self::of(node, epoch, Phase::Run, Part::Kept, Lifecycle::is_open)?;
        Ok(place.until(StopStage::Cancelled))
    }

    fn of(
        node: &Arc<dyn Node>,
        epoch: u64,
        phase: Phase,
        part: Part,
        is_open: fn(&Lifecycle) -> bool,
    ) -> Result<Self, Closed> {
        let open = update(node, |shared, synced, deferred| {
            let open = synced.attempts == epoch && is_open(&synced.life);
            if open {
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

    /// Records a failure of what holds the place.
    pub(crate) fn record(&self, fault: RawFailure) {
        if let Some(node) = &self.node {
            update(node, |shared, synced, deferred| {
                record::failure(synced, shared, self.phase, fault, deferred);
            });
        }
    }
}

/// Shows that a composite has started, and why it is not ready at this moment, if it is not.
pub(crate) fn show_readiness(cx: &Context, reason: Option<Cow<'static, str>>) {
    let Some(attempt) = cx.attempt_link() else {
        return;
    };
    update(attempt.node(), |shared, synced, deferred| {
        if synced.attempts == attempt.epoch() {
            reporting::show_readiness(synced, shared, reason, deferred);
        }
    });
}

/// Records a failure of what a composite drives.
pub(crate) fn record(cx: &Context, fault: RawFailure) {
    let Some(attempt) = cx.attempt_link() else {
        return;
    };
    update(attempt.node(), |shared, synced, deferred| {
        record::failure(synced, shared, Phase::Run, fault, deferred);
    });
}

/// Does something at the end of the attempt, before anybody is told of it, unless the result is dropped before. A detached
/// context is never at its end; where the attempt has ended already nothing is done.
pub(crate) fn on_end(
    cx: &Context,
    ending: impl FnOnce() + Send + 'static,
) -> Result<Option<OnEnd>, Closed> {
    let Some(attempt) = cx.attempt_link() else {
        return Ok(None);
    };
    let id = at_end(attempt, ending)?;
    Ok(Some(OnEnd {
        node: Arc::downgrade(attempt.node()),
        id,
    }))
}

/// The same, without a way back; says whether the attempt has not ended.
pub(crate) fn always_on_end(attempt: &Attempt, ending: impl FnOnce() + Send + 'static) -> bool {
    at_end(attempt, ending).is_ok()
}

fn at_end(attempt: &Attempt, ending: impl FnOnce() + Send + 'static) -> Result<u64, Closed> {
    let ending = Ending(Box::new(ending));
    // In a statement of its own, so that what is handed back is dropped outside of the lock.
    let kept = attempt
        .node()
        .shared()
        .synced()
        .at_end(attempt.epoch(), ending);
    kept.map_err(|_late| Closed)
}

/// An ending of an attempt; it is not done once this is dropped.
pub(crate) struct OnEnd {
    node: Weak<dyn Node>,
    id: u64,
}

impl Drop for OnEnd {
    fn drop(&mut self) {
        let Some(node) = self.node.upgrade() else {
            return;
        };
        let ending = node.shared().synced().not_at_end(self.id);
        drop(ending);
    }
}

impl OwnerGuard for AttemptGuard {
    fn owner(&self) -> usize {
        self.node
            .as_ref()
            .map_or(0, |node| Arc::as_ptr(node).addr())
    }

    fn node(&self) -> Option<Arc<dyn Node>> {
        self.node.clone()
    }

    fn goes_down(&self) -> bool {
        self.node
            .as_ref()
            .is_none_or(|node| node.shared().stage(self.epoch) >= self.until)
    }

    fn drains(&self) -> bool {
        self.node
            .as_ref()
            .is_some_and(|node| node.shared().stage(self.epoch) >= StopStage::Draining)
    }

    fn ran_out(&self, verdict: &Unresponsive) {
        let Some(node) = self.node.clone() else {
            return;
        };
        if self.keeps.swap(false, Ordering::AcqRel) {
            let (epoch, verdict) = (self.epoch, verdict.clone());
            in_turn(move || {
                update_and_leave(node, |shared, synced, deferred| {
                    record::note_stuck(synced, epoch, &verdict);
                    synced.step(shared, Input::RanOut, ArmTimer::Now, deferred);
                });
            });
        }
    }
}

impl Drop for AttemptGuard {
    fn drop(&mut self) {
        let part = match self.part {
            Part::Kept if !self.keeps.load(Ordering::Acquire) => Part::Stuck,
            part => part,
        };
        let Some(node) = self.node.take() else { return };
        // The end of the owner may be that of the next one, and so on.
        in_turn(move || {
            update_and_leave(node, |shared, synced, deferred| {
                synced.step(shared, Input::Ended(part), ArmTimer::Now, deferred);
            });
        });
    }
}
