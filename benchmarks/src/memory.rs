//! How much heap a service takes.

use startstop_core::{Runner, State};
use stats_alloc::Region;
use tokio::runtime::Runtime;

use crate::ALLOCATOR;
use crate::floor::Bare;
use crate::time::Idle;

const MANY: usize = 1_000;

pub(crate) fn report(runtime: &Runtime) {
    let mut all = Vec::with_capacity(MANY);
    let bare = measure(|| all.extend((0..MANY).map(|_| runtime.block_on(async { Bare::spawn() }))));
    for task in all {
        runtime.block_on(task.stop());
    }
    let mut all = Vec::with_capacity(MANY);
    let stopped = measure(|| all.extend((0..MANY).map(|_| Runner::new(Idle))));
    let started = measure(|| {
        runtime.block_on(async {
            for runner in &all {
                runner.start().await.expect("it starts");
            }
        });
    });
    assert!(all.iter().all(|runner| runner.state() == State::Running));
    for runner in &all {
        runtime.block_on(runner.stop()).expect("it stops");
    }
    let running = (stopped.0 + started.0, stopped.1 + started.1);
    for (name, (bytes, count)) in [("bare", bare), ("stopped", stopped), ("running", running)] {
        println!("  {name:<20} {bytes:>7.0} bytes in {count:.2} allocations");
    }
}

/// Bytes and allocations for each of many that stay.
#[allow(clippy::cast_precision_loss)]
fn measure(make: impl FnOnce()) -> (f64, f64) {
    let region = Region::new(ALLOCATOR);
    make();
    let change = region.change();
    let bytes = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
    let count = change.allocations as f64 - change.deallocations as f64;
    (bytes / MANY as f64, count / MANY as f64)
}
