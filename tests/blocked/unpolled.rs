//! The only worker of a runtime is blocked by somebody else: a service of which nothing runs is stopped from elsewhere all the same,
//! although nobody polls what drives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, RestartPolicy, Runner, Service, Settings, State, StopError, blocking_fn,
    service_fn, service_fn_with,
};
use tokio::runtime::{Builder, Runtime};

use super::Latch;
use crate::support::{until, within};

/// A runtime with a single worker.
fn single() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// Blocks its worker until the latch opens.
fn block(on: &Runtime) -> Arc<Latch> {
    let latch = Arc::new(Latch::new());
    let (tell, told) = channel();
    let gate = Arc::clone(&latch);
    on.spawn(async move {
        tell.send(()).unwrap();
        assert!(gate.pass());
    });
    told.recv().unwrap();
    latch
}

/// Deadlines of a stop that are not to be waited for, and one of an abort that is.
fn patient() -> Settings {
    Settings::new()
        .stop_timeout(Duration::from_secs(3600))
        .abort_timeout(Duration::from_millis(20))
}

/// A service that counts how often it is entered.
fn counted(entered: &Arc<AtomicUsize>, settings: Settings) -> Runner<impl Service + use<>> {
    let service = service_fn_with(Arc::clone(entered), |entered, cx: Context| async move {
        entered.fetch_add(1, Ordering::SeqCst);
        cx.cancelled().await;
    });
    Runner::with_settings(service, settings)
}

/// Starts it there, without waiting for that.
fn start_on<S: Service>(on: &Runtime, runner: &Runner<S>) {
    let _entered = on.enter();
    runner.request_start();
}

/// A service whose start nobody polls, for the worker is blocked until the latch opens; and how often it is entered.
fn unpolled() -> (
    Runtime,
    Arc<Latch>,
    Runner<impl Service + use<>>,
    Arc<AtomicUsize>,
) {
    let (on, entered) = (single(), Arc::default());
    let runner = counted(&entered, patient());
    let latch = block(&on);
    start_on(&on, &runner);
    (on, latch, runner, entered)
}

/// Lets the worker go on, and the runtime end.
fn release(on: Runtime, latch: &Latch) {
    latch.open();
    on.shutdown_background();
}

#[tokio::test]
async fn a_start_that_was_never_polled_is_stopped() {
    for limit in [None, Some(Duration::ZERO), Some(Duration::from_millis(1))] {
        let (on, latch, runner, entered) = unpolled();
        assert_eq!(runner.state(), State::Starting);
        let stopped = match limit {
            None => within(runner.stop()).await,
            Some(limit) => within(runner.stop_within(limit)).await,
        };
        stopped.unwrap_or_else(|error| panic!("{limit:?}: {error}"));
        assert_eq!(runner.state(), State::Stopped, "{limit:?}");
        // What is still to be polled there begins nothing.
        latch.open();
        within(on.spawn(async {})).await.unwrap();
        assert_eq!(entered.load(Ordering::SeqCst), 0);
        let again = runner.clone();
        within(on.spawn(async move { again.start().await }))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(runner.status().cycles(), 2);
        within(runner.stop()).await.unwrap();
        assert_eq!(entered.load(Ordering::SeqCst), 1);
        on.shutdown_background();
    }
}

#[tokio::test]
async fn one_that_is_asked_twice_is_stopped_too() {
    let (on, latch, runner, _) = unpolled();
    runner.request_stop();
    within(runner.stop_within(Duration::ZERO)).await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    release(on, &latch);
}

#[tokio::test]
async fn a_restart_from_elsewhere_leaves_the_runtime_that_is_blocked() {
    let (on, latch, runner, entered) = unpolled();
    within(runner.restart()).await.unwrap();
    assert_eq!(runner.status().cycles(), 2);
    assert_eq!(entered.load(Ordering::SeqCst), 1);
    within(runner.stop()).await.unwrap();
    release(on, &latch);
}

#[tokio::test]
async fn a_backoff_whose_driver_is_not_polled_is_stopped() {
    let on = single();
    let service = service_fn(async |_: Context| Err::<(), _>("not yet"));
    let backoff = Backoff::constant(Duration::from_secs(3600));
    let policy = RestartPolicy::on_failure().backoff(backoff).forever();
    let runner = Runner::with_settings(service, patient().restart(policy));
    start_on(&on, &runner);
    within(runner.wait_for(State::Backoff)).await;
    let latch = block(&on);
    within(runner.stop()).await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    release(on, &latch);
}

#[tokio::test]
async fn a_thread_of_its_own_ends_the_service_without_the_runtime() {
    let on = single();
    let service = blocking_fn(
        |cx: Context| {
            while !cx.cancelled_blocking(Duration::from_secs(3600)) {}
        },
    );
    let runner = Runner::with_settings(service, patient());
    start_on(&on, &runner);
    within(until(|| runner.is_running())).await;
    let latch = block(&on);
    let stopped = within(runner.stop_within(Duration::from_millis(50))).await;
    // `run` itself waits for the thread, and is not polled.
    assert!(
        matches!(stopped, Err(StopError::Unresponsive(_))),
        "{stopped:?}"
    );
    latch.open();
    within(runner.wait_for(State::Stopped)).await;
    on.shutdown_background();
}
