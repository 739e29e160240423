//! What startstop costs, beside bare tokio in the same run.
//!
//! `cargo run --release -p benchmarks`. Each workload is measured in interleaved rounds, so that what
//! else the machine does falls on all of them alike; the medians are compared.

mod floor;
mod memory;
mod time;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    for (name, runtime) in [("current_thread", current_thread()), ("multi_thread", multi_thread())]
    {
        println!("{name}");
        time::report(&runtime);
        memory::report(&runtime);
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built")
}
