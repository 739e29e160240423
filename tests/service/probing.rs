//! Probes of a service without a runner.

use std::future::Ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use startstop_core::{
    BoxError, Cause, Context, Permanent, Phase, Probe, ReloadError, Service, StopReason, every,
    service_fn,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Caller, SECOND, assert_panicked, idle, watched, within};

#[tokio::test(start_paused = true)]
async fn a_probe_tells_what_the_service_says() {
    let (cx, probe) = Context::probed(CancellationToken::new());
    assert!(!probe.is_ready());
    assert_eq!(
        (
            probe.heartbeats(),
            probe.checkpoint(),
            probe.not_ready_reason()
        ),
        (0, None, None)
    );
    cx.not_ready("starting");
    assert_eq!(probe.not_ready_reason().as_deref(), Some("starting"));
    cx.ready();
    assert!(probe.is_ready() && probe.not_ready_reason().is_none());
    cx.not_ready("full");
    assert!(!probe.is_ready());
    cx.checkpoint("one");
    cx.checkpoint("two");
    cx.heartbeat();
    cx.detail("3 connections");
    cx.extend(SECOND);
    cx.report("odd");
    cx.spawn_named("reader", async { Err::<(), _>("disk full") });
    cx.join_tasks().await;
    assert_eq!((probe.heartbeats(), probe.checkpoint()), (1, Some("two")));
    assert_eq!(probe.detail().as_deref(), Some("3 connections"));
    let reports = probe.reports();
    let told: Vec<_> = reports
        .iter()
        .map(|it| (it.error().to_string(), it.cause(), it.task()))
        .collect();
    assert_eq!(
        told,
        [
            ("odd".to_owned(), Cause::Reported, None),
            ("disk full".to_owned(), Cause::Error, Some("reader")),
        ]
    );
}

/// A future that is ready at once and panics when it is dropped.
struct PanicsInItsDrop<T>(Ready<T>);

impl<T> Future for PanicsInItsDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(task)
    }
}

