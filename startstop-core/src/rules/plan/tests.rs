//! The rules of groups: by example, and in every state that small groups can reach.

mod marks;
mod walk;
mod world;

use super::{Action, GroupPlan, MemberEnd, Policy};
use crate::rules::graph::{Edges, Id};
use crate::settings::member_policy::OnFailure;

fn add(plan: &mut GroupPlan, deps: &[Id], on_failure: OnFailure) -> Id {
    plan.add(
        Edges::to(deps),
        Policy {
            on_failure,
            ..Policy::default()
        },
    )
}

/// Members of an open plan that are up, with what they depend on.
fn up<const N: usize>(members: [(&[Id], OnFailure); N]) -> (GroupPlan, [Id; N]) {
    let mut plan = GroupPlan::default();
    let ids = members.map(|(deps, on_failure)| add(&mut plan, deps, on_failure));
    plan.open();
    for id in ids {
        plan.take_actions();
        plan.on_ready(id);
    }
    assert!(plan.take_actions().is_empty() && plan.has_started());
    (plan, ids)
}

#[test]
fn a_place_is_used_again_only_when_no_order_can_be_about_it() {
    let mut plan = GroupPlan::default();
    plan.open();
    let first = add(&mut plan, &[], OnFailure::default());
    plan.delete(first);
    let second = add(&mut plan, &[], OnFailure::default());
    assert_ne!(second, first);
    plan.delete(second);
    plan.trim();
    assert_eq!(add(&mut plan, &[], OnFailure::default()), first);
}

#[test]
fn who_has_completed_and_was_taken_off_does_not_count() {
    let (mut plan, [job]) = up([(&[], OnFailure::default())]);
    plan.on_ended(job, MemberEnd::Completed, || true);
    assert!(plan.is_finished());
    plan.delete(job);
    assert!(!plan.is_finished());
}

#[test]
fn what_is_behind_a_barrier_does_not_wait_for_who_was_taken_off() {
    let mut plan = GroupPlan::default();
    let first = add(&mut plan, &[], OnFailure::default());
    let barrier = plan.add_barrier();
    let last = add(&mut plan, &[], OnFailure::default());
    plan.connect(vec![
        Edges::default(),
        Edges::to(&[first]),
        Edges::to(&[barrier]),
    ]);
    plan.open();
    assert_eq!(plan.take_actions(), [Action::Start(first)]);
    plan.remove(first);
    assert_eq!(plan.take_actions(), [Action::Stop(first)]);
    plan.on_ended(first, MemberEnd::Told, || true);
    assert_eq!(plan.take_actions(), [Action::Removed(first)]);
    plan.delete(first);
    assert_eq!(plan.take_actions(), [Action::Start(last)]);
}

#[test]
fn what_does_not_yield_is_restarted_when_it_has_ended() {
    let (mut plan, [stuck]) = up([(&[], OnFailure::RestartMember)]);
    plan.on_ended(stuck, MemberEnd::Stuck, || true);
    plan.backoff_over();
    assert_eq!(plan.take_actions(), []);
    plan.ends(stuck);
    assert_eq!(plan.take_actions(), [Action::Restart(stuck)]);
}

#[test]
fn a_failure_during_a_restart_merges_into_it() {
    let (mut plan, [first, second, third]) = up([
        (&[], OnFailure::RestartDependents),
        (&[Id(0)], OnFailure::default()),
        (&[], OnFailure::RestartAll),
    ]);
    plan.on_ended(first, MemberEnd::Failed, || true);
    assert_eq!(plan.take_actions(), [Action::Stop(second)]);
    plan.on_ended(third, MemberEnd::Failed, || false);
    assert_eq!(plan.take_actions(), []);
    plan.on_ended(second, MemberEnd::Told, || true);
    assert_eq!(plan.take_actions(), []);
    plan.backoff_over();
    assert_eq!(
        plan.take_actions(),
        [Action::Restart(first), Action::Restart(third)]
    );
}

#[test]
fn what_starts_when_a_drain_begins_is_stopped_though_what_depends_on_it_is_up() {
    let (mut plan, [below, above]) = up([
        (&[], OnFailure::default()),
        (&[Id(0)], OnFailure::default()),
    ]);
    plan.on_starting(below);
    plan.drain();
    assert_eq!(plan.take_actions(), [Action::Stop(below)]);
    plan.on_ended(below, MemberEnd::Told, || true);
    assert_eq!(plan.take_actions(), []);
    assert!(plan.is_alive(above));
}
