//! Promise 3: a start and then a stop at once, from any threads, always ends stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use startstop_core::{Runner, Service, StartError, State};
use tokio::runtime::Runtime;

use crate::stress_support::{
    Census, many_threads, obedient, one_thread, park_on, poll_once, spin_until, watched,
};

const ROUNDS: usize = 10_000;

/// One thread starts and tells so, another stops as soon as it has heard.
fn start_and_stop_from_two_threads(runtime: &Runtime) {
    let census = Census::new();
    let runner = Runner::new(obedient(&census));
    let (started, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                spin_until(|| started.load(Ordering::SeqCst) == round);
                park_on(runner.stop()).expect("an obedient service stops");
                assert_eq!(runner.state(), State::Stopped);
                assert_eq!(census.alive(), 0);
                stopped.store(round, Ordering::SeqCst);
            }
        });
        runtime.block_on(start_each_round(&runner, &started, &stopped));
    });
    census.assert_settled();
}

async fn start_each_round<S: Service>(
    runner: &Runner<S>,
    started: &AtomicUsize,
    stopped: &AtomicUsize,
) {
    for round in 1..=ROUNDS {
        let mut start = Box::pin(runner.start());
        let polled = poll_once(&mut start).await;
        started.store(round, Ordering::SeqCst);
        let outcome = match polled {
            Some(outcome) => outcome,
            None => start.await,
        };
        assert!(matches!(outcome, Ok(()) | Err(StartError::Stopped)), "{outcome:?}");
        crate::stress_support::until(|| stopped.load(Ordering::SeqCst) == round).await;
    }
}

#[test]
fn a_stop_is_never_lost_on_many_threads() {
    watched(|| start_and_stop_from_two_threads(&many_threads()));
}

#[test]
fn a_stop_is_never_lost_on_one_thread() {
    watched(|| start_and_stop_from_two_threads(&one_thread()));
}

#[test]
fn a_stop_is_never_lost_when_only_requested() {
    watched(|| {
        let runtime = many_threads();
        let census = Census::new();
        let runner = Arc::new(Runner::new(obedient(&census)));
        let _on = runtime.enter();
        for _ in 0..ROUNDS {
            runner.request_start();
            runner.request_stop();
        }
        park_on(runner.wait());
        assert_eq!(runner.state(), State::Stopped);
        census.assert_settled();
    });
}

#[test]
fn a_stop_that_comes_before_run_was_entered_calls_nothing() {
    one_thread().block_on(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        runner.request_start();
        assert_eq!(runner.state(), State::Starting);
        runner.stop().await.expect("nothing was entered");
        assert_eq!((runner.state(), census.runs()), (State::Stopped, 0));
    });
}