impl<T> Drop for PanicsInItsDrop<T> {
    fn drop(&mut self) {
        panic!("in its drop");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_hears_of_panics_in_tasks_and_in_the_calls_of_every() {
    let (cx, probe) = Context::probed(CancellationToken::new());
    cx.spawn_named("reader", async { panic!("in its poll") });
    cx.spawn_named("writer", PanicsInItsDrop(std::future::ready(())));
    within(cx.join_tasks()).await;
    let reports = probe.reports();
    assert_eq!(reports.len(), 2);
    let said = [("reader", "in its poll"), ("writer", "in its drop")];
    for (failure, (task, message)) in reports.iter().zip(said) {
        assert_eq!(failure.task(), Some(task));
        assert_panicked(failure, Phase::Task, message);
    }

    let (cx, probe) = Context::probed(CancellationToken::new());
    let call = |_| PanicsInItsDrop(std::future::ready(Err(Permanent::new("no such key"))));
    assert!(within(every(SECOND, call).run(cx)).await.is_err());
    assert_panicked(&probe.reports()[0], Phase::Run, "in its drop");
}

#[tokio::test(start_paused = true)]
async fn who_joins_tasks_waits_for_none_that_is_spawned_later() {
    let cx = Context::detached(CancellationToken::new());
    for seconds in [2, 1] {
        cx.spawn(async move { tokio::time::sleep(SECOND * seconds).await });
    }
    let joins = cx.clone();
    let joined = Caller::of(async move { joins.join_tasks().await }).await;
    tokio::time::sleep(SECOND * 3 / 2).await;
    cx.spawn(std::future::pending::<()>());
    joined.outcome().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_joins_the_others_does_not_wait_for_itself() {
    for _ in 0..100 {
        let cx = Context::detached(CancellationToken::new());
        let joins = cx.clone();
        cx.spawn(async move { joins.join_tasks().await });
        within(cx.join_tasks()).await;
    }
}

#[test]
fn a_task_that_is_spawned_outside_of_a_runtime_is_a_panic() {
    let cx = Context::detached(CancellationToken::new());
    let spawns = || cx.spawn(async {});
    assert!(catch_unwind(AssertUnwindSafe(spawns)).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_probe_drains_before_the_token_cancels() {
    let token = CancellationToken::new();
    let (cx, probe) = Context::probed(token.clone());
    let service = service_fn(async |cx: Context| {
        cx.draining().await;
        assert!(!cx.is_cancelled());
        assert_eq!(cx.reason(), Some(StopReason::Requested));
        cx.cancelled().await;
    });
    let run = Caller::of(async move { service.run(cx).await.is_ok() }).await;
    probe.drain();
    idle().await;
    assert!(run.is_waiting());
    token.cancel();
    assert!(run.outcome().await);
}

#[tokio::test(start_paused = true)]
async fn a_probe_asks_for_a_reload_and_hears_the_answer() {
    let (cx, probe) = Context::probed(CancellationToken::new());
    let asks = probe.clone();
    let first = Caller::of(async move { asks.reload().await }).await;
    assert!(first.is_waiting(), "nobody has looked");
    cx.reloaded().await.done();
    first.outcome().await.unwrap();

    let asks = probe.clone();
    let second = Caller::of(async move { asks.reload().await }).await;
    cx.reloaded().await.failed("line 3");
    let Err(ReloadError::Failed(failure)) = second.outcome().await else {
        panic!("it has failed")
    };
    assert_eq!(failure.error().to_string(), "line 3");
    assert_eq!(probe.reports().len(), 1);

    let asks = probe.clone();
    let third = Caller::of(async move { asks.reload().await }).await;
    drop(cx);
    assert!(matches!(third.outcome().await, Err(ReloadError::Stopped)));
    assert!(matches!(
        within(probe.reload()).await,
        Err(ReloadError::Stopped)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_asks_for_its_end_cancels_its_token() {
    for ask in [Context::request_stop, Context::request_shutdown] {
        let token = CancellationToken::new();
        let (cx, _probe) = Context::probed(token.clone());
        assert_eq!(cx.reason(), None);
        ask(&cx);
        assert!(token.is_cancelled());
        assert_eq!(cx.reason(), Some(StopReason::Own));
    }
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    token.cancel();
    assert_eq!(cx.reason(), Some(StopReason::Requested));
    cx.request_stop();
    assert_eq!(cx.reason(), Some(StopReason::Requested), "the first stays");
}

#[tokio::test(start_paused = true)]
async fn every_beats_and_reports_under_a_probe() {
    let token = CancellationToken::new();
    let (cx, probe) = Context::probed(token.clone());
    let service = every(SECOND, async |cx: Context| {
        cx.checkpoint("ticking");
        Err::<(), _>("odd")
    });
    let run = Caller::of(async move { service.run(cx).await.is_ok() }).await;
    tokio::time::sleep(SECOND * 5 / 2).await;
    assert_eq!((probe.heartbeats(), probe.reports().len()), (3, 3));
    assert_eq!(probe.checkpoint(), Some("ticking"));
    token.cancel();
    assert!(run.outcome().await);
}

/// It asks the probe what was reported so far, as it becomes an error.
struct Counts(Probe);

impl From<Counts> for BoxError {
    fn from(Counts(probe): Counts) -> Self {
        format!("{} before", probe.reports().len()).into()
    }
}

#[test]
fn a_report_to_a_context_without_a_runner_is_converted_without_a_lock() {
    watched(|| {
        let (cx, probe) = Context::probed(CancellationToken::new());
        cx.report(Counts(probe.clone()));
        cx.report(Counts(probe.clone()));
        let reports = probe.reports();
        let said: Vec<String> = reports.iter().map(|it| it.error().to_string()).collect();
        assert_eq!(said, ["0 before", "1 before"]);
    });
}
