//! What a failure means for the others, and the restart of members as one.
//!
//! All that restart go down, in reverse order; once all of them are down, have really ended, and the backoff is over, they come up
//! in order. A failure meanwhile adds to them, and does not put that off.

use super::node::{Fate, Place, Want};
use super::{Board, Closing};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnFailure;

impl Board {
    pub(super) fn fail(&mut self, id: Id, allowed: impl FnOnce() -> bool) {
        let place = self.place(id);
        if place.fresh {
            self.settle(id, Fate::Ended);
            return;
        }
        let set = match place.policy.on_failure {
            OnFailure::Ignore => return self.settle(id, Fate::Ended),
            // A stop wins over any restart, and it has begun.
            _ if self.draining => return self.settle(id, Fate::Ended),
            OnFailure::StopGroup => None,
            // Nothing restarts it, and nothing depends on it.
            OnFailure::RestartMember | OnFailure::RestartDependents if place.is_transient() => {
                return self.settle(id, Fate::Ended);
            }
            OnFailure::RestartMember => Some(vec![id]),
            OnFailure::RestartDependents => Some(self.with_dependents(id)),
            OnFailure::RestartAll => Some(self.all()),
        };
        match set {
            None => self.end_with(id, Closing::Failed(id)),
            // A failure during a restart merges into it.
            Some(set) if self.is_restarting() || allowed() => self.restart(id, &set),
            Some(_) => self.end_with(id, Closing::Limit(id)),
        }
    }

    fn end_with(&mut self, id: Id, closing: Closing) {
        self.set_fate(id, Fate::Ended);
        self.leave_if_transient(id);
        self.close(closing);
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

    /// Takes a set down and up again, because `failed` has failed. The first of several begins the backoff.
    fn restart(&mut self, failed: Id, set: &[Id]) {
        if !self.is_restarting() {
            self.pausing = true;
        }
        self.set_fate(failed, Fate::Pending);
        self.leave_if_transient(failed);
        for id in set.iter().copied() {
            self.join_restart(id, failed);
        }
        for id in set.iter().copied() {
            self.take_bound_down(id);
        }
        self.raise_if_down();
    }

    fn join_restart(&mut self, id: Id, failed: Id) {
        self.place_mut(id).failing = false;
        let place = self.place(id);
        if place.restarts || place.leaves {
            // What waits to be removed goes down now, for what it depends on may go down as well.
            self.take_down(id);
            return;
        }
        let stays = matches!(place.fate, Fate::Pending | Fate::Completed | Fate::Parked);
        let alive = place.fate.is_alive();
        let place = self.place_mut(id);
        (place.restarts, place.rebinds) = (true, false);
        self.restarting.push(id);
        if stays && id != failed {
            // It only has its dependencies wait until those that depend on it are down.
            self.take_down(id);
            return;
        }
        self.set_good(id, false);
        if alive {
            // It may yet turn out that somebody else has stopped it: then it was ready.
            self.falling += 1;
        } else {
            self.change(id, |place| (place.was_ready, place.again) = (false, true));
            self.set_fate(id, Fate::Pending);
        }
        self.take_down(id);
    }

    /// The backoff of the restart is over.
    pub(crate) fn backoff_over(&mut self) {
        self.pausing = false;
        self.raise_if_down();
    }

    /// Once all that restart are down and may come up again, they do, in order.
    pub(super) fn raise_if_down(&mut self) {
        if self.falling > 0 || self.closing.is_some() {
            return;
        }
        self.release_those_who_wait();
        if self.restarting.is_empty() {
            self.pausing = false;
        }
        if self.pausing || self.restarting.iter().any(|id| self.place(*id).stuck) {
            return;
        }
        for id in std::mem::take(&mut self.restarting) {
            let place = self.place_mut(id);
            place.restarts = false;
            if place.leaves {
                continue;
            }
            place.want = Want::Up;
            self.unblock_deps(id);
            self.dirty.push_back(id);
        }
    }

    /// Those who have waited until all that restart are down.
    fn release_those_who_wait(&mut self) {
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
