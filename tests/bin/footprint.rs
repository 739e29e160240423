//! Prints the bytes and the allocations of each of a thousand services that do nothing, once as they are made and once
//! as they run.

use std::alloc::System;

use startstop_core::{Context, Runner, Service};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SERVICES: usize = 1_000;

/// Without a value of its own, which would count.
struct Idle;

impl Service for Idle {
    type Error = std::convert::Infallible;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        cx.cancelled().await;
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // The runtime keeps what it has needed once.
    let before = running(idle()).await;
    let region = Region::new(ALLOCATOR);
    let runners = idle();
    let stopped = region.change();
    let runners = running(runners).await;
    let running = region.change();
    // The first line takes memory too.
    print("stopped", stopped);
    print("running", running);
    drop((before, runners));
}

fn idle() -> [Runner<Idle>; SERVICES] {
    std::array::from_fn(|_| Runner::new(Idle))
}

async fn running(runners: [Runner<Idle>; SERVICES]) -> [Runner<Idle>; SERVICES] {
    for runner in &runners {
        runner.start().await.expect("it is ready at once");
    }
    runners
}

fn print(state: &str, change: Stats) {
    let bytes = (change.bytes_allocated - change.bytes_deallocated) / SERVICES;
    println!("{state} {bytes} {}", (change.allocations - change.deallocations) / SERVICES);
}
