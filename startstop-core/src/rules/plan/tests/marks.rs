//! The marks of a node: each mixture that can be written down is reached.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;

use super::walk::{Edge, edges, member, policy};
use super::world::{Move, World};
use crate::rules::graph::Id;
use crate::rules::plan::Stay;
use crate::rules::plan::node::{
    Arrival, Departure, Hindrance, NodeKind, NodeReadiness, NodeRestart, NodeStopping, NodeTrouble,
    TakenDown, Told,
};
use crate::settings::member_policy::{OnCompletion, OnFailure};

const BOTH: [bool; 2] = [false, true];

/// The mixtures of each set of marks, in words.
type Mixtures = BTreeSet<String>;

fn note(mixtures: &mut Mixtures, mixture: impl Debug) {
    mixtures.insert(format!("{mixture:?}"));
}

/// Returns all that can be written down.
fn all() -> Mixtures {
    let mut all = Mixtures::new();
    for blocks in BOTH {
        for told in [Told::No, Told::Yes, Told::InVain] {
            note(&mut all, NodeStopping { blocks, told });
        }
    }
    for again in BOTH {
        for taken_down in [TakenDown::No, TakenDown::Restarts, TakenDown::Rebinds] {
            note(&mut all, NodeRestart { taken_down, again });
        }
    }
    for idle in BOTH {
        for hindrance in [Hindrance::None, Hindrance::Failing, Hindrance::Stuck] {
            note(&mut all, NodeTrouble { hindrance, idle });
        }
    }
    for (satisfied, was_ready) in pairs() {
        for ready in BOTH {
            let readiness = NodeReadiness {
                satisfied,
                was_ready,
                ready,
            };
            note(&mut all, readiness);
        }
    }
    note(&mut all, NodeKind::Barrier);
    for arrival in [Arrival::Fresh, Arrival::Settled] {
        for departure in [Departure::No, Departure::Ended, Departure::Removed] {
            note(&mut all, NodeKind::Member { arrival, departure });
        }
    }
    all
}

fn pairs() -> impl Iterator<Item = (bool, bool)> {
    BOTH.into_iter()
        .flat_map(|one| BOTH.map(|other| (one, other)))
}

/// Notes the mixtures of a world and of what follows from it, within so many moves.
fn visit(start: World, most: usize, reached: &mut Mixtures) {
    let mut seen = HashSet::from([start.clone()]);
    let mut front = vec![start];
    for _ in 0..most {
        let mut next_front = Vec::new();
        for world in front {
            for what in world.moves() {
                let mut next = world.clone();
                next.make_in_sight(what, &mut |world| look(world, reached));
                if seen.insert(next.clone()) {
                    next.check();
                    look(&next, reached);
                    next_front.push(next);
                }
            }
        }
        front = next_front;
    }
}

fn look(world: &World, reached: &mut Mixtures) {
    for node in world.nodes() {
        note(reached, node.readiness);
        note(reached, node.restart);
        note(reached, node.stopping);
        note(reached, node.kind);
        note(reached, node.trouble);
    }
}

/// Makes a world in which a member goes down with what it is bound to, and waits for a dependent that is being removed.
fn one_waits_for_a_removal() -> World {
    let members = vec![
        member(&[], OnFailure::Ignore),
        member(&[Edge::Bound], OnFailure::Ignore),
        member(&[Edge::None, Edge::After], OnFailure::Ignore),
    ];
    let mut world = World::with(members, &[], None);
    let [first, bound, last] = [0, 1, 2].map(Id);
    for what in [
        Move::Ready(first),
        Move::Ready(bound),
        Move::Remove(last),
        Move::Retry(first),
    ] {
        world.make(what);
    }
    world
}

#[test]
fn each_mixture_of_marks_is_reached() {
    let mut reached = Mixtures::new();
    for edge in [Edge::After, Edge::Bound] {
        for on_failure in [OnFailure::Ignore, OnFailure::RestartDependents] {
            for stay in [Stay::Permanent, Stay::Transient] {
                let newcomer = (
                    edges(&[Edge::After, edge]),
                    policy(on_failure, OnCompletion::Ignore, stay),
                );
                let members = vec![member(&[], on_failure), member(&[edge], on_failure)];
                visit(World::with(members, &[], Some(newcomer)), 4, &mut reached);
            }
        }
    }
    let members = vec![
        member(&[], OnFailure::Ignore),
        member(&[Edge::After], OnFailure::Ignore),
        member(&[Edge::None, Edge::After], OnFailure::Ignore),
    ];
    visit(World::with(members, &[Id(1)], None), 2, &mut reached);
    visit(one_waits_for_a_removal(), 1, &mut reached);
    let all = all();
    println!("{} of {} mixtures are reached", reached.len(), all.len());
    assert_eq!(reached, all);
}
