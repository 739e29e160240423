//! Counts bytes and allocations, in a process of its own: a counting allocator would slow down what
//! the other program times. That one runs this one.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("sizes") {
        benchmarks::count_sizes();
    } else {
        benchmarks::count();
    }
}
