//! What is counted, kept in step: of each node what its neighbours wait for, of all how many are what.
//!
//! Each change costs as much as the node has edges.

use super::GroupPlan;
use super::node::{MemberState, PlanNode};
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
    fn of(node: &PlanNode) -> Self {
        if node.barrier {
            return Self::default();
        }
        Self {
            alive: usize::from(node.state.is_alive()),
            awaited: usize::from(node.is_awaited()),
            pending: usize::from(node.is_pending()),
            completed: usize::from(node.state == MemberState::Completed),
            failed: usize::from(node.state == MemberState::Ended),
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

impl GroupPlan {
    /// Changes a node, and what is counted with it.
    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut PlanNode)) {
        let node = self.place_mut(id);
        let was = (Counts::of(node), node.is_unsettled());
        change(node);
        let is = (Counts::of(node), node.is_unsettled());
        self.counts.step(was.0, is.0);
        match (was.1, is.1) {
            (false, true) => drop(self.unsettled.insert(id)),
            (true, false) => drop(self.unsettled.remove(&id)),
            _ => {}
        }
    }

    /// Counts all nodes anew.
    pub(super) fn count_all(&mut self) {
        self.counts = Counts::default();
        self.unsettled.clear();
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            self.counts.step(Counts::default(), Counts::of(node));
            if node.is_unsettled() {
                self.unsettled.insert(Id(at));
            }
        }
    }

    /// Counts a node that is added.
    pub(super) fn count_in(&mut self, id: Id) {
        let node = self.node(id);
        let (counts, unsettled) = (Counts::of(node), node.is_unsettled());
        self.counts.step(Counts::default(), counts);
        if unsettled {
            self.unsettled.insert(id);
        }
    }

    /// Counts a node no more.
    pub(super) fn count_out(&mut self, id: Id, node: &PlanNode) {
        self.counts.step(Counts::of(node), Counts::default());
        self.unsettled.remove(&id);
    }

    /// Tells those that depend on it. What is not good is not so behind barriers either.
    pub(super) fn set_good(&mut self, id: Id, satisfied: bool) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let node = self.place_mut(id);
            if std::mem::replace(&mut node.satisfied, satisfied) == satisfied {
                continue;
            }
            if node.barrier && !satisfied {
                // It waits again, or fails those behind it if what it waits for has ended.
                (node.state, node.was_ready) = (MemberState::Pending, false);
                self.pending.push_back(id);
            }
            let node = self.node(id);
            for dependent in node.dependents.clone() {
                let behind = self.place_mut(dependent);
                if satisfied {
                    behind.unready -= 1;
                    self.pending.push_back(dependent);
                    continue;
                }
                behind.unready += 1;
                if behind.barrier {
                    open.push(dependent);
                }
            }
        }
    }

    pub(super) fn set_fate(&mut self, id: Id, state: MemberState) {
        self.change(id, |node| {
            node.state = state;
            node.by_itself = false;
            node.told =
                state == MemberState::Stopping || (node.told && state != MemberState::Starting);
        });
    }

    /// Notes whether the member has been ready since it was last told to start.
    pub(super) fn set_was_ready(&mut self, id: Id, was_ready: bool) {
        self.change(id, |node| node.was_ready = was_ready);
    }

    /// A member that goes down keeps those that it depends on from going down.
    pub(super) fn count_blocker(&mut self, id: Id) {
        if std::mem::replace(&mut self.place_mut(id).blocks, true) {
            return;
        }
        for dep in self.node(id).deps.clone() {
            self.place_mut(dep).blockers += 1;
        }
    }

    /// A member that is down, as all that depend on it, keeps nobody any more.
    pub(super) fn unblock_deps(&mut self, id: Id) {
        if !std::mem::replace(&mut self.place_mut(id).blocks, false) {
            return;
        }
        for dep in self.node(id).deps.clone() {
            self.place_mut(dep).blockers -= 1;
            self.pending.push_back(dep);
        }
    }
}
