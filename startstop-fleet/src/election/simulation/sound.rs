//! The rules as they are: nothing overlaps, whatever the seed.

use std::time::Duration;

use super::replica::Notifies;
use super::{Network, Plan, Report, World, seeds};
use crate::timing::Timing;

fn run(seed: u64, replicas: usize, steps: u64, faults: u64) -> Report {
    let faults = Duration::from_secs(faults);
    World::run(Plan {
        seed,
        replicas,
        steps,
        broken: None,
        faults,
        network: Network::Bad,
    })
}

fn assert_sound(plan: &str, report: &Report) {
    assert_eq!(report.wrongs(), 0, "{plan}: {report:#?}");
    assert!(report.terms > 10, "{plan}: {report:#?}");
}

#[test]
fn services_of_a_few_replicas_never_overlap() {
    for seed in seeds(40) {
        let report = run(seed, 30, 150_000, 20);
        assert_sound(&format!("30 replicas, seed {seed}"), &report);
    }
}

#[test]
fn services_of_a_thousand_replicas_never_overlap() {
    for seed in seeds(8) {
        let report = run(seed, 1000, 500_000, 5);
        assert_sound(&format!("1,000 replicas, seed {seed}"), &report);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(run(7, 20, 50_000, 10), run(7, 20, 50_000, 10));
}

/// A round trip of the watch, which takes up to 50 ms, and one of the take, up to 20; or a look each `retry`.
#[test]
fn a_clean_stop_hands_over_within_a_round_trip_of_the_watch_and_one_of_the_take() {
    for seed in seeds(10) {
        let faults = Duration::from_secs(20);
        let plan = Plan {
            seed,
            replicas: 30,
            steps: 30_000,
            broken: None,
            faults,
            network: Network::Good,
        };
        let (report, notifies) = World::run_and_tell(plan);
        assert_eq!(
            (report.wrongs(), report.losses, report.overruns),
            (0, 0, 0),
            "{report:#?}"
        );
        assert!(report.handovers > 10, "seed {seed}: {report:#?}");
        let most = match notifies {
            Notifies::Yes => Duration::from_millis(50 + 20),
            // Three messages: a look, its answer, and the take.
            Notifies::No => Timing::default().retry + Duration::from_millis(3 * 20),
        };
        assert!(report.longest_handover <= most, "seed {seed}: {report:#?}");
    }
}
