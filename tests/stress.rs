//! Everything called at random from many tasks and threads: one at a time, no deadlock, as many ends as runs.

mod services;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use startstop_core::{Runner, Service, Settings, State};
use tokio::runtime::Runtime;

use crate::support::{
    Census, many_threads, obedient, one_thread, poll_up_to, short, watched, within,
};
use services::{full_of_surprises, impatient, restless};

const TASKS: u64 = 64;
const CALLS: usize = 100;

fn seed() -> u64 {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    seed
}

fn reads<S: Service>(runner: &Runner<S>) {
    let _ = (
        runner.state(),
        runner.is_running(),
        runner.is_ready(),
        runner.uptime(),
    );
    drop((
        runner.errors_last(),
        runner.errors_list(),
        runner.history(),
        runner.status(),
    ));
    drop((runner.clone(), runner.subscribe(), format!("{runner:?}")));
}

fn requests<S: Service>(runner: &Runner<S>, which: u8) {
    match which {
        0 => runner.request_start(),
        1 => runner.request_stop(),
        2 => runner.request_restart(),
        _ => runner.request_reload(),
    }
}

/// One call, awaited to its end or, if so told, dropped after some polls.
async fn call<S: Service>(runner: &Runner<S>, which: u8, polls: usize) {
    match which {
        0 => drop(poll_up_to(runner.start(), polls).await),
        1 => drop(poll_up_to(runner.stop(), polls).await),
        2 => drop(poll_up_to(runner.restart(), polls).await),
        3 => drop(poll_up_to(runner.ensure_running(), polls).await),
        4 => drop(poll_up_to(runner.stop_within(Duration::from_micros(200)), polls).await),
        5 => drop(poll_up_to(runner.wait_for(State::Running), 3).await),
        6 => reads(runner),
        other => requests(runner, other % 4),
    }
}

async fn at_random<S: Service>(runner: &Runner<S>, mut random: fastrand::Rng, drops: bool) {
    for _ in 0..CALLS {
        let polls = if drops {
            random.usize(1..6)
        } else {
            usize::MAX
        };
        call(runner, random.u8(0..11), polls).await;
        if random.bool() {
            tokio::task::yield_now().await;
        }
    }
}

/// 64 tasks at random; at the end it stops, and everything has ended.
fn hammer<S: Service>(runtime: &Runtime, runner: Runner<S>, census: &Arc<Census>, drops: bool) {
    let seed = seed();
    let runner = Arc::new(runner);
    runtime.block_on(within(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let random = fastrand::Rng::with_seed(seed ^ task);
                let runner = Arc::clone(&runner);
                tokio::spawn(async move { at_random(&runner, random, drops).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        // A service that has not heard of the stop yet may ask for a restart after it.
        while runner.state() != State::Stopped {
            let _ = runner.stop().await;
        }
        census.assert_settled();
    }));
}

fn on_both<S: Service>(make: impl Fn(&Arc<Census>) -> Runner<S> + Send + 'static) {
    watched(move || {
        for runtime in [many_threads(), one_thread()] {
            for drops in [false, true] {
                let census = Census::new();
                hammer(&runtime, make(&census), &census, drops);
            }
        }
    });
}

#[test]
fn an_obedient_service_survives_everything_at_once() {
    on_both(|census| Runner::new(obedient(census)));
}

#[test]
fn a_service_full_of_surprises_survives_everything_at_once() {
    on_both(|census| Runner::with_settings(full_of_surprises(census), short()));
}

#[test]
fn a_service_that_restarts_without_delay_survives_everything_at_once() {
    on_both(|census| Runner::with_settings(restless(census), services::without_delay()));
}

#[test]
fn a_service_with_drain_readiness_and_watchdog_survives_everything_at_once() {
    on_both(|census| Runner::with_settings(full_of_surprises(census), impatient()));
}

#[test]
fn threads_without_a_runtime_may_ask_for_anything() {
    watched(|| {
        let runtime = many_threads();
        let census = Census::new();
        let runner = Runner::with_settings(obedient(&census), Settings::new());
        runtime.block_on(runner.start()).expect("ready at once");
        let seed = seed();
        thread::scope(|scope| {
            for thread in 0..4 {
                let (runner, mut random) = (&runner, fastrand::Rng::with_seed(seed ^ thread));
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        requests(runner, random.u8(0..4));
                        reads(runner);
                    }
                });
            }
        });
        crate::support::park_on(runner.stop()).expect("an obedient service stops");
        assert_eq!(runner.state(), State::Stopped);
        census.assert_settled();
    });
}
