//! What is counted, kept in step: of each place what its neighbours wait for, of all how many are what.
//!
//! Each change costs as much as the place has edges.

use super::Board;
use super::node::Fate;
use crate::rules::graph::Id;

impl Board {
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
        let place = self.place_mut(id);
        let was_awaited = place.is_awaited();
        let old = std::mem::replace(&mut place.fate, fate);
        place.by_itself = false;
        place.told = fate == Fate::Falling || (place.told && fate != Fate::Starting);
        if place.barrier {
            return;
        }
        let is_awaited = place.is_awaited();
        step(&mut self.alive, old.is_alive(), fate.is_alive());
        step(&mut self.awaited, was_awaited, is_awaited);
        step(&mut self.completed, old == Fate::Completed, fate == Fate::Completed);
    }

    /// Notes whether the member has been ready since it was last told to start.
    pub(super) fn set_was_ready(&mut self, id: Id, was_ready: bool) {
        let place = self.place_mut(id);
        let was_awaited = place.is_awaited();
        place.was_ready = was_ready;
        let is_awaited = place.is_awaited();
        step(&mut self.awaited, was_awaited, is_awaited);
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

fn step(count: &mut usize, was: bool, is: bool) {
    *count = *count + usize::from(is) - usize::from(was);
}
