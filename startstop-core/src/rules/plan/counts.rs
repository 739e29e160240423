//! The counts, kept in step: of each node what its neighbours wait for, of all how many are what.
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
        if node.kind.is_barrier() {
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

/// Changes a node, and what is counted with it.
pub(super) fn change(plan: &mut GroupPlan, id: Id, change: impl FnOnce(&mut PlanNode)) {
    let node = plan.node_mut(id);
    let was = (Counts::of(node), node.is_unsettled());
    change(node);
    let is = (Counts::of(node), node.is_unsettled());
    plan.counts.step(was.0, is.0);
    match (was.1, is.1) {
        (false, true) => {
            plan.unsettled.insert(id);
        }
        (true, false) => plan.unsettled.remove(id),
        _ => {}
    }
}

/// Counts all nodes anew.
pub(super) fn count_all(plan: &mut GroupPlan) {
    plan.counts = Counts::default();
    plan.unsettled.clear();
    for (at, node) in plan.nodes.iter().enumerate() {
        let Some(node) = node else { continue };
        plan.counts.step(Counts::default(), Counts::of(node));
        if node.is_unsettled() {
            plan.unsettled.insert(Id(at));
        }
    }
}

/// Counts a node that is added.
pub(super) fn count_in(plan: &mut GroupPlan, id: Id) {
    let node = plan.node(id);
    let (counts, unsettled) = (Counts::of(node), node.is_unsettled());
    plan.counts.step(Counts::default(), counts);
    if unsettled {
        plan.unsettled.insert(id);
    }
}

/// Counts a node no more.
pub(super) fn count_out(plan: &mut GroupPlan, id: Id, node: &PlanNode) {
    plan.counts.step(Counts::of(node), Counts::default());
    plan.unsettled.remove(id);
}

/// The member is ready, or rests and was: its dependents may start.
pub(super) fn satisfy(plan: &mut GroupPlan, id: Id) {
    if std::mem::replace(&mut plan.node_mut(id).readiness.satisfied, true) {
        return;
    }
    for at in 0..plan.node(id).dependents.len() {
        let dependent = plan.node(id).dependents[at];
        plan.node_mut(dependent).unready -= 1;
        plan.pending.push_back(dependent);
    }
}

/// The member is not ready any more, nor are the barriers behind it: their dependents wait.
pub(super) fn unsatisfy(plan: &mut GroupPlan, id: Id) {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let node = plan.node_mut(id);
        if !std::mem::replace(&mut node.readiness.satisfied, false) {
            continue;
        }
        if node.kind.is_barrier() {
            // It waits again, or fails those behind it if what it waits for has ended.
            (node.state, node.readiness.was_ready) = (MemberState::Pending, false);
            plan.pending.push_back(id);
        }
        for at in 0..plan.node(id).dependents.len() {
            let dependent = plan.node(id).dependents[at];
            let behind = plan.node_mut(dependent);
            behind.unready += 1;
            if behind.kind.is_barrier() {
                open.push(dependent);
            }
        }
    }
}

pub(super) fn set_state(plan: &mut GroupPlan, id: Id, state: MemberState) {
    change(plan, id, |node| node.enter(state));
}

/// A member that goes down keeps those that it depends on from going down.
pub(super) fn count_blocker(plan: &mut GroupPlan, id: Id) {
    if std::mem::replace(&mut plan.node_mut(id).stopping.blocks, true) {
        return;
    }
    for at in 0..plan.node(id).deps.len() {
        let dep = plan.node(id).deps[at];
        plan.node_mut(dep).blockers += 1;
    }
}

/// A member that is down, as all that depend on it, keeps nobody any more.
pub(super) fn unblock_deps(plan: &mut GroupPlan, id: Id) {
    if !std::mem::replace(&mut plan.node_mut(id).stopping.blocks, false) {
        return;
    }
    for at in 0..plan.node(id).deps.len() {
        let dep = plan.node(id).deps[at];
        plan.node_mut(dep).blockers -= 1;
        plan.pending.push_back(dep);
    }
}
