//! A context without a runner, for unit tests of services.

use std::sync::Arc;

use startstop_core::{Context, Runner, Service, Settings, State, once};
use tokio_util::sync::CancellationToken;

use crate::support::{Act, Caller, Event, Probe, idle, probed, within};

#[tokio::test(start_paused = true)]
async fn a_detached_contexts_token_cancels_a_run() {
    let (probe, mut remote) = Probe::new();
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    let run = Caller::of(async move { probe.run(cx).await.is_ok() }).await;
    assert!(run.is_waiting());
    token.cancel();
    assert!(run.outcome().await);
    assert_eq!(remote.count(Event::Cancelled), 1);
}

#[tokio::test(start_paused = true)]
async fn reports_to_a_detached_context_go_nowhere() {
    let cx = Context::detached(CancellationToken::new());
    cx.ready();
    cx.heartbeat();
    cx.report("nobody listens");
    cx.request_restart();
    assert!(!cx.is_cancelled());
    assert_eq!((cx.deadline(), cx.remaining()), (None, None));
    assert_eq!(within(cx.run_until_cancelled(async { 1 })).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_its_token_is_seen_everywhere() {
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    let owned = cx.cancelled_owned();
    token.cancel();
    assert!(cx.is_cancelled() && cx.token().is_cancelled());
    within(cx.cancelled()).await;
    within(owned).await;
    assert_eq!(
        cx.run_until_cancelled(std::future::pending::<()>()).await,
        None
    );
}

#[tokio::test(start_paused = true)]
async fn a_detached_contexts_tasks_run_and_end_with_the_last_clone() {
    let cx = Context::detached(CancellationToken::new());
    let clone = cx.clone();
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    cx.spawn(async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    drop(cx);
    idle().await;
    assert_eq!(Arc::strong_count(&alive), 2);
    // A future that waits by it is no clone.
    let _waits = clone.cancelled_owned();
    drop(clone);
    idle().await;
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_can_be_called_too() {
    let (probe, remote) = Probe::new();
    remote.on_shutdown(Act::Fail("close"));
    let cx = Context::detached(CancellationToken::new());
    let error = probe.shutdown(cx).await.unwrap_err();
    assert_eq!(error.to_string(), "broken: close");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_its_token_is_a_drain_and_no_reload_comes() {
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    let (draining, reloaded) = (cx.clone(), cx);
    let drain = Caller::of(async move { draining.draining().await }).await;
    let reload = Caller::of(async move { reloaded.reloaded().await.done() }).await;
    assert!(drain.is_waiting());
    token.cancel();
    drain.outcome().await;
    assert!(reload.is_waiting());
    reload.give_up().await;
}

#[tokio::test(start_paused = true)]
async fn a_runner_under_it_starts_and_is_stopped() {
    let (inner, mut remote) = probed(Settings::new());
    let token = CancellationToken::new();
    let (outer, cx) = (inner.clone(), Context::detached(token.clone()));
    let run = Caller::of(async move { outer.run(cx).await.is_ok() }).await;
    remote.until(Event::Run(1, 1)).await;
    assert!(inner.is_running() && run.is_waiting());
    token.cancel();
    assert!(run.outcome().await);
    assert_eq!(inner.state(), State::Stopped);
    assert_eq!(remote.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn a_runner_under_it_ends_as_its_service_does() {
    for (act, ok) in [(Act::Complete, true), (Act::Fail("disk full"), false)] {
        let (inner, remote) = probed(Settings::new());
        let cx = Context::detached(CancellationToken::new());
        let run = Caller::of(async move { inner.run(cx).await.is_ok() }).await;
        assert!(run.is_waiting());
        remote.tell(act);
        assert_eq!(run.outcome().await, ok);
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_of_a_job_that_is_done_at_once_ends_under_it() {
    let runner = Runner::new(once(async |_| ()));
    let cx = Context::detached(CancellationToken::new());
    within(runner.run(cx)).await.expect("it does its job");
}
