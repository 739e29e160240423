//! Runners that a service has made a part of its attempt.
//!
//! When the attempt is to end they are told to stop, and when it is aborted so are they. It ends when they have: each
//! of their cycles holds a place in it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Deferred, Ending, Node, Shared, Synced, parts};
use crate::engine::request::{self, Caller};
use crate::report::shared_name::SharedName;
use crate::sync::clock;

/// A part of an attempt, under its name.
#[derive(Clone)]
pub(super) struct Attached {
    name: SharedName,
    node: Arc<dyn Node>,
    presence: Presence,
}

/// How far a part has come, for one who attaches it or takes it out at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// It comes, or goes: its name is taken.
    OnItsWay,
    /// The attempt takes it out at its end, by the ending of this number.
    There(u64),
}

/// Why a part is not taken.
pub(crate) enum Refused {
    /// Its name is taken, or it is there already.
    Taken,
    /// The attempt is aborted, or has ended.
    Ended,
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

/// Notes a part of attempt `epoch`, if that is alive and not aborted; it is on its way.
pub(crate) fn attach(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    name: &SharedName,
    node: &Arc<dyn Node>,
) -> Result<(), Refused> {
    if !shared.is_current(epoch) || !synced.life.is_open() {
        return Err(Refused::Ended);
    }
    let is_taken = |part: &Attached| *part.name == **name || is_same(&part.node, node);
    if all(synced).iter().any(is_taken) {
        return Err(Refused::Taken);
    }
    let part = Attached {
        name: name.clone(),
        node: Arc::clone(node),
        presence: Presence::OnItsWay,
    };
    synced.make_rare().attached.make().push(part);
    Ok(())
}

/// Notes that a part has come, with the ending by which attempt `epoch` takes it out; hands that back if the attempt has ended.
pub(crate) fn has_come(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    node: &Arc<dyn Node>,
    ending: Ending,
) -> Result<(), Ending> {
    let ending = parts::at_end(synced, shared, epoch, ending)?;
    if let Some(part) = find(synced, node) {
        part.presence = Presence::There(ending);
    }
    Ok(())
}

/// A part is to be taken out before the end of the attempt: returns its name, and the ending that does so no more, which is to be
/// dropped outside of the lock. `None` if it is not there, or that end has come.
pub(crate) fn leave(synced: &mut Synced, node: &Arc<dyn Node>) -> Option<(SharedName, Ending)> {
    let Presence::There(ending) = find(synced, node)?.presence else {
        return None;
    };
    let ending = synced.not_at_end(ending)?;
    let part = find(synced, node)?;
    part.presence = Presence::OnItsWay;
    Some((part.name.clone(), ending))
}

/// Forgets a part; what it was is handed back, to be dropped outside of the lock.
pub(crate) fn detach(synced: &mut Synced, node: &Arc<dyn Node>) -> Option<Arc<dyn Node>> {
    let attached = synced.rare_mut()?.attached.get_mut()?;
    let at = attached.iter().position(|part| is_same(&part.node, node))?;
    Some(attached.remove(at).node)
}

fn find<'s>(synced: &'s mut Synced, node: &Arc<dyn Node>) -> Option<&'s mut Attached> {
    let mut attached = synced.rare_mut()?.attached.get_mut()?.iter_mut();
    attached.find(|part| is_same(&part.node, node))
}

/// Visits the attached parts, in order.
pub(crate) fn each_part(synced: &Synced, visit: &mut dyn FnMut(&Arc<dyn Node>)) {
    for part in all(synced) {
        visit(&part.node);
    }
}

/// Returns the attached parts, in order.
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
