//! The same for as long as one likes: `STARTSTOP_STEPS=1000000000 cargo test --release -p startstop-fleet --lib long -- --ignored --nocapture`.

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::{Network, Plan, Report, World};

/// It says how far it has come each so many steps.
const NEWS: u64 = 50_000_000;

#[test]
#[ignore = "as long as one likes"]
fn long() {
    let steps =
        env::var("STARTSTOP_STEPS").map_or(20_000_000, |steps| steps.parse().expect("a number"));
    let seed = AtomicU64::new(1_000);
    let done = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let totals: Vec<Report> = thread::scope(|scope| {
        let work = || run_until(steps, &seed, &done);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no run panics"))
            .collect()
    });
    let sum = |of: fn(&Report) -> u64| totals.iter().map(of).sum::<u64>();
    let hours = totals.iter().map(|total| total.time.as_secs()).sum::<u64>() / 3600;
    let gap = totals.iter().map(|total| total.longest_gap).max();
    println!(
        "{} steps, {hours} h, {} terms, {} exits, {} losses, longest gap {gap:?}, seeds 1000 to {}: {} wrong",
        sum(|total| total.steps),
        sum(|total| total.terms),
        sum(|total| total.overruns),
        sum(|total| total.losses),
        seed.into_inner() - 1,
        sum(Report::wrongs),
    );
    assert_eq!(sum(Report::wrongs), 0);
}

fn run_until(steps: u64, seed: &AtomicU64, done: &AtomicU64) -> Report {
    let mut total = Report::default();
    while done.load(Ordering::Relaxed) < steps {
        let seed = seed.fetch_add(1, Ordering::Relaxed);
        let (replicas, faults) = [(1000, 5), (30, 20), (20, 10), (3, 30)][(seed % 4) as usize];
        let faults = Duration::from_secs(faults);
        let report = World::run(Plan {
            seed,
            replicas,
            steps: 1_000_000,
            broken: None,
            faults,
            network: Network::Bad,
        });
        if report.wrongs() > 0 {
            println!("seed {seed}: {report:?}");
        }
        let before = done.fetch_add(report.steps, Ordering::Relaxed);
        let after = before + report.steps;
        if before / NEWS != after / NEWS {
            println!("{after} steps");
        }
        total.add(&report);
    }
    total
}
