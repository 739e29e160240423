//! What a failure means for the others, and the restart of members as one.
//!
//! All that restart go down, in reverse order; once all of them are down, have really ended, and the backoff is over, they come up
//! in order. A failure meanwhile adds to them, and does not put that off.

use super::node::{MemberState, PlanNode, Target};
use super::{Closing, GroupPlan};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnFailure;

impl GroupPlan {
    pub(super) fn fail(&mut self, id: Id, allowed: impl FnOnce() -> bool) {
        let node = self.node(id);
        if node.fresh {
            self.settle(id, MemberState::Ended);
            return;
        }
        let set = match node.policy.on_failure {
            OnFailure::Ignore => return self.settle(id, MemberState::Ended),
            // A stop wins over any restart, and it has begun.
            _ if self.draining => return self.settle(id, MemberState::Ended),
            OnFailure::StopGroup => None,
            // Nothing restarts it, and nothing depends on it.
            OnFailure::RestartMember | OnFailure::RestartDependents if node.is_transient() => {
                return self.settle(id, MemberState::Ended);
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
        self.set_fate(id, MemberState::Ended);
        self.leave_if_transient(id);
        self.close(closing);
    }

    fn with_dependents(&self, id: Id) -> Vec<Id> {
        let mut seen = vec![false; self.nodes.len()];
        seen[id.0] = true;
        let mut set = vec![id];
        let mut at = 0;
        while let Some(next) = set.get(at).copied() {
            at += 1;
            for dependent in &self.node(next).dependents {
                if !std::mem::replace(&mut seen[dependent.0], true) {
                    set.push(*dependent);
                }
            }
        }
        set
    }

    fn all(&self) -> Vec<Id> {
        let there = |(at, node): (usize, &Option<PlanNode>)| node.is_some().then_some(Id(at));
        self.nodes.iter().enumerate().filter_map(there).collect()
    }

    /// Takes a set down and up again, because `failed` has failed. The first of several begins the backoff.
    fn restart(&mut self, failed: Id, set: &[Id]) {
        if !self.is_restarting() {
            self.pausing = true;
        }
        self.set_fate(failed, MemberState::Pending);
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
        let node = self.node(id);
        if node.restarts || node.leaves {
            // What waits to be removed goes down now, for what it depends on may go down as well.
            self.take_down(id);
            return;
        }
        let stays = matches!(
            node.state,
            MemberState::Pending | MemberState::Completed | MemberState::StoppedByHandle
        );
        let alive = node.state.is_alive();
        let node = self.place_mut(id);
        (node.restarts, node.rebinds) = (true, false);
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
            self.change(id, |node| (node.was_ready, node.again) = (false, true));
            self.set_fate(id, MemberState::Pending);
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
        if self.pausing || self.restarting.iter().any(|id| self.node(*id).stuck) {
            return;
        }
        for id in std::mem::take(&mut self.restarting) {
            let node = self.place_mut(id);
            node.restarts = false;
            if node.leaves {
                continue;
            }
            node.target = Target::Up;
            self.unblock_deps(id);
            self.pending.push_back(id);
        }
    }

    /// Those who have waited until all that restart are down.
    fn release_those_who_wait(&mut self) {
        for at in 0..self.nodes.len() {
            let Some(node) = &self.nodes[at] else { continue };
            let (leaves, fresh) = (node.leaves, node.fresh);
            if leaves {
                self.take_down(Id(at));
                self.leave_if_down(Id(at));
            } else if fresh {
                self.pending.push_back(Id(at));
            }
        }
    }
}
