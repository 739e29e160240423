//! The rules as they are: nothing overlaps, whatever the seed.

use std::time::Duration;

use super::{Plan, Report, World};

fn run(seed: u64, replicas: usize, steps: u64, faults: u64) -> Report {
    let faults = Duration::from_secs(faults);
    World::run(Plan { seed, replicas, steps, broken: None, faults })
}

fn assert_sound(plan: &str, report: &Report) {
    assert_eq!(report.wrongs(), 0, "{plan}: {report:#?}");
    assert!(report.terms > 10, "{plan}: {report:#?}");
}

#[test]
fn services_of_a_few_replicas_never_overlap() {
    for seed in 1..=40 {
        let report = run(seed, 30, 150_000, 20);
        assert_sound(&format!("30 replicas, seed {seed}"), &report);
    }
}

#[test]
fn services_of_a_thousand_replicas_never_overlap() {
    for seed in 1..=8 {
        let report = run(seed, 1000, 500_000, 5);
        assert_sound(&format!("1,000 replicas, seed {seed}"), &report);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, 20, 50_000, 10), run(7, 20, 50_000, 10));
}
