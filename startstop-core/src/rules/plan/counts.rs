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

/// The counts in which a node is counted, a bit for each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct CountedAs(u8);

impl CountedAs {
    const NOTHING: Self = Self(0);
    const ALIVE: u8 = 1;
    const AWAITED: u8 = 1 << 1;
    const PENDING: u8 = 1 << 2;
    const COMPLETED: u8 = 1 << 3;
    const FAILED: u8 = 1 << 4;
    const UNSETTLED: u8 = 1 << 5;

    #[inline]
    fn of(node: &PlanNode) -> Self {
        if node.kind.is_barrier() {
            return Self::NOTHING;
        }
        let of_state = match node.state {
            MemberState::Starting | MemberState::Up | MemberState::Stopping => Self::ALIVE,
            MemberState::Completed => Self::COMPLETED,
            MemberState::Ended => Self::FAILED,
            MemberState::Pending | MemberState::StoppedByHandle => 0,
        };
        let bit = |holds: bool, bit: u8| if holds { bit } else { 0 };
        Self(
            of_state
                | bit(node.is_awaited(), Self::AWAITED)
                | bit(node.is_pending(), Self::PENDING)
                | bit(node.is_unsettled(), Self::UNSETTLED),
        )
    }
}

impl Counts {
    /// A node that has counted as `was` counts as `is` from now on.
    fn step(&mut self, was: CountedAs, is: CountedAs) {
        let changed = was.0 ^ is.0;
        let counts = [
            (CountedAs::ALIVE, &mut self.alive),
            (CountedAs::AWAITED, &mut self.awaited),
            (CountedAs::PENDING, &mut self.pending),
            (CountedAs::COMPLETED, &mut self.completed),
            (CountedAs::FAILED, &mut self.failed),
        ];
        for (bit, count) in counts {
            if changed & is.0 & bit != 0 {
                *count += 1;
            } else if changed & bit != 0 {
                *count -= 1;
            }
        }
    }
}

/// The node with this id has counted as `was` and counts as `is` from now on.
#[inline]
fn recount(plan: &mut GroupPlan, id: Id, was: CountedAs, is: CountedAs) {
    plan.counts.step(was, is);
    if (was.0 ^ is.0) & CountedAs::UNSETTLED == 0 {
        return;
    }
    if is.0 & CountedAs::UNSETTLED != 0 {
        plan.unsettled.insert(id);
    } else {
        plan.unsettled.remove(id);
    }
}

/// Changes a node, and what is counted with it.
#[inline]
pub(super) fn change(plan: &mut GroupPlan, id: Id, change: impl FnOnce(&mut PlanNode)) {
    let node = plan.node_mut(id);
    let was = CountedAs::of(node);
    change(node);
    let is = CountedAs::of(node);
    if was != is {
        recount(plan, id, was, is);
    }
}

/// Counts all nodes anew.
pub(super) fn count_all(plan: &mut GroupPlan) {
    plan.counts = Counts::default();
    plan.unsettled.clear();
    for at in 0..plan.nodes.len() {
        if let Some(node) = &plan.nodes[at] {
            let is = CountedAs::of(node);
            recount(plan, Id(at), CountedAs::NOTHING, is);
        }
    }
}

/// Counts a node that is added.
pub(super) fn count_in(plan: &mut GroupPlan, id: Id) {
    let is = CountedAs::of(plan.node(id));
    recount(plan, id, CountedAs::NOTHING, is);
}

/// Counts a node no more.
pub(super) fn count_out(plan: &mut GroupPlan, id: Id, node: &PlanNode) {
    recount(plan, id, CountedAs::of(node), CountedAs::NOTHING);
}

/// The member is ready, or rests and was: its dependents may start.
#[inline]
pub(super) fn satisfy(plan: &mut GroupPlan, id: Id) {
    if std::mem::replace(&mut plan.node_mut(id).readiness.satisfied, true) {
        return;
    }
    let dependents = std::mem::take(&mut plan.node_mut(id).dependents);
    for dependent in &dependents {
        plan.node_mut(*dependent).unready -= 1;
        plan.pending.push_back(*dependent);
    }
    plan.node_mut(id).dependents = dependents;
}

/// The member is not ready any more, nor are the barriers behind it: their dependents wait.
pub(super) fn unsatisfy(plan: &mut GroupPlan, id: Id) {
    let mut open = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next.take().or_else(|| open.pop()) {
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

#[inline]
pub(super) fn set_state(plan: &mut GroupPlan, id: Id, state: MemberState) {
    change(plan, id, |node| node.enter(state));
}

/// A member that goes down keeps those that it depends on from going down.
#[inline]
pub(super) fn count_blocker(plan: &mut GroupPlan, id: Id) {
    if std::mem::replace(&mut plan.node_mut(id).stopping.blocks, true) {
        return;
    }
    let deps = std::mem::take(&mut plan.node_mut(id).deps);
    for dep in &deps {
        plan.node_mut(*dep).blockers += 1;
    }
    plan.node_mut(id).deps = deps;
}

/// A member that is down, as all that depend on it, keeps nobody any more.
#[inline]
pub(super) fn unblock_deps(plan: &mut GroupPlan, id: Id) {
    if !std::mem::replace(&mut plan.node_mut(id).stopping.blocks, false) {
        return;
    }
    let deps = std::mem::take(&mut plan.node_mut(id).deps);
    for dep in &deps {
        plan.node_mut(*dep).blockers -= 1;
        plan.pending.push_back(*dep);
    }
    plan.node_mut(id).deps = deps;
}
