//! The inputs of the plan: the deeds of the members, as the group's task has seen them.

use super::node::{Hindrance, MemberState, PlanNode, TakenDown, Target, Told};
use super::{
    Action, Closing, GroupPlan, MemberEnd, PlanStage, actions, binding, counts, restart, stopping,
};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnCompletion;

impl GroupPlan {
    /// The group begins to run: every member is to start.
    pub(crate) fn open(&mut self) {
        self.actions.clear();
        self.pending.clear();
        self.restarting.clear();
        self.stage = PlanStage::Open;
        (self.not_down, self.pausing) = (0, false);
        for (at, node) in self.nodes.iter_mut().enumerate() {
            let Some(node) = node else { continue };
            node.reset();
            // The others are looked at when something becomes of what they depend on.
            if node.deps.is_empty() {
                self.pending.push_back(Id(at));
            }
        }
        counts::count_all(self);
    }

    /// The group does not run any more.
    pub(crate) fn shut(&mut self) {
        self.stage = PlanStage::Shut;
        self.actions.clear();
        self.pending.clear();
        // A removal that was not carried out is over.
        self.nodes
            .iter_mut()
            .flatten()
            .for_each(|node| node.kind.stay());
    }

    /// The member is alive, and not ready.
    pub(crate) fn on_starting(&mut self, id: Id) {
        match self.node(id).state {
            MemberState::Starting | MemberState::Stopping => return,
            MemberState::Up => {
                counts::set_state(self, id, MemberState::Starting);
                counts::unsatisfy(self, id);
                binding::take_bound_down(self, id);
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
        counts::change(self, id, |node| node.kind.begin());
        self.take_out(id);
        if self.node(id).state == MemberState::Completed {
            // It is none that has completed any more; what was started beside one that was down stays.
            binding::take_bound_down(self, id);
        }
        self.not_down += usize::from(self.node(id).restart.restarts());
        counts::set_state(self, id, MemberState::Starting);
        counts::change(self, id, |node| {
            (
                node.readiness.was_ready,
                node.trouble.idle,
                node.restart.again,
            ) = (false, false, false);
        });
        counts::unsatisfy(self, id);
        self.revive_behind(id);
        let binds = self.node(id).binds.to_vec();
        self.pending.extend(binds);
        if self.node(id).target == Target::Down {
            counts::count_blocker(self, id);
        }
    }

    /// A restart that would start the member does so no more, for its handle has.
    fn take_out(&mut self, id: Id) {
        let node = self.node_mut(id);
        if node.kind.leaves() || !node.restart.comes_again() {
            return;
        }
        let was = std::mem::take(&mut node.restart.taken_down);
        node.target = Target::Up;
        counts::unblock_deps(self, id);
        if was == TakenDown::Restarts {
            self.restarting.retain(|other| *other != id);
            restart::raise_if_down(self);
        }
    }

    /// A member that was told to stop has ended, and was started again by its handle. That takes it out of a restart, as if it had
    /// been seen at rest in between; one that is to stay down is told again.
    pub(crate) fn on_restarted(&mut self, id: Id) {
        let node = self.node(id);
        if node.state != MemberState::Stopping {
            return;
        }
        if node.restart.comes_again() && !node.kind.leaves() {
            stopping::comes_down(self, id);
            return;
        }
        counts::set_state(self, id, MemberState::Starting);
        self.pending.push_back(id);
    }

    /// The barriers behind a member that rises have something to wait for again.
    pub(super) fn revive_behind(&mut self, id: Id) {
        let mut open = self.ended_barriers_behind(id);
        while let Some(id) = open.pop() {
            if self.node(id).state == MemberState::Ended {
                open.extend(self.ended_barriers_behind(id));
                counts::set_state(self, id, MemberState::Pending);
                self.pending.push_back(id);
            }
        }
    }

    fn ended_barriers_behind(&self, id: Id) -> Vec<Id> {
        let has_ended = |id: &Id| {
            let node = self.node(*id);
            node.kind.is_barrier() && node.state == MemberState::Ended
        };
        let dependents = self.node(id).dependents.iter();
        dependents.copied().filter(has_ended).collect()
    }

    /// The member says that it is ready now.
    pub(crate) fn says_ready(&mut self, id: Id) {
        if !self.node(id).readiness.ready {
            counts::change(self, id, |node| node.readiness.ready = true);
        }
    }

    /// The member says that it is not ready now.
    pub(crate) fn says_not_ready(&mut self, id: Id) {
        if self.node(id).readiness.ready {
            counts::change(self, id, |node| node.readiness.ready = false);
        }
    }

    /// The member is ready.
    pub(crate) fn on_ready(&mut self, id: Id) {
        if self.node(id).state != MemberState::Up {
            self.on_starting(id);
        }
        let node = self.node(id);
        let (rises, goes_down) = (
            node.state == MemberState::Starting,
            // Nobody starts on what is on its way down.
            node.target == Target::Down,
        );
        if rises || !goes_down {
            counts::change(self, id, |node| {
                if rises {
                    node.enter(MemberState::Up);
                }
                if !goes_down {
                    node.came_up();
                }
            });
        }
        if !goes_down {
            counts::satisfy(self, id);
        }
    }

    /// The member was ready for a moment, before anybody looked: what waited for that goes on.
    pub(crate) fn on_ready_briefly(&mut self, id: Id) {
        self.on_ready(id);
        actions::follow(self);
        self.on_starting(id);
    }

    /// The member has come to rest. `allowed` says whether the limit allows another restart, and is asked once for each
    /// restart that begins.
    pub(crate) fn on_ended(&mut self, id: Id, rest: MemberEnd, allowed: impl FnOnce() -> bool) {
        let node = self.node_mut(id);
        node.trouble.hindrance = match rest {
            MemberEnd::Stuck => Hindrance::Stuck,
            _ => Hindrance::None,
        };
        let down = node.target == Target::Down;
        let stays = down && self.stays_down(id, rest);
        if down && !stays {
            stopping::comes_down(self, id);
            return;
        }
        if stays {
            self.not_down -= usize::from(self.node(id).restart.restarts());
            self.pending.push_back(id);
        }
        match rest {
            MemberEnd::Completed => self.complete(id),
            MemberEnd::Own if self.node(id).policy.on_completion == OnCompletion::StopGroup => {
                self.complete(id);
            }
            MemberEnd::Told | MemberEnd::Own => self.settle(id, MemberState::StoppedByHandle),
            MemberEnd::Failed | MemberEnd::Stuck => restart::fail(self, id, allowed),
        }
        if stays {
            restart::raise_if_down(self);
        }
    }

    /// One that was given up on has ended after all.
    pub(crate) fn ends(&mut self, id: Id) {
        let hindrance = &mut self.node_mut(id).trouble.hindrance;
        if *hindrance == Hindrance::Stuck {
            *hindrance = Hindrance::None;
            self.pending.push_back(id);
            restart::raise_if_down(self);
        }
    }

    /// Returns whether a restart, or what it is bound to, takes the member down and leaves it there: it has completed, or
    /// somebody else has stopped it.
    fn stays_down(&self, id: Id, rest: MemberEnd) -> bool {
        let node = self.node(id);
        let comes_again = node.restart.comes_again() && !node.kind.leaves();
        let by_itself = node.stopping.told == Told::InVain || node.state != MemberState::Stopping;
        let by_others = match rest {
            MemberEnd::Completed | MemberEnd::Own => true,
            MemberEnd::Told => by_itself,
            MemberEnd::Failed | MemberEnd::Stuck => false,
        };
        comes_again && node.state.is_alive() && by_others
    }

    /// The group tells the member to stop, which is at rest already, or on its way there.
    pub(crate) fn on_ending_unasked(&mut self, id: Id) {
        self.node_mut(id).stopping.told = Told::InVain;
    }

    fn complete(&mut self, id: Id) {
        counts::change(self, id, PlanNode::came_up);
        self.settle(id, MemberState::Completed);
        if self.node(id).policy.on_completion == OnCompletion::StopGroup
            && self.stage != PlanStage::Draining
        {
            self.close(Closing::Completed);
        }
    }

    /// The member rests for good, and those that wait for it have to know.
    pub(super) fn settle(&mut self, id: Id, state: MemberState) {
        let was_up = self.node(id).state == MemberState::Up;
        counts::set_state(self, id, state);
        if self.node(id).readiness.was_ready {
            counts::satisfy(self, id);
        } else {
            counts::unsatisfy(self, id);
        }
        // What is bound to it may have been started while it was down, and stays so until it goes down itself.
        if state == MemberState::Ended || state == MemberState::StoppedByHandle && was_up {
            binding::take_bound_down(self, id);
        }
        let node = self.node(id);
        let waiting = if node.readiness.satisfied {
            &*node.binds
        } else {
            &*node.dependents
        };
        self.pending.extend(waiting.to_vec());
        self.leave_if_transient(id);
    }

    /// A member that stays until it has ended has done so.
    pub(super) fn leave_if_transient(&mut self, id: Id) {
        if self.node(id).is_transient() {
            counts::change(self, id, |node| node.kind.end());
            self.actions.push(Action::Removed(id));
        }
    }

    /// The group is told to end.
    pub(crate) fn close(&mut self, why: Closing) {
        if matches!(self.stage, PlanStage::Shut | PlanStage::Closing(_)) {
            return;
        }
        self.stage = PlanStage::Closing(why);
        stopping::give_up_restarts(self);
        stopping::take_all_down(self);
    }

    /// The group is about to be told to end: nothing starts any more, what is on its way up goes down, and what is up goes
    /// on for now.
    pub(crate) fn drain(&mut self) {
        if self.stage != PlanStage::Open {
            return;
        }
        self.stage = PlanStage::Draining;
        stopping::give_up_restarts(self);
        for at in 0..self.nodes.len() {
            let starts = self.nodes[at]
                .as_ref()
                .is_some_and(|node| node.state == MemberState::Starting);
            if starts && !self.node(Id(at)).kind.is_barrier() {
                stopping::take_down(self, Id(at));
            }
        }
    }

    /// The member is to leave the group.
    pub(crate) fn remove(&mut self, id: Id) {
        counts::change(self, id, |node| node.kind.remove());
        if self.not_down == 0 {
            stopping::take_down(self, id);
            stopping::leave_if_down(self, id);
        }
    }

    /// A member has had its time to stop: those that it depends on wait for it no longer.
    pub(crate) fn is_late(&mut self, id: Id) {
        if self.is_stopping_member(id) {
            counts::unblock_deps(self, id);
        }
    }

    /// The backoff of the restart is over.
    pub(crate) fn backoff_over(&mut self) {
        self.pausing = false;
        restart::raise_if_down(self);
    }

    /// Takes what is to be done now.
    #[cfg(test)]
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.swap_actions(&mut actions);
        actions
    }

    /// The same into an empty list, whose room is used for what follows.
    pub(crate) fn swap_actions(&mut self, actions: &mut Vec<Action>) {
        actions::follow(self);
        std::mem::swap(&mut self.actions, actions);
    }
}
