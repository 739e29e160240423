//! How members tell their group that something has changed.

use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context as Task, Waker};

use super::member::MemberPart;
use crate::engine::owners::PartObserver;
use crate::engine::{Node, Observer, Synced, owners};
use crate::rules::graph::Id;
use crate::rules::id_set::IdSet;
use crate::sync::{Mutex, MutexGuard};

/// The queue of changes since the supervisor has looked.
#[derive(Default)]
pub(super) struct ChangeQueue {
    queued: Mutex<Queued>,
}

#[derive(Default)]
struct Queued {
    changed: Vec<Id>,
    /// The same as a set.
    marks: IdSet,
    /// The plan has something to say, though no member has changed: one is to be removed.
    poked: bool,
    /// The supervisor acts on this member.
    muted: Option<Id>,
    waker: Option<Waker>,
    /// The runner that runs the group.
    group: Option<Weak<dyn Node>>,
}

impl ChangeQueue {
    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the runner that runs the group, or ran it last.
    pub(super) fn group(&self) -> Option<Weak<dyn Node>> {
        self.queued().group.clone()
    }

    /// A runner is to run the group; that of a clone which has one already stays.
    pub(super) fn bind(&self, group: Weak<dyn Node>) {
        let mut queued = self.queued();
        if queued
            .group
            .as_ref()
            .is_none_or(|old| old.strong_count() == 0)
        {
            queued.group = Some(group);
        }
    }

    /// A supervisor begins: what is in the change queue is old.
    pub(super) fn open(&self, group: Option<Weak<dyn Node>>) {
        let mut queued = self.queued();
        queued.take_changed(&mut Vec::new());
        queued.muted = None;
        queued.group = group;
    }

    /// Asks the supervisor to look at a member.
    pub(super) fn push(&self, id: Id) {
        let mut queued = self.queued();
        if queued.muted == Some(id) {
            return;
        }
        queued.add(id);
        wake(queued);
    }

    /// The supervisor is about to act on a member, and looks at it after that: what becomes of it meanwhile is no news.
    pub(super) fn mute(&self, id: Id) {
        self.queued().muted = Some(id);
    }

    /// It looks at that member now.
    pub(super) fn unmute(&self) {
        self.queued().muted = None;
    }

    /// Asks the supervisor to look at the plan.
    pub(super) fn notify(&self) {
        let mut queued = self.queued();
        queued.poked = true;
        wake(queued);
    }

    /// Takes what has changed into an empty list, or leaves a waker for when something does; whether there was a change.
    pub(super) fn poll(&self, changed: &mut Vec<Id>, task: &Task<'_>) -> bool {
        let mut queued = self.queued();
        if queued.has_changes() {
            queued.take_changed(changed);
            return true;
        }
        let old = queued.waker.replace(task.waker().clone());
        drop(queued);
        drop(old);
        false
    }

    /// Takes what has changed into an empty list; whether there was a change.
    pub(super) fn take(&self, changed: &mut Vec<Id>) -> bool {
        let mut queued = self.queued();
        let has_changes = queued.has_changes();
        if has_changes {
            queued.take_changed(changed);
        }
        has_changes
    }
}

fn wake(mut queued: MutexGuard<'_, Queued>) {
    let waker = queued.waker.take();
    drop(queued);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Queued {
    /// Adds a member, once: whoever looks at it sees all that has become of it.
    fn add(&mut self, id: Id) {
        if self.marks.insert(id) {
            self.changed.push(id);
        }
    }

    fn has_changes(&self) -> bool {
        self.poked || !self.changed.is_empty()
    }

    fn take_changed(&mut self, changed: &mut Vec<Id>) {
        self.poked = false;
        std::mem::swap(&mut self.changed, changed);
        for id in changed {
            self.marks.remove(*id);
        }
    }
}

/// Registers the group as an observer of a member, under the lock of that.
pub(super) fn observe(change_queue: &Arc<ChangeQueue>, id: Id, member: &mut Synced) {
    let change_queue = Arc::clone(change_queue) as Arc<dyn Observer>;
    let observer = PartObserver::new(change_queue, id.0);
    // What it replaces is the same.
    drop(owners::observe(member, observer));
}

/// Unregisters the group as an observer of a member.
pub(super) fn unobserve(change_queue: &ChangeQueue, id: Id, part: &MemberPart) {
    let place = (change_queue.owner(), id.0);
    let old = owners::unobserve(&mut part.node().shared().synced(), place);
    drop(old);
}

impl Observer for ChangeQueue {
    fn owner(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn changed(&self, part: usize) {
        self.push(Id(part));
    }
}
