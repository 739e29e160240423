//! What a service is a part of: runners and groups, any number of them, since a runner can be shared.
//!
//! A whole is told of each change of its part, and has a hold on itself kept until the part's cycle has
//! ended.

use std::sync::Arc;

use super::{Deferred, Node, Synced};
use crate::report::error::Unresponsive;
use crate::report::state::State;

/// What a cycle holds as long as it lasts: the place of its service in a whole. Dropped at the end.
pub(crate) trait OwnerGuard: Send + Sync {
    /// Which whole it is, by the address of something that the hold keeps alive.
    fn owner(&self) -> usize;

    /// The whole itself, until the hold is dropped.
    fn node(&self) -> Option<Arc<dyn Node>>;

    /// Whether the whole goes down so far that no cycle of this part begins any more. Takes no lock.
    fn goes_down(&self) -> bool;

    /// Whether the whole drains, or goes down: no policy makes another attempt. Takes no lock.
    fn drains(&self) -> bool;

    /// The deadlines of the cycle have run out and something of it is still there.
    fn ran_out(&self, unresponsive: &Unresponsive);
}

/// Who is told whenever the state of a service has changed, or its end was given up.
pub(crate) trait Observer: Send + Sync {
    /// Which whole it is, by the address of something that the observer keeps alive, and which of its
    /// parts.
    fn place(&self) -> (usize, usize);

    fn changed(&self);
}

/// All that a service is a part of.
#[derive(Default)]
pub(super) struct Owners {
    /// One for each whole.
    holds: Vec<Arc<dyn OwnerGuard>>,
    /// One for each place. Shared, since each change takes them along.
    observers: Option<Arc<Vec<Arc<dyn Observer>>>>,
}

/// Has a hold kept until the cycle has ended. Handed back if there is no cycle, or if its whole holds this
/// one already.
pub(crate) fn keep_guard(
    synced: &mut Synced,
    hold: Arc<dyn OwnerGuard>,
) -> Option<Arc<dyn OwnerGuard>> {
    if synced.state() == State::Stopped {
        return Some(hold);
    }
    if is_part_of(synced, hold.owner()) {
        return Some(hold);
    }
    synced.rare().owners.holds.push(hold);
    None
}

/// Whether this whole holds the cycle.
pub(crate) fn is_part_of(synced: &Synced, owner: usize) -> bool {
    guards(synced).any(|hold| hold.owner() == owner)
}

/// Whether one of the wholes goes down, and this part of it for good.
pub(super) fn is_going_down(synced: &Synced) -> bool {
    guards(synced).any(|hold| hold.goes_down())
}

/// Whether one of the wholes drains, or goes down.
pub(super) fn is_draining(synced: &Synced) -> bool {
    guards(synced).any(|hold| hold.drains())
}

/// All that this is a part of.
pub(crate) fn all(synced: &Synced) -> Vec<Arc<dyn Node>> {
    guards(synced).filter_map(|hold| hold.node()).collect()
}

fn guards(synced: &Synced) -> impl Iterator<Item = &Arc<dyn OwnerGuard>> {
    synced.rare.iter().flat_map(|rare| &rare.owners.holds)
}

/// Has `observer` told of every change; the one before it in that place is handed back.
pub(crate) fn observe(
    synced: &mut Synced,
    observer: Arc<dyn Observer>,
) -> Option<Arc<dyn Observer>> {
    let list = synced.rare().owners.observers.get_or_insert_default();
    let list = Arc::make_mut(list);
    match list.iter_mut().find(|old| old.place() == observer.place()) {
        Some(old) => Some(std::mem::replace(old, observer)),
        None => {
            list.push(observer);
            None
        }
    }
}

/// Has nobody told in this place any more; who was is handed back.
pub(crate) fn unobserve(synced: &mut Synced, place: (usize, usize)) -> Option<Arc<dyn Observer>> {
    let observers = &mut synced.rare_if(false)?.owners.observers;
    let list = Arc::make_mut(observers.as_mut()?);
    let at = list.iter().position(|observer| observer.place() == place)?;
    let old = list.swap_remove(at);
    if list.is_empty() {
        *observers = None;
    }
    Some(old)
}

/// Has those who observe told of a change.
pub(super) fn tell_observers(synced: &Synced, deferred: &mut Deferred) {
    let observers = synced.rare.as_ref().and_then(|rare| rare.owners.observers.as_ref());
    if let Some(observers) = observers {
        deferred.rest().observers = Some(Arc::clone(observers));
    }
}

/// Has the wholes told that the deadlines of this part have run out.
pub(super) fn tell_owners(
    synced: &mut Synced,
    unresponsive: &Unresponsive,
    deferred: &mut Deferred,
) {
    let holds = synced.rare().owners.holds.iter();
    let stuck = holds.map(|hold| (Arc::clone(hold), unresponsive.clone())).collect();
    deferred.rest().stuck = stuck;
}

/// Lets go of the wholes, since the cycle has ended.
pub(super) fn leave(synced: &mut Synced, deferred: &mut Deferred) {
    let Some(rare) = &mut synced.rare else { return };
    if !rare.owners.holds.is_empty() {
        deferred.rest().ended.append(&mut rare.owners.holds);
    }
}
