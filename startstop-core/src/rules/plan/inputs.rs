//! What the members do, as the group's task has seen it.

use super::node::{Fate, Want};
use super::{Action, Board, Closing, Rest};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnCompletion;

impl Board {
    /// The member is alive, and not ready.
    pub(crate) fn rises(&mut self, id: Id) {
        match self.place(id).fate {
            Fate::Starting | Fate::Falling => {}
            Fate::Up => {
                self.set_fate(id, Fate::Starting);
                self.set_good(id, false);
                self.take_bound_down(id);
            }
            Fate::Pending | Fate::Completed | Fate::Ended | Fate::Parked => self.is_started(id),
        }
        self.dirty.push_back(id);
    }

    /// Its handle has started the member, which was at rest.
    fn is_started(&mut self, id: Id) {
        self.take_out(id);
        self.falling += usize::from(self.place(id).restarts);
        self.set_fate(id, Fate::Starting);
        self.change(id, |place| (place.was_ready, place.idle, place.again) = (false, false, false));
        self.set_good(id, false);
        self.revive_behind(id);
        let binds = self.place(id).binds.clone();
        self.dirty.extend(binds);
        if self.place(id).want == Want::Down {
            self.count_blocker(id);
        }
    }

    /// A restart that would start the member does so no more, for its handle has.
    fn take_out(&mut self, id: Id) {
        let place = self.place_mut(id);
        let (restarts, rebinds) = (place.restarts, place.rebinds);
        if place.leaves || !(restarts || rebinds) {
            return;
        }
        (place.restarts, place.rebinds, place.want) = (false, false, Want::Up);
        self.unblock_deps(id);
        if restarts {
            self.restarting.retain(|other| *other != id);
            self.raise_if_down();
        }
    }

    /// A member that was told to stop has ended, and was started again by its handle: it is told again.
    pub(crate) fn comes_back(&mut self, id: Id) {
        if self.place(id).fate == Fate::Falling {
            self.set_fate(id, Fate::Starting);
            self.dirty.push_back(id);
        }
    }

    /// The barriers behind a member that rises have something to wait for again.
    pub(super) fn revive_behind(&mut self, id: Id) {
        let mut open = self.place(id).dependents.clone();
        while let Some(id) = open.pop() {
            let place = self.place(id);
            if place.barrier && place.fate == Fate::Ended {
                open.extend(&place.dependents);
                self.set_fate(id, Fate::Pending);
                self.dirty.push_back(id);
            }
        }
    }

    /// Whether the member says that it is ready now.
    pub(crate) fn set_ready(&mut self, id: Id, ready: bool) {
        self.change(id, |place| place.ready = ready);
    }

    /// The member is ready.
    pub(crate) fn comes_up(&mut self, id: Id) {
        if self.place(id).fate != Fate::Up {
            self.rises(id);
        }
        if self.place(id).want == Want::Down {
            // Nobody starts on what is on its way down.
            return;
        }
        self.change(id, |place| place.fresh = false);
        if self.place(id).fate == Fate::Starting {
            self.set_fate(id, Fate::Up);
        }
        self.set_was_ready(id, true);
        self.set_good(id, true);
    }

    /// The member was ready for a moment, before anybody looked: what waited for that goes on.
    pub(crate) fn flashes(&mut self, id: Id) {
        self.comes_up(id);
        self.follow();
        self.rises(id);
    }

    /// The member has come to rest. `allowed` says whether the limit allows another restart, and is asked once for each
    /// restart that begins.
    pub(crate) fn rests(&mut self, id: Id, rest: Rest, allowed: impl FnOnce() -> bool) {
        let place = self.place_mut(id);
        place.failing = false;
        place.stuck = rest == Rest::Stuck;
        let down = place.want == Want::Down;
        let stays = down && self.stays_down(id, rest);
        if down && !stays {
            self.comes_down(id);
            return;
        }
        if stays {
            self.falling -= usize::from(self.place(id).restarts);
            self.dirty.push_back(id);
        }
        match rest {
            Rest::Completed => self.complete(id),
            Rest::Own if self.place(id).policy.on_completion == OnCompletion::StopGroup => {
                self.complete(id);
            }
            Rest::Told | Rest::Own => self.settle(id, Fate::Parked),
            Rest::Failed | Rest::Stuck => self.fail(id, allowed),
        }
        if stays {
            self.raise_if_down();
        }
    }

    /// One that was given up on has ended after all.
    pub(crate) fn ends(&mut self, id: Id) {
        if std::mem::take(&mut self.place_mut(id).stuck) {
            self.dirty.push_back(id);
            self.raise_if_down();
        }
    }

    /// Whether a restart, or what it is bound to, takes the member down and leaves it there: it has completed, or
    /// somebody else has stopped it.
    fn stays_down(&self, id: Id, rest: Rest) -> bool {
        let place = self.place(id);
        let comes_again = (place.restarts || place.rebinds) && !place.leaves;
        let by_itself = place.by_itself || place.fate != Fate::Falling;
        let by_others = match rest {
            Rest::Completed | Rest::Own => true,
            Rest::Told => by_itself,
            Rest::Failed | Rest::Stuck => false,
        };
        comes_again && place.fate.is_alive() && by_others
    }

    /// The group tells the member to stop, which is at rest already, or on its way there.
    pub(crate) fn goes_by_itself(&mut self, id: Id) {
        self.place_mut(id).by_itself = true;
    }

    fn complete(&mut self, id: Id) {
        self.change(id, |place| (place.fresh, place.was_ready) = (false, true));
        self.settle(id, Fate::Completed);
        if self.place(id).policy.on_completion == OnCompletion::StopGroup && !self.draining {
            self.close(Closing::Completed);
        }
    }

    /// The member rests for good, and those that wait for it have to know.
    pub(super) fn settle(&mut self, id: Id, fate: Fate) {
        let was_up = self.place(id).fate == Fate::Up;
        self.set_fate(id, fate);
        self.set_good(id, self.place(id).was_ready);
        // What is bound to it may have been started while it was down, and stays so until it goes down itself.
        if fate == Fate::Ended || fate == Fate::Parked && was_up {
            self.take_bound_down(id);
        }
        let place = self.place(id);
        let waiting = if place.good { &place.binds } else { &place.dependents };
        self.dirty.extend(waiting.clone());
        self.leave_if_transient(id);
    }

    /// A member that stays until it has ended has done so.
    pub(super) fn leave_if_transient(&mut self, id: Id) {
        if self.place(id).is_transient() {
            self.change(id, |place| place.leaves = true);
            self.actions.push(Action::Removed(id));
        }
    }
}
