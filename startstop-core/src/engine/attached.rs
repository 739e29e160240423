//! Runners that a service has made a part of its attempt.
//!
//! When the attempt is to end they are told to stop, and when it is aborted so are they. It ends when they have: each
//! of their cycles holds a place in it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Deferred, Node, Shared, Synced};
use crate::engine::request::{self, Caller};
use crate::report::shared_name::SharedName;
use crate::sync::clock;

/// A part of an attempt, under its name.
#[derive(Clone)]
pub(super) struct Attached {
    name: SharedName,
    node: Arc<dyn Node>,
}

impl Attached {
    /// Returns a reference that does not keep it.
    pub(super) fn downgrade(&self) -> Weak<dyn Node> {
        Arc::downgrade(&self.node)
    }
}

/// An order to an attached runner.
pub(super) enum AttachedAction {
    /// To stop, with the time that is left.
    Stop(Arc<dyn Node>, Option<Duration>),
    Abort(Arc<dyn Node>),
}

impl AttachedAction {
    pub(super) fn run(self) {
        match self {
            Self::Stop(part, left) => drop(request::stop_part(&part, left, Caller::No)),
            Self::Abort(part) => request::abort_part(&part),
        }
    }
}

/// Notes a part of attempt `epoch`, if that is alive and not aborted.
pub(crate) fn attach(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    name: &str,
    node: &Arc<dyn Node>,
) -> bool {
    let open = shared.is_current(epoch) && synced.life.is_open();
    if open {
        let part = Attached {
            name: name.into(),
            node: Arc::clone(node),
        };
        synced.make_rare().attached.make().push(part);
    }
    open
}

/// Forgets a part; what it was is handed back, to be dropped outside of the lock.
pub(crate) fn detach(synced: &mut Synced, node: &Arc<dyn Node>) -> Option<Arc<dyn Node>> {
    let attached = synced.rare_mut()?.attached.get_mut()?;
    let at = attached.iter().position(|part| is_same(&part.node, node))?;
    Some(attached.remove(at).node)
}

/// Returns the parts of the attempt under their names.
pub(crate) fn parts_of(synced: &Synced) -> Vec<(SharedName, Arc<dyn Node>)> {
    all(synced)
        .iter()
        .map(|part| (part.name.clone(), Arc::clone(&part.node)))
        .collect()
}

/// Returns how long it is until the service will be aborted; `None` if it never is.
pub(crate) fn remaining(synced: &Synced) -> Option<Duration> {
    (synced.stop_at != clock::NEVER).then(|| clock::between(clock::now(), synced.stop_at))
}

/// Returns the attached parts, in order.
pub(super) fn all(synced: &Synced) -> &[Attached] {
    let attached = synced.rare().and_then(|rare| rare.attached.get());
    attached.map_or(&[], Vec::as_slice)
}

/// The attempt is to end: so are its parts.
#[inline]
pub(super) fn stop_all(synced: &mut Synced, deferred: &mut Deferred) {
    let attached = all(synced);
    if attached.is_empty() {
        return;
    }
    let left = remaining(synced);
    let parts = attached.iter().rev().map(|part| Arc::clone(&part.node));
    deferred
        .cold()
        .attached_actions
        .extend(parts.map(|part| AttachedAction::Stop(part, left)));
}

/// The attempt is aborted: so are its parts.
pub(super) fn abort_all(synced: &mut Synced, deferred: &mut Deferred) {
    let attached = all(synced);
    if attached.is_empty() {
        return;
    }
    let parts = attached.iter().map(|part| Arc::clone(&part.node));
    deferred
        .cold()
        .attached_actions
        .extend(parts.map(AttachedAction::Abort));
}

/// Returns whether two nodes are the same.
pub(crate) fn is_same(one: &Arc<dyn Node>, other: &Arc<dyn Node>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}
