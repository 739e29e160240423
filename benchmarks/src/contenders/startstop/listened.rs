//! A start and a stop of a service whose events somebody reads, or has read.

use std::time::{Duration, Instant};

use startstop_core::Runner;

use super::{Idle, cycle};

/// A reader was there and has gone.
pub(crate) async fn before(n: u32) -> Duration {
    let runner = Runner::new(Idle);
    drop(runner.events());
    cycle(runner, n).await
}

/// A reader is there, and reads after each stop.
pub(crate) async fn meanwhile(n: u32) -> Duration {
    let runner = Runner::new(Idle);
    let mut events = runner.events();
    let began = Instant::now();
    for _ in 0..n {
        runner.start().await.expect("it starts");
        runner.stop().await.expect("it stops");
        let mut read = 0;
        while events.try_next().is_some() {
            read += 1;
        }
        assert!(read >= 4, "it has begun, is ready, stops, and has stopped");
    }
    began.elapsed()
}
