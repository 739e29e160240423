//! Random load on a group of a thousand services with faults, round by round; nothing may be left of a round.
//!
//! `soak 3000 8` does 3,000 operations in each of 8 rounds; in `soak 30s 20` each lasts 30 seconds. After each
//! round the group is stopped, and what is left is counted: bytes on the heap and in memory, tasks, threads,
//! descriptors. The first quarter of the rounds warms up. Whatever is more after a later one is printed, and
//! the exit code is 1. Bytes in memory count only where rounds last for a time, and are held against the most
//! after any of the first half: what the allocator keeps settles later than what is allocated, and goes up and
//! down with the load.

use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Backoff, Group, Runner, Settings};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Runtime;

#[path = "soak/load.rs"]
mod load;
#[path = "soak/member.rs"]
mod member;
#[path = "soak/meter.rs"]
mod meter;

use load::Until;
use meter::Meter;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// How many members the group has.
const MEMBERS: usize = 1_000;

/// The number of clients, side by side.
const CLIENTS: u64 = 8;

fn main() -> ExitCode {
    let (until, rounds) = arguments();
    let runtime = runtime();
    let meter = Meter::new(runtime.handle());
    let app = runtime.block_on(async { Runner::new(group()) });
    let mut warm = meter.left();
    let mut clean = true;
    for round in 0..rounds {
        let operations = runtime.block_on(load::round(&app, &meter, round, until));
        let left = meter.left();
        println!("round {round}: {operations} operations, {left}");
        if round < (rounds / 4).max(1) {
            warm.heap = left.heap;
        }
        if round < (rounds / 2).max(1) {
            warm.resident = warm.resident.max(left.resident);
        }
        let more = meter.more(&left, &warm, until);
        if !more.is_empty() {
            println!("  more than before: {}", more.join(", "));
            clean = false;
        }
    }
    if clean {
        println!("nothing is left");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

fn arguments() -> (Until, u64) {
    let mut arguments = std::env::args().skip(1);
    let each = arguments.next().unwrap_or_else(|| "30s".to_owned());
    let rounds = arguments
        .next()
        .map_or(20, |rounds| rounds.parse().expect("a number of rounds"));
    let number = |text: &str| text.parse().expect("a number, or one of seconds with an s");
    let until = match each.strip_suffix('s') {
        Some(seconds) => Until::Time(Duration::from_secs(number(seconds))),
        None => Until::Operations(number(&each)),
    };
    (until, rounds)
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built")
}

/// Every tenth and the three after it depend on each other in a row.
fn group() -> Group {
    let mut builder = Group::builder("soak")
        .limit(u32::MAX, Duration::from_secs(1))
        .backoff(Backoff::constant(Duration::from_millis(5)))
        // The history of the group holds the failures of all members.
        .settings(Settings::new().history_capacity(member::HISTORY));
    for at in 0..MEMBERS {
        let dependency = (1..4).contains(&(at % 10)).then(|| member::name(at - 1));
        builder = builder.with(member::name(at), member::new(at, dependency));
    }
    builder
        .build()
        .expect("nothing depends on what comes later")
}
