//! Members that are bound to others: they go down with them and come up after them.
//!
//! A bound member goes down whenever what it is bound to does, and so does what is bound to it in turn, in reverse order. Once it
//! is down it waits until that is ready again; if that was stopped by its handle it is idle, as settled as that is; if that has
//! failed for good, so has the bound one.

use super::node::{Hindrance, MemberState, TakenDown, Target};
use super::{Action, GroupPlan, counts, stopping};
use crate::rules::graph::Id;

/// Takes down what is bound to a member that is down, or goes down.
pub(super) fn take_bound_down(plan: &mut GroupPlan, id: Id) {
    if plan.is_stopping() {
        return;
    }
    let mut open = plan.node(id).binds.to_vec();
    while let Some(id) = open.pop() {
        let node = plan.node(id);
        // One that goes down already takes what is bound to it along.
        let goes = node.restart.comes_again() || node.kind.leaves();
        if goes || !node.state.is_alive() {
            continue;
        }
        open.extend(&*node.binds);
        plan.node_mut(id).restart.taken_down = TakenDown::Rebinds;
        counts::unsatisfy(plan, id);
        stopping::take_down(plan, id);
    }
}

/// A member that went down with what it is bound to is down, as all that depend on it and went down as well.
pub(super) fn wait_for_what_it_is_bound_to(plan: &mut GroupPlan, id: Id) {
    let node = plan.node_mut(id);
    if node.restart.taken_down != TakenDown::Rebinds {
        return;
    }
    node.restart.taken_down = TakenDown::No;
    if !node.kind.leaves() {
        node.target = Target::Up;
        plan.pending.push_back(id);
    }
}

/// Notes whether a member that is to start waits for one that was stopped by its handle.
pub(super) fn note_idle(plan: &mut GroupPlan, id: Id) {
    let node = plan.node(id);
    let rests = |dep: &Id| {
        let dep = plan.node(*dep);
        dep.state == MemberState::StoppedByHandle
            || dep.state == MemberState::Pending && dep.trouble.idle
    };
    let (was, is) = (node.trouble.idle, node.bound.iter().any(rests));
    if was == is {
        return;
    }
    counts::change(plan, id, |node| node.trouble.idle = is);
    if !is {
        plan.revive_behind(id);
    }
    // Some may be idle now for it is, others fail.
    let dependents = plan.node(id).dependents.to_vec();
    plan.pending.extend(dependents);
}

/// Ends the insertion of a member that is idle: it is one of the group, and comes up with what it is bound to.
pub(super) fn settle_if_idle(plan: &mut GroupPlan, id: Id) {
    let node = plan.node(id);
    let fails = node.trouble.hindrance != Hindrance::None;
    if !node.trouble.idle || !node.kind.is_fresh() || node.kind.leaves() || fails {
        return;
    }
    counts::change(plan, id, |node| node.kind.settle());
    plan.actions.push(Action::Settled(id));
}
