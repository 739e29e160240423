//! The way down: of all, of one that leaves, of those that restart.

use super::node::{MemberState, Target};
use super::{Action, Closing, GroupPlan};
use crate::rules::graph::Id;

impl GroupPlan {
    /// The group is told to end.
    pub(crate) fn close(&mut self, why: Closing) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some(why);
        self.give_up_restarts();
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_some() {
                self.take_down(Id(at));
            }
        }
    }

    /// The group is about to be told to end: nothing starts any more, what is on its way up goes down, and what is up goes
    /// on for now.
    pub(crate) fn drain(&mut self) {
        if self.is_stopping() {
            return;
        }
        self.draining = true;
        self.give_up_restarts();
        for at in 0..self.nodes.len() {
            let starts =
                self.nodes[at].as_ref().is_some_and(|node| node.state == MemberState::Starting);
            if starts && !self.node(Id(at)).barrier {
                self.take_down(Id(at));
            }
        }
    }

    /// The members that are up, and drain with the group.
    pub(crate) fn draining(&self) -> Vec<Id> {
        let is_up = |id: &Id| self.look_up(*id).is_some_and(|node| node.state == MemberState::Up);
        (0..self.nodes.len()).map(Id).filter(is_up).collect()
    }

    /// The members that were told to stop and are not down.
    pub(crate) fn stopping(&self) -> Vec<Id> {
        let falls =
            |id: &Id| self.look_up(*id).is_some_and(|node| node.state == MemberState::Stopping);
        (0..self.nodes.len()).map(Id).filter(falls).collect()
    }

    /// Whether the member was told to stop and is not down.
    pub(crate) fn is_stopping_member(&self, id: Id) -> bool {
        self.look_up(id).is_some_and(|node| node.state == MemberState::Stopping)
    }

    /// A member has had its time to stop: those that it depends on wait for it no longer.
    pub(crate) fn is_late(&mut self, id: Id) {
        if self.is_stopping_member(id) {
            self.unblock_deps(id);
        }
    }

    /// Those of a restart, or bound to others, that were told to stop end; the others stay as they are.
    fn give_up_restarts(&mut self) {
        (self.falling, self.pausing) = (0, false);
        self.restarting.clear();
        for at in 0..self.nodes.len() {
            let Some(node) = &mut self.nodes[at] else { continue };
            let was_one = std::mem::take(&mut node.restarts) | std::mem::take(&mut node.rebinds);
            if was_one && node.state != MemberState::Stopping && !node.leaves {
                node.target = Target::Up;
                self.unblock_deps(Id(at));
            }
        }
    }

    /// The member is to leave the group.
    pub(crate) fn remove(&mut self, id: Id) {
        self.change(id, |node| node.leaves = true);
        if self.falling == 0 {
            self.take_down(id);
            self.leave_if_down(id);
        }
    }

    pub(super) fn leave_if_down(&mut self, id: Id) {
        if self.node(id).leaves && !self.node(id).state.is_alive() {
            self.actions.push(Action::Removed(id));
        }
    }

    pub(super) fn take_down(&mut self, id: Id) {
        self.place_mut(id).target = Target::Down;
        // It may have been told to go down before and have released its dependencies, while its own dependents
        // were left running. They go down now, so it blocks its dependencies again.
        self.count_blocker(id);
        self.pending.push_back(id);
    }

    /// A member that was to go down is down.
    pub(super) fn comes_down(&mut self, id: Id) {
        let node = self.node(id);
        if !node.state.is_alive() {
            return;
        }
        let (restarts, transient) = (node.restarts, node.is_transient());
        self.set_was_ready(id, false);
        self.set_fate(id, MemberState::Pending);
        self.change(id, |node| {
            node.again = node.restarts || node.rebinds;
            node.leaves |= transient;
        });
        self.pending.push_back(id);
        if restarts {
            self.falling -= 1;
            self.raise_if_down();
        }
        self.leave_if_down(id);
    }
}
