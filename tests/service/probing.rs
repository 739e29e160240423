//! Probes of a service without a runner.

use startstop_core::{Cause, Context, ReloadError, Service, StopReason, every, service_fn};
use tokio_util::sync::CancellationToken;

use crate::support::{Caller, SECOND, idle, within};

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
