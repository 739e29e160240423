//! Services that are called with a context whose attempt has ended: nothing is started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use startstop_core::{Context, Group, Runner, Service, Settings, State, blocking_fn, service_fn};
use tokio::sync::mpsc::unbounded_channel;

use crate::support::{probed, within};

/// A context that has outlived its attempt.
async fn stale() -> Context {
    let (send, mut contexts) = unbounded_channel();
    let runner = Runner::new(service_fn(move |cx: Context| {
        send.send(cx).unwrap();
        std::future::ready(())
    }));
    within(runner.start()).await.unwrap();
    within(runner.wait()).await;
    contexts.recv().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_runner_does_not_start_its_service() {
    let (inner, probe) = probed(Settings::new());
    within(inner.run(stale().await)).await.unwrap();
    assert_eq!(
        (inner.state(), inner.status().cycles()),
        (State::Stopped, 0)
    );
    assert_eq!(probe.runs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_runner_whose_service_runs_leaves_it_alone() {
    let (inner, mut probe) = probed(Settings::new());
    inner.start().await.unwrap();
    probe.next().await;
    within(inner.run(stale().await)).await.unwrap();
    assert!(inner.is_running());
    inner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_starts_none_of_its_members() {
    let (inner, probe) = probed(Settings::new());
    let group = Group::builder("app")
        .with("a", inner.clone())
        .build()
        .unwrap();
    assert!(within(group.run(stale().await)).await.is_err());
    assert_eq!(
        (inner.state(), inner.status().cycles()),
        (State::Stopped, 0)
    );
    assert_eq!(probe.runs(), 0);
}

#[tokio::test]
async fn a_blocking_function_is_not_called() {
    let called = Arc::new(AtomicBool::new(false));
    let calls = Arc::clone(&called);
    let service = blocking_fn(move |_| calls.store(true, Ordering::SeqCst));
    within(service.run(stale().await)).await.unwrap();
    assert!(!called.load(Ordering::SeqCst));
}
