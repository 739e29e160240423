//! The way down: of all, of one that leaves, of those that restart.

use super::node::{MemberState, TakenDown, Target};
use super::{Action, GroupPlan, counts, restart};
use crate::rules::graph::Id;

/// Those of a restart, or bound to others, that were told to stop end; the others stay as they are.
pub(super) fn give_up_restarts(plan: &mut GroupPlan) {
    (plan.not_down, plan.pausing) = (0, false);
    plan.restarting.clear();
    for at in 0..plan.nodes.len() {
        let Some(node) = &mut plan.nodes[at] else {
            continue;
        };
        let was_one = std::mem::take(&mut node.restart.taken_down) != TakenDown::No;
        if was_one && node.state != MemberState::Stopping && !node.kind.leaves() {
            node.target = Target::Up;
            counts::unblock_deps(plan, Id(at));
        }
        // It waited for the end of the restart.
        leave_if_down(plan, Id(at));
    }
}

pub(super) fn leave_if_down(plan: &mut GroupPlan, id: Id) {
    if plan.node(id).kind.leaves() && !plan.node(id).state.is_alive() {
        plan.actions.push(Action::Removed(id));
    }
}

pub(super) fn take_down(plan: &mut GroupPlan, id: Id) {
    plan.node_mut(id).target = Target::Down;
    // It may have been told to go down before and have released its dependencies, while its own dependents
    // were left running. They go down now, so it blocks its dependencies again.
    counts::count_blocker(plan, id);
    plan.pending.push_back(id);
}

/// The same for all.
pub(super) fn take_all_down(plan: &mut GroupPlan) {
    for at in 0..plan.nodes.len() {
        if let Some(node) = &mut plan.nodes[at] {
            node.target = Target::Down;
            counts::count_blocker(plan, Id(at));
        }
    }
    // The others are looked at when nothing is left that they wait for.
    let nodes = (0..).map(Id).zip(&plan.nodes);
    let first = nodes.filter(|(_, node)| node.as_ref().is_some_and(|node| node.blockers == 0));
    plan.pending.extend(first.map(|(id, _)| id));
}

/// A member that was to go down is down.
pub(super) fn comes_down(plan: &mut GroupPlan, id: Id) {
    let node = plan.node(id);
    if !node.state.is_alive() {
        return;
    }
    let (restarts, transient) = (node.restart.restarts(), node.is_transient());
    counts::change(plan, id, |node| {
        node.readiness.was_ready = false;
        node.enter(MemberState::Pending);
        node.restart.again = node.restart.comes_again();
        if transient {
            node.kind.end();
        }
    });
    plan.pending.push_back(id);
    if restarts {
        plan.not_down -= 1;
        restart::raise_if_down(plan);
    }
    leave_if_down(plan, id);
}
