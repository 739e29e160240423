//! Finds the actions for each member whose situation has changed.

use super::node::{Hindrance, MemberState, Target};
use super::{Action, GroupPlan, PlanStage, binding, counts, stopping};
use crate::rules::graph::Id;

/// Looks at each member whose situation has changed.
pub(super) fn follow(plan: &mut GroupPlan) {
    while let Some(id) = plan.pending.pop_front() {
        look_at(plan, id);
    }
}

fn look_at(plan: &mut GroupPlan, id: Id) {
    let Some(node) = plan.look_up(id) else { return };
    match (node.target, node.state) {
        (Target::Up, MemberState::Pending) => look_at_pending(plan, id),
        // What is on its way up when a drain begins is of no use to those above it, so it does not wait for them.
        (Target::Down, MemberState::Starting) if plan.stage == PlanStage::Draining => {
            stop(plan, id);
        }
        (Target::Down, MemberState::Starting | MemberState::Up) if node.blockers == 0 => {
            if node.kind.is_barrier() {
                stopping::comes_down(plan, id);
                return;
            }
            stop(plan, id);
        }
        // It is not alive and nothing above it is: its dependencies need not wait for it.
        (Target::Down, state) if !state.is_alive() && node.blockers == 0 => {
            counts::unblock_deps(plan, id);
            binding::wait_for_what_it_is_bound_to(plan, id);
        }
        _ => {}
    }
}

fn stop(plan: &mut GroupPlan, id: Id) {
    counts::set_state(plan, id, MemberState::Stopping);
    plan.actions.push(Action::Stop(id));
}

fn look_at_pending(plan: &mut GroupPlan, id: Id) {
    binding::note_idle(plan, id);
    let node = plan.node(id);
    // What is inserted waits for those to be down that a restart takes down.
    let waits = node.kind.is_fresh() && plan.not_down > 0;
    if plan.stage == PlanStage::Draining || waits || node.trouble.hindrance != Hindrance::None {
        return;
    }
    start(plan, id);
    binding::settle_if_idle(plan, id);
}

/// Starts the member if nothing keeps it from that, or has it fail if something does for good.
fn start(plan: &mut GroupPlan, id: Id) {
    let (barrier, ready) = (plan.node(id).kind.is_barrier(), has_what_it_needs(plan, id));
    let bad = if ready {
        None
    } else {
        bad_dependency(plan, id)
    };
    match (ready, bad) {
        (true, _) if barrier => open_barrier(plan, id),
        (true, _) => {
            let again = plan.node(id).restart.again;
            counts::set_state(plan, id, MemberState::Starting);
            plan.node_mut(id).restart.again = false;
            plan.actions.push(if again {
                Action::Restart(id)
            } else {
                Action::Start(id)
            });
        }
        (false, Some(_)) if barrier => plan.settle(id, MemberState::Ended),
        (false, Some(dependency)) => {
            plan.node_mut(id).trouble.hindrance = Hindrance::Failing;
            let dependency = behind_barriers(plan, dependency);
            plan.actions.push(Action::FailDependency {
                member: id,
                dependency,
            });
        }
        (false, None) => {}
    }
}

/// All that a barrier depends on are ready: it is, at once.
fn open_barrier(plan: &mut GroupPlan, id: Id) {
    let node = plan.node_mut(id);
    debug_assert!(!node.readiness.satisfied && !node.restart.comes_again());
    node.enter(MemberState::Starting);
    node.enter(MemberState::Up);
    node.readiness.was_ready = true;
    node.restart.again = false;
    plan.revive_behind(id);
    counts::satisfy(plan, id);
}

/// Returns whether all it depends on are ready, or have been; what it is bound to has to be so now.
fn has_what_it_needs(plan: &GroupPlan, id: Id) -> bool {
    let node = plan.node(id);
    node.unready == 0 && node.bound.iter().all(|dep| is_firm(plan, *dep))
}

/// Returns whether those that are bound to it may run.
fn is_firm(plan: &GroupPlan, id: Id) -> bool {
    let node = plan.node(id);
    match node.state {
        MemberState::Up => node.readiness.satisfied,
        MemberState::Completed => true,
        MemberState::Pending
        | MemberState::Starting
        | MemberState::Stopping
        | MemberState::Ended
        | MemberState::StoppedByHandle => false,
    }
}

/// Returns a dependency that keeps the member from starting for good.
fn bad_dependency(plan: &GroupPlan, id: Id) -> Option<Id> {
    let node = plan.node(id);
    let is_bad = |dep: &Id| {
        let failed = plan.node(*dep).state == MemberState::Ended;
        if node.bound.contains(dep) {
            failed
        } else {
            ended_badly(plan, *dep)
        }
    };
    node.deps.iter().copied().find(is_bad)
}

/// Returns whether the member ended without being ready, and will not come up by itself.
fn ended_badly(plan: &GroupPlan, id: Id) -> bool {
    let node = plan.node(id);
    !node.readiness.was_ready
        && (node.trouble.idle
            || matches!(
                node.state,
                MemberState::Ended | MemberState::StoppedByHandle
            ))
}

/// Returns the member that ended badly, or that behind the barrier that did.
fn behind_barriers(plan: &GroupPlan, mut id: Id) -> Id {
    while plan.node(id).kind.is_barrier() {
        let bad = plan
            .node(id)
            .deps
            .iter()
            .find(|dep| ended_badly(plan, **dep));
        let Some(next) = bad else { break };
        id = *next;
    }
    id
}
