//! What a failure means for the others, and the restart of members as one.
//!
//! All that restart go down, in reverse order; once all of them are down they come up in order. A failure
//! meanwhile adds to them.

use super::node::{Fate, Place, Want};
use super::{Board, Closing, Rest};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnFailure;

impl Board {
    pub(super) fn fail(&mut self, id: Id, rest: Rest, allowed: impl FnOnce() -> bool) {
        if self.place(id).fresh {
            self.settle(id, Fate::Ended);
            return;
        }
        let set = match self.place(id).on_failure {
            OnFailure::Ignore => return self.settle(id, Fate::Ended),
            // A stop wins over any restart, and it has begun.
            _ if self.draining => return self.settle(id, Fate::Ended),
            OnFailure::StopGroup => None,
            // What does not yield cannot be restarted.
            _ if rest == Rest::Stuck => None,
            OnFailure::RestartMember => Some(vec![id]),
            OnFailure::RestartDependents => Some(self.with_dependents(id)),
            OnFailure::RestartAll => Some(self.all()),
        };
        match set {
            None => {
                self.set_fate(id, Fate::Ended);
                self.close(Closing::Failed(id));
            }
            // A failure during a restart merges into it.
            Some(set) if self.falling > 0 || allowed() => self.restart(id, &set),
            Some(_) => {
                self.set_fate(id, Fate::Ended);
                self.close(Closing::Limit(id));
            }
        }
    }

    fn with_dependents(&self, id: Id) -> Vec<Id> {
        let mut seen = vec![false; self.places.len()];
        seen[id.0] = true;
        let mut set = vec![id];
        let mut at = 0;
        while let Some(next) = set.get(at).copied() {
            at += 1;
            for dependent in &self.place(next).dependents {
                if !std::mem::replace(&mut seen[dependent.0], true) {
                    set.push(*dependent);
                }
            }
        }
        set
    }

    fn all(&self) -> Vec<Id> {
        let there = |(at, place): (usize, &Option<Place>)| place.is_some().then_some(Id(at));
        self.places.iter().enumerate().filter_map(there).collect()
    }

    /// Takes a set down and up again, because `failed` has failed.
    fn restart(&mut self, failed: Id, set: &[Id]) {
        self.set_fate(failed, Fate::Pending);
        for id in set.iter().copied() {
            self.place_mut(id).failing = false;
            let place = self.place(id);
            let stays = matches!(place.fate, Fate::Pending | Fate::Completed | Fate::Parked);
            if place.restarts || place.leaves {
                // What waits to be removed goes down now, for what it depends on may go down as well.
                self.take_down(id);
                continue;
            }
            self.place_mut(id).restarts = true;
            self.restarting.push(id);
            if stays && id != failed {
                // It only has its dependencies wait until those that depend on it are down.
                self.take_down(id);
                continue;
            }
            self.set_good(id, false);
            if self.place(id).fate.is_alive() {
                // It may yet turn out that somebody else has stopped it: then it was ready.
                self.falling += 1;
            } else {
                self.set_was_ready(id, false);
                self.set_fate(id, Fate::Pending);
            }
            self.take_down(id);
        }
        self.raise_if_down();
    }

    /// Once all that restart are down, they come up in order.
    pub(super) fn raise_if_down(&mut self) {
        if self.falling > 0 || self.closing.is_some() {
            return;
        }
        for id in std::mem::take(&mut self.restarting) {
            self.unblock_deps(id);
            let place = self.place_mut(id);
            place.restarts = false;
            place.want = Want::Up;
            self.dirty.push_back(id);
        }
        // Those who have waited for the end of the restart.
        for at in 0..self.places.len() {
            let Some(place) = &self.places[at] else { continue };
            let (leaves, fresh) = (place.leaves, place.fresh);
            if leaves {
                self.take_down(Id(at));
                self.leave_if_down(Id(at));
            } else if fresh {
                self.dirty.push_back(Id(at));
            }
        }
    }
}
