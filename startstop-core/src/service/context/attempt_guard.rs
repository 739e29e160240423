//! Parts of an attempt that outlive the future of `run`: a thread, a runner, an ending, as the service's side asks for them.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use crate::engine::attempt_guard::{AttemptGuard, Closed};
use crate::engine::{Ending, Node, Synced, parts, record, reporting, update};
use crate::report::failure::RawFailure;
use crate::report::state::Phase;
use crate::rules::lifecycle::{Lifecycle, Part, StopStage};
use crate::service::context::{Attempt, Context, Link};

/// Under a context without a runner there is nothing to hold, and so no place: what is to be started
/// goes on without. Where an attempt takes no more parts nothing may be started.
impl AttemptGuard {
    /// Returns a place for a thread, which knows no deadline.
    pub(crate) fn held(cx: &Context) -> Result<Option<Self>, Closed> {
        let part = match cx.attempt_link().map(Attempt::phase) {
            Some(Phase::Shutdown) => Part::HeldByShutdown,
            _ => Part::Held,
        };
        Self::new(cx, part, Lifecycle::is_open)
    }

    /// Returns a place for parts that keep deadlines of their own.
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
        let remark = match part {
            Part::Kept => Synced::drives_parts,
            _ => |_: &mut Synced| (),
        };
        let (node, phase) = (attempt.node(), attempt.phase());
        Self::of(node, attempt.epoch(), phase, part, (is_open, remark)).map(Some)
    }

    /// A place for what is attached to this attempt.
    pub(crate) fn attached(node: &Arc<dyn Node>, epoch: u64) -> Result<Self, Closed> {
        let place = Self::of(
            node,
            epoch,
            Phase::Run,
            Part::Kept,
            (Lifecycle::is_open, |_| ()),
        )?;
        Ok(place.until(StopStage::Cancelled))
    }
}

/// Shows that a composite has started, and why it is not ready at this moment, if it is not.
pub(crate) fn show_readiness(cx: &Context, reason: Option<Cow<'static, str>>) {
    let Some(attempt) = cx.attempt_link() else {
        return match reason {
            Some(reason) => cx.not_ready(reason),
            None => cx.ready(),
        };
    };
    update(attempt.node(), |shared, synced, deferred| {
        if shared.is_current(attempt.epoch()) {
            reporting::show_readiness(synced, shared, reason, deferred);
        }
    });
}

/// Records a failure of what a composite drives.
pub(crate) fn record(cx: &Context, fault: RawFailure) {
    let attempt = match &cx.link {
        Link::Attempt(attempt) => attempt,
        Link::Detached(detached) => return detached.record(fault),
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

fn at_end(attempt: &Attempt, ending: impl FnOnce() + Send + 'static) -> Result<u64, Closed> {
    let ending = Ending(Box::new(ending));
    // In a statement of its own, so that what is handed back is dropped outside of the lock.
    let shared = attempt.node().shared();
    let kept = parts::at_end(&mut shared.synced(), shared, attempt.epoch(), ending);
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
