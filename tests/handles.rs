//! Handles: clones, weak ones, watches, trait objects, and what they wait for.

mod erased;
mod kinds;
mod waits;
mod watches;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{Runner, Service, State, service_fn_with};

use crate::support::{Census, obedient, settle, until, within};

/// An obedient service that runs, and who counts its attempts.
async fn running() -> (Runner<impl Service>, Arc<Census>) {
    let census = Census::new();
    let runner = Runner::new(obedient(&census));
    runner.start().await.expect("ready at once");
    (runner, census)
}

#[tokio::test]
async fn clones_drive_the_same_service() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let clone = runner.clone();
        clone.start().await.expect("ready at once");
        assert!(runner.is_running());
        assert!(std::ptr::eq(runner.service(), clone.service()));
        runner.stop().await.expect("an obedient service stops");
        assert_eq!(clone.state(), State::Stopped);
    })
    .await;
}

#[tokio::test]
async fn the_last_clone_that_is_dropped_stops_the_service() {
    within(async {
        let (runner, census) = running().await;
        until(|| census.alive() == 1).await;
        let mut clones = vec![runner.clone(), runner.clone(), runner];
        while clones.len() > 1 {
            clones.pop();
            settle().await;
            assert_eq!(census.alive(), 1);
        }
        clones.clear();
        until(|| census.alive() == 0).await;
        census.assert_settled();
    })
    .await;
}

#[tokio::test]
async fn a_service_without_handles_does_not_restart_itself() {
    within(async {
        let runs = Arc::new(AtomicUsize::new(0));
        let service = service_fn_with(Arc::clone(&runs), async |runs, cx| {
            runs.fetch_add(1, Ordering::SeqCst);
            cx.cancelled().await;
            cx.request_restart();
        });
        let runner = Runner::new(service);
        runner.start().await.expect("ready at once");
        until(|| runs.load(Ordering::SeqCst) == 1).await;
        let mut states = runner.subscribe();
        drop(runner);
        while states.changed().await.is_some() {}
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test]
async fn a_detached_service_goes_on_without_handles() {
    within(async {
        let (runner, census) = running().await;
        let weak = runner.downgrade();
        runner.detach();
        settle().await;
        assert_eq!(census.alive(), 1);
        let runner = weak.upgrade().expect("it still runs");
        drop(runner);
        settle().await;
        assert_eq!(census.alive(), 1, "detached is detached");
        let runner = weak.upgrade().expect("it still runs");
        runner.stop().await.expect("an obedient service stops");
        census.assert_settled();
    })
    .await;
}

#[tokio::test]
async fn a_clone_of_a_detached_runner_is_still_a_handle() {
    within(async {
        let (runner, census) = running().await;
        let clone = runner.clone();
        runner.detach();
        clone.stop().await.expect("an obedient service stops");
        clone.start().await.expect("ready at once");
        drop(clone);
        settle().await;
        assert_eq!(census.alive(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_weak_runner_keeps_nothing_running() {
    within(async {
        let (runner, census) = running().await;
        until(|| census.alive() == 1).await;
        let weak = runner.downgrade();
        let other = weak.clone();
        drop(weak.upgrade().expect("the runner is there"));
        settle().await;
        assert_eq!(census.alive(), 1);
        drop(runner);
        assert!(weak.upgrade().is_none() && other.upgrade().is_none());
        until(|| census.alive() == 0).await;
    })
    .await;
}

#[test]
fn a_runner_needs_no_runtime_but_to_start() {
    let census = Census::new();
    let runner = Runner::new(obedient(&census));
    runner.request_stop();
    runner.request_start();
    runner.request_reload();
    assert_eq!(runner.state(), State::Stopped);
    let start = crate::support::park_on(runner.start());
    assert!(matches!(start, Err(startstop_core::StartError::NoRuntime)));
    crate::support::park_on(runner.stop()).expect("it does not run");
    crate::support::park_on(runner.wait_for(State::Stopped));
    let exit = crate::support::park_on(runner.wait());
    assert_eq!((exit, census.runs()), (startstop_core::Exit::Stopped, 0));
}
