//! The owners that a service is a part of: runners and groups, any number of them, since a runner can be shared.
//!
//! An owner is told of each change of its part, and a guard keeps its attempt from its end until the cycle of the part has
//! ended.

use std::sync::Arc;

use super::few::Few;
use super::{Deferred, Node, Observer, OwnerGuard, Synced};
use crate::report::error::Unresponsive;
use crate::report::state::State;

/// The owners of a service, and the observers of its state.
#[derive(Default)]
pub(super) struct Owners {
    /// One for each owner.
    guards: Few<Arc<dyn OwnerGuard>>,
    /// One for each place.
    observers: Few<Arc<dyn Observer>>,
}

/// Keeps the guard of an owner until the cycle has ended. Returns it if there is no cycle, or if that owner has a
/// guard here already.
pub(crate) fn keep_guard(
    synced: &mut Synced,
    guard: Arc<dyn OwnerGuard>,
) -> Option<Arc<dyn OwnerGuard>> {
    if synced.state() == State::Stopped {
        return Some(guard);
    }
    if is_part_of(synced, guard.owner()) {
        return Some(guard);
    }
    synced.rare().owners.guards.push(guard);
    None
}

/// Whether this owner has a guard in the cycle.
pub(crate) fn is_part_of(synced: &Synced, owner: usize) -> bool {
    guards(synced).any(|guard| guard.owner() == owner)
}

/// Whether an owner stops, and this part with it for good.
pub(super) fn is_going_down(synced: &Synced) -> bool {
    guards(synced).any(|guard| guard.goes_down())
}

/// Whether an owner drains or stops.
pub(super) fn is_draining(synced: &Synced) -> bool {
    guards(synced).any(|guard| guard.drains())
}

/// The owners that this is a part of.
pub(crate) fn all(synced: &Synced) -> Vec<Arc<dyn Node>> {
    guards(synced).filter_map(|guard| guard.node()).collect()
}

fn guards(synced: &Synced) -> impl Iterator<Item = &Arc<dyn OwnerGuard>> {
    synced
        .rare
        .iter()
        .flat_map(|rare| rare.owners.guards.iter())
}

/// Registers an observer of every change, and returns the one that it replaces in its place.
pub(crate) fn observe(
    synced: &mut Synced,
    observer: Arc<dyn Observer>,
) -> Option<Arc<dyn Observer>> {
    let observers = &mut synced.rare().owners.observers;
    match observers.find(|old| old.place() == observer.place()) {
        Some(old) => Some(std::mem::replace(old, observer)),
        None => {
            observers.push(observer);
            None
        }
    }
}

/// Unregisters the observer in this place and returns it.
pub(crate) fn unobserve(synced: &mut Synced, place: (usize, usize)) -> Option<Arc<dyn Observer>> {
    synced
        .rare
        .as_mut()?
        .owners
        .observers
        .take(|observer| observer.place() == place)
}

/// Notes that the observers are to be told of a change.
pub(super) fn tell_observers(synced: &Synced, deferred: &mut Deferred) {
    if let Some(rare) = &synced.rare {
        deferred.tell_observers(rare.owners.observers.iter());
    }
}

/// Notes that the owners are to be told that the deadlines of this part have run out.
pub(super) fn tell_owners(
    synced: &mut Synced,
    unresponsive: &Unresponsive,
    deferred: &mut Deferred,
) {
    let guards = synced.rare().owners.guards.iter();
    let stuck = guards
        .map(|guard| (Arc::clone(guard), unresponsive.clone()))
        .collect();
    deferred.rest().stuck = stuck;
}

/// Lets go of the owners, since the cycle has ended.
pub(super) fn leave(synced: &mut Synced, deferred: &mut Deferred) {
    let Some(rare) = &mut synced.rare else { return };
    while let Some(guard) = rare.owners.guards.pop() {
        deferred.leave(guard);
    }
}
