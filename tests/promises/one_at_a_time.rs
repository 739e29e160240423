//! Promise 1: never two attempts of one runner at once, whatever is called from wherever.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::sync::{Mutex, atomic::AtomicBool, atomic::Ordering};
use std::thread;
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, StartError, State, StopError, service_fn_with};

use crate::support::{Census, many_threads, obedient, park_on, spin_until, watched, within};

#[test]
fn one_at_a_time_whatever_is_requested_from_several_threads() {
    watched(|| {
        let runtime = many_threads();
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        thread::scope(|scope| {
            for seed in 0..4 {
                let (handle, runner) = (runtime.handle(), &runner);
                scope.spawn(move || {
                    let _on = handle.enter();
                    let mut random = fastrand::Rng::with_seed(seed);
                    for _ in 0..2_000 {
                        match random.u8(0..3) {
                            0 => runner.request_start(),
                            1 => runner.request_stop(),
                            _ => runner.request_restart(),
                        }
                    }
                });
            }
        });
        park_on(runner.stop()).expect("an obedient service stops");
        census.assert_settled();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_at_a_time_also_beside_an_attempt_that_does_not_yield() {
    within(async {
        let census = Census::new();
        let (release, blocked) = channel::<()>();
        let blocked = Mutex::new(blocked);
        let state = (Arc::clone(&census), blocked, AtomicBool::new(false));
        let service = service_fn_with(state, |state, _cx: Context| async move {
            let _alive = state.0.enter();
            state.2.store(true, Ordering::SeqCst);
            let _ = state.1.lock().expect("no poison").recv();
        });
        let runner = Runner::with_settings(
            service,
            Settings::new()
                .stop_timeout(Duration::from_millis(5))
                .abort_timeout(Duration::from_millis(5)),
        );
        runner.start().await.expect("ready at once");
        crate::support::until(|| census.alive() == 1).await;
        assert!(matches!(
            runner.stop().await,
            Err(StopError::Unresponsive(_))
        ));
        assert!(matches!(
            runner.start().await,
            Err(StartError::Unresponsive)
        ));
        assert!(matches!(
            runner.restart().await,
            Err(StartError::Unresponsive)
        ));
        assert!(matches!(
            runner.ensure_running().await,
            Err(StartError::Unresponsive)
        ));
        assert_eq!((runner.state(), census.runs()), (State::Stopping, 1));
        release.send(()).expect("it waits for this");
        runner.wait_for(State::Stopped).await;
        census.assert_settled();
        drop(release);
        runner.start().await.expect("it can run again");
        runner.wait().await;
        census.assert_settled();
    })
    .await;
}

#[test]
fn one_at_a_time_across_runtimes() {
    watched(|| {
        let (first, second) = (many_threads(), many_threads());
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        for round in 0..500 {
            let on = if round % 2 == 0 { &first } else { &second };
            on.block_on(runner.restart())
                .expect("an obedient service restarts");
        }
        let (a, b) = (runner.clone(), runner.clone());
        let a = first.spawn(async move { while a.restart().await.is_ok() {} });
        let b = second.spawn(async move { while b.restart().await.is_ok() {} });
        let so_far = census.runs();
        spin_until(|| census.runs() > so_far + 500);
        a.abort();
        b.abort();
        let _ = (park_on(a), park_on(b));
        park_on(runner.stop()).expect("an obedient service stops");
        census.assert_settled();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_also_when_the_service_restarts_itself() {
    within(async {
        let (census, asks) = (Census::new(), Arc::new(AtomicBool::new(true)));
        let state = (Arc::clone(&census), Arc::clone(&asks));
        let runner = Runner::new(service_fn_with(state, async |state, cx| {
            let _alive = state.0.enter();
            if state.1.load(Ordering::SeqCst) {
                cx.request_restart();
            }
            cx.cancelled().await;
        }));
        runner.start().await.expect("ready at once");
        crate::support::until(|| census.runs() > 1_000).await;
        asks.store(false, Ordering::SeqCst);
        // An attempt that has not heard of the first stop yet may ask for a restart after it.
        for _ in 0..2 {
            runner.stop().await.expect("an obedient service stops");
        }
        assert_eq!(runner.state(), State::Stopped);
        census.assert_settled();
    })
    .await;
}
