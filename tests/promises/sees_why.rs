//! Promise 2: a failure is in the history before the state settles, and the state settles before anyone is woken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use startstop_core::{Context, Exit, Failure, Runner, Service, State, service_fn, service_fn_with};

use crate::support::{many_threads, one_thread, spin_until, watched, within};

const ROUNDS: u64 = 5_000;

/// Runs the service again and again while a plain thread looks for `Stopped`, and then for the failure.
fn whoever_sees<S: Service>(runner: &Runner<S>, entered: &AtomicU64, round: impl Fn() + Sync) {
    let seen = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for cycle in 1..=ROUNDS {
                spin_until(|| entered.load(Ordering::SeqCst) == cycle);
                while runner.state() != State::Stopped {
                    std::hint::spin_loop();
                }
                let last = runner.errors_last().map(|failure| failure.cycle());
                let newest = runner.history().entries().last().map(Failure::cycle);
                assert_eq!((last, newest), (Some(cycle), Some(cycle)));
                seen.store(cycle, Ordering::SeqCst);
            }
        });
        for cycle in 1..=ROUNDS {
            round();
            spin_until(|| seen.load(Ordering::SeqCst) >= cycle);
        }
    });
}

#[test]
fn the_failure_of_run_is_there_when_stopped_is_seen() {
    watched(|| {
        let runtime = many_threads();
        let runner = Runner::new(service_fn_with(
            AtomicU64::new(0),
            |entered, _cx| async move {
                entered.fetch_add(1, Ordering::SeqCst);
                Err::<(), _>("broken")
            },
        ));
        let entered = runner.service().state().clone();
        whoever_sees(&runner, &entered, || drop(runtime.block_on(runner.start())));
    });
}

#[test]
fn the_failure_of_shutdown_is_there_when_stopped_is_seen() {
    watched(|| {
        let runtime = one_thread();
        let service = service_fn_with(AtomicU64::new(0), |entered, cx: Context| async move {
            entered.fetch_add(1, Ordering::SeqCst);
            cx.cancelled().await;
        });
        let runner =
            Runner::new(service.on_shutdown(|_, _| async { Err::<(), _>("cannot close") }));
        let entered = runner.service().state().clone();
        whoever_sees(&runner, &entered, || {
            runtime.block_on(async {
                runner.start().await.expect("ready at once");
                let before = runner.status().cycles();
                while entered.load(Ordering::SeqCst) < before {
                    tokio::task::yield_now().await;
                }
                runner.stop().await.expect_err("shutdown fails");
            });
        });
    });
}

#[test]
fn a_woken_waiter_sees_the_state_and_the_failure() {
    watched(|| {
        many_threads().block_on(within(async {
            for _ in 0..1_000 {
                let runner = Runner::new(service_fn(|_| async {
                    tokio::task::yield_now().await;
                    Err::<(), _>("broken")
                }));
                let woken = runner.clone();
                let mut states = runner.subscribe();
                let watcher = tokio::spawn(async move {
                    while states.changed().await != Some(State::Stopped) {}
                    (woken.state(), woken.errors_last().is_some())
                });
                runner.request_start();
                let exit = runner.wait().await;
                assert_eq!((exit, runner.state()), (Exit::Failed, State::Stopped));
                assert!(runner.errors_last().is_some() && !runner.history().entries().is_empty());
                assert_eq!(watcher.await.expect("no panic"), (State::Stopped, true));
            }
        }));
    });
}
