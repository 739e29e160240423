//! How long a start and a stop take.

use std::time::{Duration, Instant};

use startstop_core::{Context, Runner, Service};
use tokio::runtime::Runtime;

use crate::floor::Bare;

const ROUNDS: usize = 41;
const CYCLES: u32 = 5_000;

/// Waits for its stop.
pub(crate) struct Idle;

impl Service for Idle {
    type Error = std::convert::Infallible;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        cx.cancelled().await;
        Ok(())
    }
}

/// Waits for its stop, and has a `shutdown` that awaits.
struct Hooked;

impl Service for Hooked {
    type Error = std::convert::Infallible;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Self::Error> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

pub(crate) fn report(runtime: &Runtime) {
    let idle = Runner::new(Idle);
    let hooked = Runner::new(Hooked);
    let mut rounds: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        rounds[0].push(runtime.block_on(bare()));
        rounds[1].push(runtime.block_on(cycles(&idle)));
        rounds[2].push(runtime.block_on(cycles(&hooked)));
        rounds[3].push(runtime.block_on(restarts(&idle)));
    }
    let floor = median(&mut rounds[0]);
    let names = ["bare start and stop", "start and stop", "with a hook", "restart"];
    for (name, round) in names.iter().zip(&mut rounds) {
        let time = median(round);
        let ratio = time.as_secs_f64() / floor.as_secs_f64();
        println!("  {name:<20} {:>7.0} ns  {ratio:.2}", time.as_secs_f64() * 1e9);
    }
}

fn median(rounds: &mut [Duration]) -> Duration {
    rounds.sort_unstable();
    rounds[rounds.len() / 2] / CYCLES
}

async fn bare() -> Duration {
    let began = Instant::now();
    for _ in 0..CYCLES {
        Bare::start().await.stop().await;
    }
    began.elapsed()
}

async fn cycles<S: Service>(runner: &Runner<S>) -> Duration {
    let began = Instant::now();
    for _ in 0..CYCLES {
        runner.start().await.expect("it starts");
        runner.stop().await.expect("it stops");
    }
    began.elapsed()
}

async fn restarts<S: Service>(runner: &Runner<S>) -> Duration {
    runner.start().await.expect("it starts");
    let began = Instant::now();
    for _ in 0..CYCLES {
        runner.restart().await.expect("it restarts");
    }
    let time = began.elapsed();
    runner.stop().await.expect("it stops");
    time
}
