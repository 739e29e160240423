//! The stop, as a context sees it.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{Context, Group, Runner, Settings, State, service_fn};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::yield_now;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::{Act, Caller, Probe, Remote, SECOND, assert_took, idle, probed, stop, within};

/// The context of a probe that ends when it is told to, and the context of its `shutdown`.
async fn contexts(
    settings: Settings,
) -> (Runner<Probe>, Remote, Context, Arc<Mutex<Option<Context>>>) {
    let (runner, probe) = probed(settings);
    let (send, mut contexts) = unbounded_channel();
    let in_shutdown = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&in_shutdown);
    probe.on_cancel(Act::Hang);
    probe.on_shutdown(Act::with(move |cx| {
        *slot.lock().unwrap() = Some(cx.clone());
    }));
    probe.tell(Act::with(move |cx| send.send(cx.clone()).unwrap()));
    runner.start().await.unwrap();
    let context = within(contexts.recv()).await.unwrap();
    (runner, probe, context, in_shutdown)
}

#[tokio::test(start_paused = true)]
async fn there_is_no_deadline_before_a_stop() {
    let (_runner, _probe, cx, _) = contexts(Settings::new()).await;
    assert_eq!((cx.deadline(), cx.remaining()), (None, None));
    assert!(!cx.is_cancelled() && !cx.token().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_known_once_a_stop_is_requested() {
    let (runner, probe, cx, _) = contexts(Settings::new()).await;
    let since = Instant::now();
    let first = stop(&runner).await;
    assert!(cx.is_cancelled() && cx.token().is_cancelled());
    assert_eq!(cx.deadline().unwrap().duration_since(since), 5 * SECOND);
    assert_eq!(cx.remaining(), Some(5 * SECOND));
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(cx.remaining(), Some(3 * SECOND));
    let other = runner.clone();
    let second = Caller::of(async move { other.stop_within(SECOND).await }).await;
    assert_eq!(cx.remaining(), Some(SECOND), "the earliest deadline wins");
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn there_is_no_deadline_if_it_is_never_aborted() {
    let (runner, probe, cx, _) = contexts(Settings::new().stop_timeout(Duration::MAX)).await;
    let first = stop(&runner).await;
    assert!(cx.is_cancelled());
    assert_eq!((cx.deadline(), cx.remaining()), (None, None));
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn in_shutdown_cancelled_means_the_deadline() {
    let (runner, _probe, _cx, in_shutdown) = contexts(Settings::new()).await;
    let since = Instant::now();
    let first = stop(&runner).await;
    let cx = in_shutdown.lock().unwrap().take().unwrap();
    let token = cx.token();
    assert!(!cx.is_cancelled() && !token.is_cancelled());
    assert_eq!(cx.remaining(), Some(5 * SECOND));
    within(cx.cancelled()).await;
    assert_took(since, 5 * SECOND);
    within(token.cancelled()).await;
    assert!(cx.is_cancelled());
    assert!(first.outcome().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn run_until_cancelled_gives_the_output_or_none() {
    let (runner, _probe, cx, _) = contexts(Settings::new()).await;
    assert_eq!(within(cx.run_until_cancelled(async { 7 })).await, Some(7));
    let inner = cx.clone();
    let waiting = async move {
        inner
            .run_until_cancelled(std::future::pending::<u8>())
            .await
    };
    let waiting = Caller::of(waiting).await;
    assert!(waiting.is_waiting());
    runner.request_stop();
    assert_eq!(waiting.outcome().await, None);
}

#[tokio::test]
async fn a_future_that_is_ready_each_time_does_not_outrun_the_stop() {
    let busy = service_fn(async |cx| {
        while cx.run_until_cancelled(ready(())).await.is_some() {
            yield_now().await;
        }
    });
    let runner = Runner::new(busy);
    runner.start().await.unwrap();
    within(runner.stop()).await.unwrap();
    let token = CancellationToken::new();
    token.cancel();
    let cx = Context::detached(token);
    assert_eq!(
        cx.run_until_cancelled(async { panic!("it is not polled") })
            .await,
        None::<()>
    );
}

#[tokio::test(start_paused = true)]
async fn the_cancellation_of_a_token_of_a_context_cancels_nobody_else() {
    let (_runner, _probe, cx, _) = contexts(Settings::new()).await;
    let other = cx.token();
    cx.token().cancel();
    assert!(!other.is_cancelled() && !cx.token().is_cancelled() && !cx.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn every_form_of_waiting_resolves() {
    let (runner, _probe, cx, _) = contexts(Settings::new()).await;
    let (owned, token) = (Caller::of(cx.cancelled_owned()).await, cx.token());
    let waiting = Caller::of(async move { token.cancelled().await }).await;
    assert!(owned.is_waiting() && waiting.is_waiting());
    runner.request_stop();
    owned.outcome().await;
    waiting.outcome().await;
    within(cx.cancelled()).await;
    within(cx.token().cancelled()).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_attempt_wakes_who_waits_with_its_context_elsewhere() {
    let (runner, probe, cx, _) = contexts(Settings::new()).await;
    let (told, draining) = (cx.clone(), cx.clone());
    let told = Caller::of(async move { told.cancelled().await }).await;
    let draining = Caller::of(async move { draining.draining().await }).await;
    probe.tell(Act::Complete);
    runner.wait_for(State::Stopped).await;
    told.outcome().await;
    draining.outcome().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stop_wakes_who_waits_for_its_deadline() {
    let (runner, probe, _cx, in_shutdown) = contexts(Settings::new()).await;
    runner.request_stop();
    idle().await;
    let cx = in_shutdown.lock().unwrap().take().unwrap();
    let deadline = Caller::of(async move { cx.cancelled().await }).await;
    assert!(deadline.is_waiting());
    probe.tell(Act::Complete);
    runner.wait_for(State::Stopped).await;
    deadline.outcome().await;
}

#[tokio::test(start_paused = true)]
async fn a_context_that_outlives_its_attempt_is_inert() {
    let (runner, probe, cx, _) = contexts(Settings::new()).await;
    probe.tell(Act::Complete);
    runner.wait_for(State::Stopped).await;
    cx.ready();
    cx.heartbeat();
    cx.report("too late");
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    cx.spawn(async move { drop(held) });
    assert_eq!(Arc::strong_count(&alive), 1, "its future is dropped");
    idle().await;
    assert!(runner.history().entries().is_empty());
    assert!(cx.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_context_says_the_path_from_the_outermost_whole() {
    let (tell, mut told) = unbounded_channel();
    let db = service_fn(move |cx: Context| {
        tell.send(cx.path()).unwrap();
        async move { cx.cancelled().await }
    });
    let inner = Group::builder("inner").with("db", db).build().unwrap();
    let app = Group::builder("app").with("inner", inner).build().unwrap();
    let app = Runner::new(app);
    within(app.start()).await.unwrap();
    assert_eq!(within(told.recv()).await.as_deref(), Some("app/inner/db"));
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_context_says_the_name_the_cycle_and_the_attempt() {
    let (runner, _probe, cx, _) = contexts(Settings::new().name("db")).await;
    assert_eq!((cx.name(), cx.cycle(), cx.attempt()), ("db", 1, 1));
    assert_eq!(runner.name(), "db");
}

#[tokio::test(start_paused = true)]
async fn a_service_function_sees_the_cancellation() {
    let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    runner.start().await.unwrap();
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_shutdown_is_cancelled_at_the_deadline() {
    let (runner, _probe, cx, in_shutdown) = contexts(Settings::new()).await;
    let of_run = cx.token();
    let stopping = stop(&runner).await;
    let in_shutdown = in_shutdown.lock().unwrap().take().expect("it was called");
    let of_shutdown = in_shutdown.token();
    assert!(of_run.is_cancelled() && !of_shutdown.is_cancelled());
    let since = Instant::now();
    within(of_shutdown.cancelled()).await;
    assert_took(since, 5 * SECOND);
    stopping.outcome().await.unwrap_err();
}
