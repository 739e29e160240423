//! The readiness of a part, shown as that of its owner.
//!
//! The owner is ready while the part is: not in its backoff, not while it is restarted or drains, nor once it has taken its
//! readiness back. The end of the part is that of the owner, and told as such.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use crate::engine::owners::PartObserver;
use crate::engine::{Deferred, Node, Observer, Shared, Synced, gate, owners, reporting};
use crate::report::shared_name::SharedName;
use crate::report::state::State;
use crate::service::context::Context;
use crate::service::context::attempt_guard::show_readiness;
use crate::sync::{AtomicBool, AtomicU32, in_turn};

/// Shows the readiness of a part until it is dropped.
pub(super) struct Followed {
    part: Arc<dyn Node>,
    link: Arc<ReadinessLink>,
}

/// Shows that the owner has started, and whether its part is ready now and from now on.
pub(super) fn follow(cx: &Context, part: &Arc<dyn Node>) -> Followed {
    let link = Arc::new(ReadinessLink {
        owner: ShownOn::of(cx),
        part: Arc::downgrade(part),
        name: part.shared().settings.shared_name(),
        changes: AtomicU32::new(0),
        is_ready: AtomicBool::new(true),
    });
    // In this task, which ends the attempt: so it has started before.
    link.show_start(cx);
    let observer = PartObserver::new(Arc::new(Follower(Arc::clone(&link))), PART);
    let old = owners::observe(&mut part.shared().synced(), observer);
    drop(old);
    // It may have changed before it was observed.
    link.look(ReadinessLink::show);
    Followed {
        part: Arc::clone(part),
        link,
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let place = (self.link.address(), PART);
        let old = owners::unobserve(&mut self.part.shared().synced(), place);
        drop(old);
    }
}

/// The number of the part: a link has one.
const PART: usize = 0;

/// The observer of the part.
struct Follower(Arc<ReadinessLink>);

impl Observer for Follower {
    fn owner(&self) -> usize {
        self.0.address()
    }

    /// The owner may be a part itself, and so on.
    fn changed(&self, _: usize) {
        let link = Arc::clone(&self.0);
        in_turn(move || link.look(ReadinessLink::show));
    }

    #[cfg(not(startstop_loom))]
    fn changed_at_deadline(&self, _: usize) {
        let link = Arc::clone(&self.0);
        in_turn(move || link.look(ReadinessLink::show_at_deadline));
    }
}

/// The owner, which the part does not keep.
enum ShownOn {
    Attempt(Weak<dyn Node>, u64),
    /// There is no runner that it could keep.
    Detached(Context),
}

impl ShownOn {
    fn of(cx: &Context) -> Self {
        match cx.attempt_link() {
            Some(attempt) => Self::Attempt(Arc::downgrade(attempt.node()), attempt.epoch()),
            None => Self::Detached(cx.clone()),
        }
    }
}

/// Between a part and its owner.
struct ReadinessLink {
    owner: ShownOn,
    part: Weak<dyn Node>,
    name: SharedName,
    /// How many changes there were since one thread has begun to look. The others leave theirs to it: what is seen last is
    /// shown last.
    changes: AtomicU32,
    /// The readiness that is shown.
    is_ready: AtomicBool,
}

/// A part at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PartReadiness {
    Ready,
    NotReady,
    /// Its owner ends as well, or it begins anew.
    Ended,
}

/// Shows a readiness.
type Show = fn(&ReadinessLink, Option<Cow<'static, str>>);

impl ReadinessLink {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn show_start(&self, cx: &Context) {
        let reason = match self.see() {
            PartReadiness::Ready | PartReadiness::Ended => None,
            PartReadiness::NotReady => Some(self.reason()),
        };
        self.is_ready.store(reason.is_none(), Ordering::Relaxed);
        show_readiness(cx, reason);
    }

    /// Shows what has changed, unless another thread is about it.
    fn look(&self, show: Show) {
        if self.changes.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let mut seen = 1;
        loop {
            self.show_change(show);
            let done = self
                .changes
                .compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire);
            match done {
                Ok(_) => return,
                Err(more) => seen = more,
            }
        }
    }

    fn show_change(&self, show: Show) {
        let ready = match self.see() {
            PartReadiness::Ready => true,
            PartReadiness::NotReady => false,
            PartReadiness::Ended => return,
        };
        if self.is_ready.swap(ready, Ordering::Relaxed) != ready {
            show(self, (!ready).then(|| self.reason()));
        }
    }

    fn see(&self) -> PartReadiness {
        let glance = gate::glance(&self.part, |shared| shared.atomic_state.read());
        let Some((seen, last)) = glance else {
            return PartReadiness::Ended;
        };
        drop(last);
        match seen.state() {
            State::Stopped => PartReadiness::Ended,
            _ if seen.is_ready() => PartReadiness::Ready,
            _ => PartReadiness::NotReady,
        }
    }

    /// Returns which part is not ready, as a group tells it of its members.
    fn reason(&self) -> Cow<'static, str> {
        Cow::Owned(self.name.to_string())
    }

    /// Shows why the owner is not ready, or that it is.
    fn show(&self, reason: Option<Cow<'static, str>>) {
        match &self.owner {
            ShownOn::Attempt(owner, epoch) => gate::update_apart(owner, change(*epoch, reason)),
            ShownOn::Detached(cx) => show_readiness(cx, reason),
        }
    }

    /// The same on the thread of the deadlines.
    #[cfg(not(startstop_loom))]
    fn show_at_deadline(&self, reason: Option<Cow<'static, str>>) {
        match &self.owner {
            ShownOn::Attempt(owner, epoch) => {
                gate::update_at_deadline(owner, change(*epoch, reason));
            }
            ShownOn::Detached(cx) => show_readiness(cx, reason),
        }
    }
}

/// Shows why the owner is not ready, or that it is, unless attempt `epoch` of it is over.
fn change(
    epoch: u64,
    reason: Option<Cow<'static, str>>,
) -> impl FnOnce(&Shared, &mut Synced, &mut Deferred) {
    move |shared, synced, deferred| {
        if reporting::is_alive(synced, shared, epoch) {
            reporting::show_readiness(synced, shared, reason, deferred);
        }
    }
}
