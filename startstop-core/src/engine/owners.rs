//! The owners that a service is a part of: runners and groups, any number of them, since a runner can be shared.
//!
//! An owner is told of each change of its part, and a guard keeps its attempt from its end until the cycle of the part has
//! ended. Both are fields here: a part of one owner, as most parts are, costs no allocation for them.

use std::sync::Arc;

use super::attempt_guard::AttemptGuard;
use super::few::Few;
use super::seldom::rare;
use super::{Deferred, Node, Observer, Synced};
use crate::report::error::Unresponsive;
use crate::report::state::State;

/// The owners of a service, and the observers of its state.
#[derive(Default)]
pub(super) struct Owners {
    /// One for each owner.
    guards: Few<OwnerGuard>,
    /// One for each place.
    observers: Few<PartObserver>,
}

rare!(Vec<OwnerGuard>, Vec<PartObserver>);

impl Owners {
    pub(super) fn is_empty(&self) -> bool {
        self.guards.is_empty() && self.observers.is_empty()
    }
}

/// An observer of a part of an owner, which tells it by a number from the others.
#[derive(Clone)]
pub(crate) struct PartObserver {
    observer: Arc<dyn Observer>,
    part: usize,
}

impl PartObserver {
    pub(crate) fn new(observer: Arc<dyn Observer>, part: usize) -> Self {
        Self { observer, part }
    }

    fn place(&self) -> (usize, usize) {
        (self.observer.owner(), self.part)
    }

    pub(super) fn tell(&self) {
        self.observer.changed(self.part);
    }

    /// The same on the thread of the deadlines.
    #[cfg(not(startstop_loom))]
    pub(super) fn tell_at_deadline(&self) {
        self.observer.changed_at_deadline(self.part);
    }
}

/// The guard of an owner.
pub(super) enum OwnerGuard {
    Own(AttemptGuard),
    /// Its owner is being told of something, and keeps it meanwhile.
    Shared(Arc<AttemptGuard>),
}

impl OwnerGuard {
    fn get(&self) -> &AttemptGuard {
        match self {
            Self::Own(guard) => guard,
            Self::Shared(guard) => guard,
        }
    }

    /// Returns whether its owner has given the part up.
    pub(super) fn is_stuck(&self) -> bool {
        self.get().is_stuck()
    }

    fn share(self) -> Self {
        match self {
            Self::Own(guard) => Self::Shared(Arc::new(guard)),
            Self::Shared(_) => self,
        }
    }
}

/// Keeps the guard of an owner until the cycle has ended. Returns it if there is no cycle, or if that owner has a
/// guard here already.
pub(crate) fn keep_guard(synced: &mut Synced, guard: AttemptGuard) -> Option<AttemptGuard> {
    if synced.state() == State::Stopped {
        return Some(guard);
    }
    if is_part_of(synced, guard.owner()) {
        return Some(guard);
    }
    synced.cold().owners.guards.push(OwnerGuard::Own(guard));
    None
}

/// Returns whether this owner has a guard in the cycle.
pub(crate) fn is_part_of(synced: &Synced, owner: usize) -> bool {
    guards(synced).any(|guard| guard.owner() == owner)
}

/// Returns whether an owner stops, and this part with it for good.
pub(super) fn is_going_down(synced: &Synced) -> bool {
    guards(synced).any(AttemptGuard::goes_down)
}

/// Returns whether an owner drains or stops.
pub(super) fn is_draining(synced: &Synced) -> bool {
    guards(synced).any(AttemptGuard::drains)
}

/// Returns the owners that this is a part of.
pub(crate) fn all(synced: &Synced) -> Vec<Arc<dyn Node>> {
    guards(synced).filter_map(AttemptGuard::node).collect()
}

fn guards(synced: &Synced) -> impl Iterator<Item = &AttemptGuard> {
    synced
        .cold
        .get()
        .into_iter()
        .flat_map(|cold| cold.owners.guards.iter())
        .map(OwnerGuard::get)
}

/// Registers an observer of every change, and returns the one that it replaces in its place.
pub(crate) fn observe(synced: &mut Synced, observer: PartObserver) -> Option<PartObserver> {
    let observers = &mut synced.cold().owners.observers;
    match observers.find(|old| old.place() == observer.place()) {
        Some(old) => Some(std::mem::replace(old, observer)),
        None => {
            observers.push(observer);
            None
        }
    }
}

/// Unregisters the observer in this place and returns it.
pub(crate) fn unobserve(synced: &mut Synced, place: (usize, usize)) -> Option<PartObserver> {
    synced
        .cold
        .get_mut()?
        .owners
        .observers
        .take(|observer| observer.place() == place)
}

/// Notes that the observers are to be told of a change.
pub(super) fn tell_observers(synced: &Synced, deferred: &mut Deferred) {
    let observers = synced.cold.get().map(|cold| &cold.owners.observers);
    if let Some((first, others)) = observers.and_then(Few::split_first) {
        deferred.tell_observers(first, others);
    }
}

/// Notes that the owners are to be told that the deadlines of this part have run out.
pub(super) fn tell_owners(
    synced: &mut Synced,
    unresponsive: &Unresponsive,
    deferred: &mut Deferred,
) {
    let guards = &mut synced.cold().owners.guards;
    guards.change_each(OwnerGuard::share);
    let shared = guards.iter().filter_map(|guard| match guard {
        OwnerGuard::Own(_) => None,
        OwnerGuard::Shared(guard) => Some((Arc::clone(guard), unresponsive.clone())),
    });
    deferred.cold().stuck = shared.collect();
}

/// Lets go of the owners, since the cycle has ended.
pub(super) fn leave(synced: &mut Synced, deferred: &mut Deferred) {
    let Some(cold) = synced.cold.get_mut() else {
        return;
    };
    while let Some(guard) = cold.owners.guards.pop() {
        deferred.leave(guard);
    }
}
