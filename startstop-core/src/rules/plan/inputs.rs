//! What the members do, as the group's task has seen it.

use super::node::{Fate, Want};
use super::{Board, Closing, Rest};
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
            }
            Fate::Pending | Fate::Completed | Fate::Ended | Fate::Parked => {
                self.set_fate(id, Fate::Starting);
                self.set_was_ready(id, false);
                self.set_good(id, false);
                self.revive_behind(id);
                self.falling += usize::from(self.place(id).restarts);
                if self.place(id).want == Want::Down {
                    self.count_blocker(id);
                }
            }
        }
        self.dirty.push_back(id);
    }

    /// A member that was told to stop has ended, and was started again by its handle: it is told again.
    pub(crate) fn comes_back(&mut self, id: Id) {
        if self.place(id).fate == Fate::Falling {
            self.set_fate(id, Fate::Starting);
            self.dirty.push_back(id);
        }
    }

    /// The barriers behind a member that rises have something to wait for again.
    fn revive_behind(&mut self, id: Id) {
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

    /// The member is ready.
    pub(crate) fn comes_up(&mut self, id: Id) {
        if self.place(id).fate != Fate::Up {
            self.rises(id);
        }
        let place = self.place_mut(id);
        if place.want == Want::Down {
            // Nobody starts on what is on its way down.
            return;
        }
        place.fresh = false;
        if place.fate == Fate::Starting {
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

    /// The member has come to rest. `allowed` says whether the limit allows another restart.
    pub(crate) fn rests(&mut self, id: Id, rest: Rest, allowed: impl FnOnce() -> bool) {
        let place = self.place_mut(id);
        place.failing = false;
        let down = place.want == Want::Down;
        let stays = down && self.stays_down(id, rest);
        if down && !stays {
            self.comes_down(id);
            return;
        }
        if stays {
            self.falling -= 1;
            self.dirty.push_back(id);
        }
        match rest {
            Rest::Completed => self.complete(id),
            Rest::Told => self.settle(id, Fate::Parked),
            Rest::Failed | Rest::Stuck => self.fail(id, rest, allowed),
        }
        if stays {
            self.raise_if_down();
        }
    }

    /// Whether the restart that takes the member down leaves it there: it has completed, or somebody else has
    /// stopped it.
    fn stays_down(&self, id: Id, rest: Rest) -> bool {
        let place = self.place(id);
        let restarts = place.restarts && !place.leaves && place.fate.is_alive();
        let by_itself = place.by_itself || place.fate != Fate::Falling;
        restarts && (rest == Rest::Completed || rest == Rest::Told && by_itself)
    }

    /// The group tells the member to stop, which is at rest already, or on its way there.
    pub(crate) fn goes_by_itself(&mut self, id: Id) {
        self.place_mut(id).by_itself = true;
    }

    fn complete(&mut self, id: Id) {
        self.place_mut(id).fresh = false;
        self.set_was_ready(id, true);
        self.settle(id, Fate::Completed);
        if self.place(id).on_completion == OnCompletion::StopGroup && !self.draining {
            self.close(Closing::Completed);
        }
    }

    /// The member rests for good, and those that wait for it have to know.
    pub(super) fn settle(&mut self, id: Id, fate: Fate) {
        self.set_fate(id, fate);
        self.set_good(id, self.place(id).was_ready);
        let place = self.place(id);
        if !place.good {
            let dependents = place.dependents.clone();
            self.dirty.extend(dependents);
        }
    }
}
