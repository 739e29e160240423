//! The effect of a failure on the other members, and the restart of members as one.
//!
//! All that restart go down, in reverse order; once all of them are down, have really ended, and the backoff is over, they come up
//! in order. A failure meanwhile adds to them, and does not put that off.

use super::node::{Hindrance, MemberState, PlanNode, TakenDown, Target};
use super::{Closing, GroupPlan, PlanStage, binding, counts, stopping};
use crate::rules::graph::Id;
use crate::settings::member_policy::OnFailure;

pub(super) fn fail(plan: &mut GroupPlan, id: Id, allowed: impl FnOnce() -> bool) {
    let node = plan.node(id);
    if node.kind.is_fresh() {
        plan.settle(id, MemberState::Ended);
        return;
    }
    let set = match node.policy.on_failure {
        OnFailure::Ignore => return plan.settle(id, MemberState::Ended),
        // A stop wins over any restart, and it has begun.
        _ if plan.stage == PlanStage::Draining => return plan.settle(id, MemberState::Ended),
        OnFailure::StopGroup => None,
        // Nothing restarts it, and nothing depends on it.
        OnFailure::RestartMember | OnFailure::RestartDependents if node.is_transient() => {
            return plan.settle(id, MemberState::Ended);
        }
        OnFailure::RestartMember => Some(vec![id]),
        OnFailure::RestartDependents => Some(with_dependents(plan, id)),
        OnFailure::RestartAll => Some(all(plan)),
    };
    match set {
        None => end_with(plan, id, Closing::Failed(id)),
        // A failure during a restart merges into it.
        Some(set) if plan.is_restarting() || allowed() => restart(plan, id, &set),
        Some(_) => end_with(plan, id, Closing::Limit(id)),
    }
}

fn end_with(plan: &mut GroupPlan, id: Id, closing: Closing) {
    counts::set_state(plan, id, MemberState::Ended);
    plan.leave_if_transient(id);
    plan.close(closing);
}

fn with_dependents(plan: &GroupPlan, id: Id) -> Vec<Id> {
    let mut seen = vec![false; plan.nodes.len()];
    seen[id.0] = true;
    let mut set = vec![id];
    let mut at = 0;
    while let Some(next) = set.get(at).copied() {
        at += 1;
        for dependent in &plan.node(next).dependents {
            if !std::mem::replace(&mut seen[dependent.0], true) {
                set.push(*dependent);
            }
        }
    }
    set
}

fn all(plan: &GroupPlan) -> Vec<Id> {
    let there = |(at, node): (usize, &Option<PlanNode>)| node.is_some().then_some(Id(at));
    plan.nodes.iter().enumerate().filter_map(there).collect()
}

/// Takes a set down and up again, because `failed` has failed. The first of several begins the backoff.
fn restart(plan: &mut GroupPlan, failed: Id, set: &[Id]) {
    if !plan.is_restarting() {
        plan.pausing = true;
    }
    counts::set_state(plan, failed, MemberState::Pending);
    plan.leave_if_transient(failed);
    for id in set.iter().copied() {
        join_restart(plan, id, failed);
    }
    for id in set.iter().copied() {
        binding::take_bound_down(plan, id);
    }
    raise_if_down(plan);
}

fn join_restart(plan: &mut GroupPlan, id: Id, failed: Id) {
    plan.node_mut(id).trouble.spare();
    let node = plan.node(id);
    if node.restart.restarts() || node.kind.leaves() {
        // What waits to be removed goes down now, for what it depends on may go down as well.
        stopping::take_down(plan, id);
        return;
    }
    let stays = matches!(
        node.state,
        MemberState::Pending | MemberState::Completed | MemberState::StoppedByHandle
    );
    plan.node_mut(id).restart.taken_down = TakenDown::Restarts;
    plan.restarting.push(id);
    if stays && id != failed {
        // It only has its dependencies wait until those that depend on it are down.
        stopping::take_down(plan, id);
        return;
    }
    counts::unsatisfy(plan, id);
    // A barrier is down with that.
    if plan.node(id).state.is_alive() {
        // It may yet turn out that somebody else has stopped it: then it was ready.
        plan.not_down += 1;
    } else {
        counts::change(plan, id, |node| {
            (node.readiness.was_ready, node.restart.again) = (false, true);
        });
        counts::set_state(plan, id, MemberState::Pending);
    }
    stopping::take_down(plan, id);
}

/// Once all that restart are down and may come up again, they do, in order.
pub(super) fn raise_if_down(plan: &mut GroupPlan) {
    if plan.not_down > 0 || plan.closing().is_some() {
        return;
    }
    release_those_who_wait(plan);
    if plan.restarting.is_empty() {
        plan.pausing = false;
    }
    if plan.pausing
        || plan
            .restarting
            .iter()
            .any(|id| plan.node(*id).trouble.hindrance == Hindrance::Stuck)
    {
        return;
    }
    for id in std::mem::take(&mut plan.restarting) {
        let node = plan.node_mut(id);
        node.restart.taken_down = TakenDown::No;
        if node.kind.leaves() {
            continue;
        }
        node.target = Target::Up;
        counts::unblock_deps(plan, id);
        plan.pending.push_back(id);
    }
}

/// Those who have waited until all that restart are down.
fn release_those_who_wait(plan: &mut GroupPlan) {
    for at in 0..plan.nodes.len() {
        let Some(node) = &plan.nodes[at] else {
            continue;
        };
        let (leaves, fresh) = (node.kind.leaves(), node.kind.is_fresh());
        if leaves {
            stopping::take_down(plan, Id(at));
            stopping::leave_if_down(plan, Id(at));
        } else if fresh {
            plan.pending.push_back(Id(at));
        }
    }
}
