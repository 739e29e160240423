//! What the members do, as the group's task has seen it.

use super::node::{MemberState, Target};
use super::{Action, Closing, GroupPlan, MemberEnd};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnCompletion;

impl GroupPlan {
    /// The member is alive, and not ready.
    pub(crate) fn on_starting(&mut self, id: Id) {
        match self.node(id).state {
            MemberState::Starting | MemberState::Stopping => {}
            MemberState::Up => {
                self.set_fate(id, MemberState::Starting);
                self.set_good(id, false);
                self.take_bound_down(id);
            }
            MemberState::Pending
            | MemberState::Completed
            | MemberState::Ended
            | MemberState::StoppedByHandle => self.is_started(id),
        }
        self.pending.push_back(id);
    }

    /// Its handle has started the member, which was at rest.
    fn is_started(&mut self, id: Id) {
        self.take_out(id);
        self.falling += usize::from(self.node(id).restarts);
        self.set_fate(id, MemberState::Starting);
        self.change(id, |node| (node.was_ready, node.idle, node.again) = (false, false, false));
        self.set_good(id, false);
        self.revive_behind(id);
        let binds = self.node(id).binds.clone();
        self.pending.extend(binds);
        if self.node(id).target == Target::Down {
            self.count_blocker(id);
        }
    }

    /// A restart that would start the member does so no more, for its handle has.
    fn take_out(&mut self, id: Id) {
        let node = self.place_mut(id);
        let (restarts, rebinds) = (node.restarts, node.rebinds);
        if node.leaves || !(restarts || rebinds) {
            return;
        }
        (node.restarts, node.rebinds, node.target) = (false, false, Target::Up);
        self.unblock_deps(id);
        if restarts {
            self.restarting.retain(|other| *other != id);
            self.raise_if_down();
        }
    }

    /// A member that was told to stop has ended, and was started again by its handle: it is told again.
    pub(crate) fn on_restarted(&mut self, id: Id) {
        if self.node(id).state == MemberState::Stopping {
            self.set_fate(id, MemberState::Starting);
            self.pending.push_back(id);
        }
    }

    /// The barriers behind a member that rises have something to wait for again.
    pub(super) fn revive_behind(&mut self, id: Id) {
        let mut open = self.node(id).dependents.clone();
        while let Some(id) = open.pop() {
            let node = self.node(id);
            if node.barrier && node.state == MemberState::Ended {
                open.extend(&node.dependents);
                self.set_fate(id, MemberState::Pending);
                self.pending.push_back(id);
            }
        }
    }

    /// Whether the member says that it is ready now.
    pub(crate) fn set_ready(&mut self, id: Id, ready: bool) {
        self.change(id, |node| node.ready = ready);
    }

    /// The member is ready.
    pub(crate) fn on_ready(&mut self, id: Id) {
        if self.node(id).state != MemberState::Up {
            self.on_starting(id);
        }
        if self.node(id).target == Target::Down {
            // Nobody starts on what is on its way down.
            return;
        }
        self.change(id, |node| node.fresh = false);
        if self.node(id).state == MemberState::Starting {
            self.set_fate(id, MemberState::Up);
        }
        self.set_was_ready(id, true);
        self.set_good(id, true);
    }

    /// The member was ready for a moment, before anybody looked: what waited for that goes on.
    pub(crate) fn on_ready_briefly(&mut self, id: Id) {
        self.on_ready(id);
        self.follow();
        self.on_starting(id);
    }

    /// The member has come to rest. `allowed` says whether the limit allows another restart, and is asked once for each
    /// restart that begins.
    pub(crate) fn on_ended(&mut self, id: Id, rest: MemberEnd, allowed: impl FnOnce() -> bool) {
        let node = self.place_mut(id);
        node.failing = false;
        node.stuck = rest == MemberEnd::Stuck;
        let down = node.target == Target::Down;
        let stays = down && self.stays_down(id, rest);
        if down && !stays {
            self.comes_down(id);
            return;
        }
        if stays {
            self.falling -= usize::from(self.node(id).restarts);
            self.pending.push_back(id);
        }
        match rest {
            MemberEnd::Completed => self.complete(id),
            MemberEnd::Own if self.node(id).policy.on_completion == OnCompletion::StopGroup => {
                self.complete(id);
            }
            MemberEnd::Told | MemberEnd::Own => self.settle(id, MemberState::StoppedByHandle),
            MemberEnd::Failed | MemberEnd::Stuck => self.fail(id, allowed),
        }
        if stays {
            self.raise_if_down();
        }
    }

    /// One that was given up on has ended after all.
    pub(crate) fn ends(&mut self, id: Id) {
        if std::mem::take(&mut self.place_mut(id).stuck) {
            self.pending.push_back(id);
            self.raise_if_down();
        }
    }

    /// Whether a restart, or what it is bound to, takes the member down and leaves it there: it has completed, or
    /// somebody else has stopped it.
    fn stays_down(&self, id: Id, rest: MemberEnd) -> bool {
        let node = self.node(id);
        let comes_again = (node.restarts || node.rebinds) && !node.leaves;
        let by_itself = node.by_itself || node.state != MemberState::Stopping;
        let by_others = match rest {
            MemberEnd::Completed | MemberEnd::Own => true,
            MemberEnd::Told => by_itself,
            MemberEnd::Failed | MemberEnd::Stuck => false,
        };
        comes_again && node.state.is_alive() && by_others
    }

    /// The group tells the member to stop, which is at rest already, or on its way there.
    pub(crate) fn on_ending_unasked(&mut self, id: Id) {
        self.place_mut(id).by_itself = true;
    }

    fn complete(&mut self, id: Id) {
        self.change(id, |node| (node.fresh, node.was_ready) = (false, true));
        self.settle(id, MemberState::Completed);
        if self.node(id).policy.on_completion == OnCompletion::StopGroup && !self.draining {
            self.close(Closing::Completed);
        }
    }

    /// The member rests for good, and those that wait for it have to know.
    pub(super) fn settle(&mut self, id: Id, state: MemberState) {
        let was_up = self.node(id).state == MemberState::Up;
        self.set_fate(id, state);
        self.set_good(id, self.node(id).was_ready);
        // What is bound to it may have been started while it was down, and stays so until it goes down itself.
        if state == MemberState::Ended || state == MemberState::StoppedByHandle && was_up {
            self.take_bound_down(id);
        }
        let node = self.node(id);
        let waiting = if node.satisfied { &node.binds } else { &node.dependents };
        self.pending.extend(waiting.clone());
        self.leave_if_transient(id);
    }

    /// A member that stays until it has ended has done so.
    pub(super) fn leave_if_transient(&mut self, id: Id) {
        if self.node(id).is_transient() {
            self.change(id, |node| node.leaves = true);
            self.actions.push(Action::Removed(id));
        }
    }
}
