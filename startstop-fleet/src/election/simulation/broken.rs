//! Each rule broken, one at a time: the simulation sees it, by the seed that is noted here.

use std::time::Duration;

use super::super::Rule;
use super::{Network, Plan, Report, World};

/// Each rule with a seed that catches it. `search` finds them anew when the simulation has changed.
const SEEDS: [(Rule, u64); 10] = [
    (Rule::ValidFromTheRequest, 10),
    (Rule::ReleaseAfterTheEnd, 1),
    (Rule::OwnClockOnly, 1),
    (Rule::SkewIsLeftOut, 1),
    (Rule::FenceGrows, 1),
    (Rule::LostIsLost, 1),
    (Rule::WatchedBeforeTaken, 1),
    (Rule::WatchedFromTheAnswer, 2),
    (Rule::TakeCompares, 1),
    (Rule::OverrunExits, 1),
];

fn run(broken: Option<Rule>, seed: u64, faults: Duration) -> Report {
    World::run(Plan {
        seed,
        replicas: 20,
        steps: 100_000,
        broken,
        faults,
        network: Network::Bad,
    })
}

const OFTEN: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_secs(1 << 30);

#[test]
fn a_broken_rule_is_caught_by_its_seed() {
    for (rule, seed) in SEEDS {
        let sound = run(None, seed, OFTEN);
        let broken = run(Some(rule), seed, OFTEN);
        assert_eq!(sound.wrongs(), 0, "seed {seed} without any: {sound:#?}");
        assert_ne!(broken.wrongs(), 0, "{rule:?} by seed {seed}: {broken:#?}");
    }
}

#[test]
fn a_rule_that_keeps_two_from_leading_is_seen_by_an_overlap() {
    let overlapping = SEEDS.iter().filter(|(rule, _)| *rule != Rule::FenceGrows);
    for &(rule, seed) in overlapping {
        let broken = run(Some(rule), seed, OFTEN);
        assert_ne!(broken.overlaps, 0, "{rule:?} by seed {seed}: {broken:#?}");
    }
}

/// It lets nobody overlap, but loses leases although the store is well: two lost messages in a row are enough.
#[test]
fn calls_that_outlast_the_next_one_lose_leases() {
    let seed = 3;
    let sound = run(None, seed, NEVER);
    let broken = run(Some(Rule::CallsEndBeforeTheNext), seed, NEVER);
    assert!(
        broken.losses > 3 * sound.losses.max(1),
        "{} instead of {} losses by seed {seed}",
        broken.losses,
        sound.losses
    );
}

#[test]
#[ignore = "finds the seeds, with --nocapture"]
fn search() {
    for (rule, _) in SEEDS {
        let caught = |seed: &u64| run(Some(rule), *seed, OFTEN).wrongs() > 0;
        let seed = (1..=1000).find(caught);
        println!(
            "{rule:?} {seed:?} {:?}",
            seed.map(|seed| run(Some(rule), seed, OFTEN))
        );
    }
    for seed in 1..=10 {
        let [sound, broken] =
            [None, Some(Rule::CallsEndBeforeTheNext)].map(|rule| run(rule, seed, NEVER));
        println!(
            "{seed}: {} and {} losses, {} and {} terms",
            sound.losses, broken.losses, sound.terms, broken.terms
        );
    }
}
