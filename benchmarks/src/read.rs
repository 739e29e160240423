//! Reads on several threads at once.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// What one of the threads took, on average.
pub(crate) fn timed<T>(threads: usize, reads: u32, read: impl Fn() -> T + Sync) -> Duration {
    let barrier = Barrier::new(threads);
    let one = || {
        barrier.wait();
        let began = Instant::now();
        for _ in 0..reads {
            black_box(read());
        }
        began.elapsed()
    };
    thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let times = spawned
            .into_iter()
            .map(|thread| thread.join().expect("a read does not panic"));
        times.sum::<Duration>() / u32::try_from(threads).expect("threads are few")
    })
}
