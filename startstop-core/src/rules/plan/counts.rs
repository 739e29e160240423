//! What is counted, kept in step: of each place what its neighbours wait for, of all how many are what.
//!
//! Each change costs as much as the place has edges.

use super::Board;
use super::node::{Fate, Place};
use crate::rules::graph::Id;

/// How many members are what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Counts {
    pub(super) alive: usize,
    /// How many the group waits for before it has started.
    pub(super) awaited: usize,
    /// How many are to start yet.
    pub(super) pending: usize,
    pub(super) completed: usize,
    /// How many have failed and stay so.
    pub(super) failed: usize,
}

impl Counts {
    fn of(place: &Place) -> Self {
        if place.barrier {
            return Self::default();
        }
        Self {
            alive: usize::from(place.fate.is_alive()),
            awaited: usize::from(place.is_awaited()),
            pending: usize::from(place.is_pending()),
            completed: usize::from(place.fate == Fate::Completed),
            failed: usize::from(place.fate == Fate::Ended),
        }
    }

    fn step(&mut self, was: Self, is: Self) {
        let step = |count: &mut usize, was: usize, is: usize| *count = *count + is - was;
        step(&mut self.alive, was.alive, is.alive);
        step(&mut self.awaited, was.awaited, is.awaited);
        step(&mut self.pending, was.pending, is.pending);
        step(&mut self.completed, was.completed, is.completed);
        step(&mut self.failed, was.failed, is.failed);
    }
}

impl Board {
    /// Changes a place, and what is counted with it.
    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut Place)) {
        let place = self.place_mut(id);
        let was = (Counts::of(place), place.is_unsettled());
        change(place);
        let is = (Counts::of(place), place.is_unsettled());
        self.counts.step(was.0, is.0);
        match (was.1, is.1) {
            (false, true) => drop(self.unsettled.insert(id)),
            (true, false) => drop(self.unsettled.remove(&id)),
            _ => {}
        }
    }

    /// Counts all places anew.
    pub(super) fn count_all(&mut self) {
        self.counts = Counts::default();
        self.unsettled.clear();
        for (at, place) in self.places.iter().enumerate() {
            let Some(place) = place else { continue };
            self.counts.step(Counts::default(), Counts::of(place));
            if place.is_unsettled() {
                self.unsettled.insert(Id(at));
            }
        }
    }

    /// Counts a place that is added.
    pub(super) fn count_in(&mut self, id: Id) {
        let place = self.place(id);
        let (counts, unsettled) = (Counts::of(place), place.is_unsettled());
        self.counts.step(Counts::default(), counts);
        if unsettled {
            self.unsettled.insert(id);
        }
    }

    /// Counts a place no more.
    pub(super) fn count_out(&mut self, id: Id, place: &Place) {
        self.counts.step(Counts::of(place), Counts::default());
        self.unsettled.remove(&id);
    }

    /// Tells those that depend on it. What is not good is not so behind barriers either.
    pub(super) fn set_good(&mut self, id: Id, good: bool) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let place = self.place_mut(id);
            if std::mem::replace(&mut place.good, good) == good {
                continue;
            }
            if place.barrier && !good {
                // It waits again, or fails those behind it if what it waits for has ended.
                (place.fate, place.was_ready) = (Fate::Pending, false);
                self.dirty.push_back(id);
            }
            let place = self.place(id);
            for dependent in place.dependents.clone() {
                let behind = self.place_mut(dependent);
                if good {
                    behind.unready -= 1;
                    self.dirty.push_back(dependent);
                    continue;
                }
                behind.unready += 1;
                if behind.barrier {
                    open.push(dependent);
                }
            }
        }
    }

    pub(super) fn set_fate(&mut self, id: Id, fate: Fate) {
        self.change(id, |place| {
            place.fate = fate;
            place.by_itself = false;
            place.told = fate == Fate::Falling || (place.told && fate != Fate::Starting);
        });
    }

    /// Notes whether the member has been ready since it was last told to start.
    pub(super) fn set_was_ready(&mut self, id: Id, was_ready: bool) {
        self.change(id, |place| place.was_ready = was_ready);
    }

    /// A member that goes down keeps those that it depends on from going down.
    pub(super) fn count_blocker(&mut self, id: Id) {
        if std::mem::replace(&mut self.place_mut(id).blocks, true) {
            return;
        }
        for dep in self.place(id).deps.clone() {
            self.place_mut(dep).blockers += 1;
        }
    }

    /// A member that is down, as all that depend on it, keeps nobody any more.
    pub(super) fn unblock_deps(&mut self, id: Id) {
        if !std::mem::replace(&mut self.place_mut(id).blocks, false) {
            return;
        }
        for dep in self.place(id).deps.clone() {
            self.place_mut(dep).blockers -= 1;
            self.dirty.push_back(dep);
        }
    }
}
