//! A walk through every state that small groups can reach.

use std::collections::HashSet;

use super::world::{Move, World};
use crate::rules::graph::{Edges, Id};
use crate::rules::plan::{PlanStage, Policy, Stay};
use crate::rules::walks::share;
use crate::settings::member_policy::{OnCompletion, OnFailure};

/// How a member depends on one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    None,
    After,
    Bound,
}

const EDGES: [Edge; 3] = [Edge::None, Edge::After, Edge::Bound];

const ON_FAILURE: [OnFailure; 5] = [
    OnFailure::StopGroup,
    OnFailure::Ignore,
    OnFailure::RestartMember,
    OnFailure::RestartDependents,
    OnFailure::RestartAll,
];

pub(super) fn edges(to: &[Edge]) -> Edges {
    let ids = |wanted: &[Edge]| {
        let found = to
            .iter()
            .enumerate()
            .filter(|(_, edge)| wanted.contains(edge));
        found.map(|(at, _)| Id(at)).collect()
    };
    Edges {
        deps: ids(&[Edge::After, Edge::Bound]),
        bound: ids(&[Edge::Bound]),
    }
}

pub(super) fn policy(on_failure: OnFailure, on_completion: OnCompletion, stay: Stay) -> Policy {
    Policy {
        on_failure,
        on_completion,
        stay,
    }
}

/// A state that was reached: by which move, and from which one.
struct Reached {
    world: World,
    by: Option<(usize, Move)>,
    depth: usize,
}

/// The states that have been reached. The way to the one that is looked at is told when a rule is broken.
struct Walk {
    reached: Vec<Reached>,
    at: usize,
    making: Option<Move>,
}

impl Walk {
    /// Returns the moves that have led to the state that is looked at.
    fn way(&self) -> Vec<Move> {
        let from = |at: usize| self.reached.get(at)?.by;
        let mut way: Vec<_> = self.making.into_iter().collect();
        way.extend(std::iter::successors(from(self.at), |(at, _)| from(*at)).map(|(_, by)| by));
        way.reverse();
        way
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("by way of {:?}", self.way());
        }
    }
}

/// Visits all states within so many moves; how many there are.
fn walk(start: World, most: usize) -> usize {
    let mut seen = HashSet::from([start.clone()]);
    let reached = vec![Reached {
        world: start,
        by: None,
        depth: 0,
    }];
    let mut walk = Walk {
        reached,
        at: 0,
        making: None,
    };
    while let Some(Reached { world, depth, .. }) = walk.reached.get(walk.at) {
        let depth = depth + 1;
        if depth > most {
            break;
        }
        let world = world.clone();
        for what in world.moves() {
            walk.making = Some(what);
            let mut next = world.clone();
            next.make(what);
            if !seen.contains(&next) {
                // What holds of a state is the same however it was reached.
                next.check();
                seen.insert(next.clone());
                walk.reached.push(Reached {
                    world: next,
                    by: Some((walk.at, what)),
                    depth,
                });
            }
        }
        walk.making = None;
        walk.at += 1;
    }
    seen.len()
}

pub(super) fn member(to: &[Edge], on_failure: OnFailure) -> (Edges, Policy) {
    (
        edges(to),
        policy(on_failure, OnCompletion::Ignore, Stay::Permanent),
    )
}

#[test]
fn the_rules_hold_in_the_states_of_two_members() {
    let mut states = 0;
    for edge in EDGES {
        for on_failure in ON_FAILURE {
            let members = vec![member(&[], on_failure), member(&[edge], on_failure)];
            states += walk(World::new(members), share(7, usize::MAX));
        }
    }
    assert!(states > 10_000, "{states}");
}

#[test]
fn the_rules_hold_within_a_few_moves_of_two_members_with_rules_of_their_own() {
    let mut states = 0;
    for edge in EDGES {
        for first in ON_FAILURE {
            for second in ON_FAILURE {
                let members = vec![member(&[], first), member(&[edge], second)];
                states += walk(World::new(members), share(4, 5));
            }
        }
    }
    assert!(states > 10_000, "{states}");
}

#[test]
fn the_rules_hold_within_a_few_moves_of_three_members() {
    let mut states = 0;
    let all = || EDGES.into_iter();
    let graphs = all().flat_map(|a| all().flat_map(move |b| all().map(move |c| (a, b, c))));
    for (a, b, c) in graphs {
        for on_failure in ON_FAILURE {
            let second = member(&[a], on_failure);
            let members = vec![member(&[], on_failure), second, member(&[b, c], on_failure)];
            states += walk(World::new(members), share(3, 4));
        }
    }
    assert!(states > 10_000, "{states}");
}

#[test]
fn the_rules_hold_within_a_few_moves_for_those_that_leave_or_end_the_group() {
    let mut states = 0;
    for edge in EDGES {
        for on_failure in ON_FAILURE {
            for on_completion in [OnCompletion::Ignore, OnCompletion::StopGroup] {
                let members = vec![
                    (
                        edges(&[]),
                        policy(on_failure, on_completion, Stay::Permanent),
                    ),
                    (
                        edges(&[edge]),
                        policy(on_failure, on_completion, Stay::Transient),
                    ),
                ];
                states += walk(World::new(members), share(5, 6));
            }
        }
    }
    assert!(states > 1_000, "{states}");
}

/// As three marks, of which eight mixtures can be written down, the stages of a plan were five that are reached: a drain stayed
/// beside what closes the plan.
#[test]
fn each_stage_of_a_plan_is_reached() {
    let start = World::new(vec![member(&[], OnFailure::StopGroup)]);
    let mut stages = HashSet::from([name(&PlanStage::default())]);
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        stages.insert(name(world.stage()));
        for what in world.moves() {
            let mut next = world.clone();
            next.make(what);
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    println!("{} of 4 stages are reached", stages.len());
    assert_eq!(
        stages,
        HashSet::from(["shut", "open", "draining", "closing"])
    );
}

fn name(stage: &PlanStage) -> &'static str {
    match stage {
        PlanStage::Shut => "shut",
        PlanStage::Open => "open",
        PlanStage::Draining => "draining",
        PlanStage::Closing(_) => "closing",
    }
}
