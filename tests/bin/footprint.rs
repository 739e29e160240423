//! Prints the bytes and the allocations of each of a thousand services that do nothing, once as they are made and once
//! as they run; how many more of both they take once somebody has listened to them; then how many more bytes there are after
//! one of them has done many things that are over.

use std::alloc::System;

use startstop_core::{Context, Runner, Service, Slot, State};
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
    // The runtime keeps memory that it has needed once.
    let before = idle();
    start(&before).await;
    let region = Region::new(ALLOCATOR);
    let runners = idle();
    let stopped = region.change();
    start(&runners).await;
    let running = region.change();
    // Printing takes memory once, so print before measuring.
    print("stopped", stopped);
    print("running", running);
    // The runtime needs more memory for a stop than for a start.
    restart(&runners).await;
    let region = Region::new(ALLOCATOR);
    for runner in &runners {
        drop(runner.events());
    }
    restart(&runners).await;
    print("unheard", region.change());
    drop((before, runners));

    let busy = Runner::new(Busy(Slot::new()));
    busy.start().await.expect("it is ready at once");
    busy.wait_for(State::Running).await;
    spawn_and_give_up(&busy).await;
    let region = Region::new(ALLOCATOR);
    for _ in 0..100 {
        spawn_and_give_up(&busy).await;
    }
    let change = region.change();
    // Memory from before that is freed meanwhile does not count.
    println!(
        "over {}",
        change
            .bytes_allocated
            .saturating_sub(change.bytes_deallocated)
    );
    busy.stop().await.expect("it has no errors");
}

/// Lets the service spawn a task that ends, and drop the futures that it waits for.
async fn spawn_and_give_up(busy: &Runner<Busy>) {
    for _ in 0..10 {
        busy.request_reload();
        tokio::task::yield_now().await;
    }
    let waits: Vec<_> = (0..10)
        .map(|_| (busy.wait(), busy.wait_for(State::Backoff)))
        .collect();
    drop(waits);
}

/// For each request to reload, fills its slot again and spawns a task, which waits for a moment for what does not come.
struct Busy(Slot<u64>);

impl Service for Busy {
    type Error = std::convert::Infallible;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        while cx.run_until_cancelled(cx.reloaded()).await.is_some() {
            self.0.fill(&cx, cx.cycle());
            // In a task: in `run` itself nothing is left with the runner to wait.
            let task = cx.clone();
            cx.spawn(async move {
                tokio::select! {
                    biased;
                    () = task.draining() => {}
                    () = task.cancelled() => {}
                    () = task.clone().cancelled_owned() => {}
                    _ = task.reloaded() => {}
                    () = async {} => {}
                }
            });
        }
        Ok(())
    }
}

fn idle() -> [Runner<Idle>; SERVICES] {
    std::array::from_fn(|_| Runner::new(Idle))
}

/// Starts them again, twice: the first cycle finds that nobody listens any more, the second is one as any other.
async fn restart(runners: &[Runner<Idle>]) {
    for _ in 0..2 {
        start(runners).await;
    }
}

async fn start(runners: &[Runner<Idle>]) {
    for runner in runners {
        runner.start().await.expect("it is ready at once");
    }
}

fn print(state: &str, change: Stats) {
    // Memory from before that is freed meanwhile does not count.
    let left = |taken: usize, freed| taken.saturating_sub(freed) / SERVICES;
    let bytes = left(change.bytes_allocated, change.bytes_deallocated);
    let allocations = left(change.allocations, change.deallocations);
    println!("{state} {bytes} {allocations}");
}
