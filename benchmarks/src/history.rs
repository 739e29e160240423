//! Reading what went wrong, after nothing, a little, and a lot did.

use std::hint::black_box;
use std::time::Instant;

use startstop_core::{
    Backoff, Context, Failure, History, RestartPolicy, Runner, Service, Settings,
};

use crate::contenders::{Refused, STARTSTOP};
use crate::flavour::Flavour;
use crate::results::{Results, What};
use crate::rounds::{Batch, medians};

pub(crate) const FAILURES: [u32; 3] = [0, 10, 1_000];

/// Fails so many times, then waits for its stop.
struct Failing(u64);

impl Service for Failing {
    type Error = Refused;

    async fn run(&self, cx: Context) -> Result<(), Refused> {
        if cx.attempt() <= self.0 {
            return Err(Refused(cx.attempt()));
        }
        cx.cancelled().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .restart(
                RestartPolicy::on_failure()
                    .backoff(Backoff::none())
                    .forever(),
            )
            .history_capacity(1_000)
    }
}

/// A read takes the same on any runtime: nothing is awaited.
pub(crate) fn measure(results: &mut Results) {
    eprintln!("history");
    let flavour = Flavour::CurrentThread;
    let runtime = flavour.runtime();
    let runners = FAILURES.map(|failures| runtime.block_on(failed(failures)));
    let mut all: Vec<(What, Batch)> = Vec::new();
    for (failures, runner) in FAILURES.into_iter().zip(&runners) {
        let last = || -> Option<Failure> { runner.errors_last() };
        let every = || -> Vec<Failure> { runner.errors_list() };
        let history = || -> History { runner.history() };
        all.push((What::ErrorsLast(failures), reads(last)));
        all.push((What::ErrorsList(failures), reads(every)));
        all.push((What::History(failures), reads(history)));
    }
    let (whats, batches): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    for (what, time) in whats.into_iter().zip(medians(&batches)) {
        results.put(what, flavour, STARTSTOP.name, time);
    }
}

async fn failed(failures: u32) -> Runner<Failing> {
    let runner = Runner::new(Failing(failures.into()));
    runner
        .start()
        .await
        .expect("a failure is followed by an attempt");
    while runner.status().attempts() <= u64::from(failures) {
        tokio::task::yield_now().await;
    }
    assert_eq!(runner.history().entries().len(), failures as usize);
    runner
}

fn reads<'a, T>(read: impl Fn() -> T + 'a) -> Batch<'a> {
    Box::new(move |n| {
        let began = Instant::now();
        for _ in 0..n {
            black_box(read());
        }
        began.elapsed()
    })
}
