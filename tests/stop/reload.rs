//! A reload request: how the service is woken.

use std::sync::Arc;

use startstop_core::{Context, Runner, Service, Settings, State, service_fn, service_fn_with};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{Caller, SECOND, idle, stop, within};

struct Reloads {
    /// Lets the service look for a request.
    look: Notify,
    seen: UnboundedSender<u64>,
}

/// A service that looks for reload requests when it is let.
fn reloading() -> (Runner<impl Service>, Arc<Reloads>, UnboundedReceiver<u64>) {
    let (seen, saw) = unbounded_channel();
    let service = service_fn_with(
        Reloads {
            look: Notify::new(),
            seen,
        },
        async |state, cx| {
            cx.run_until_cancelled(async {
                loop {
                    state.look.notified().await;
                    cx.reloaded().await.done();
                    state.seen.send(cx.cycle()).unwrap();
                }
            })
            .await;
        },
    );
    let state = Arc::clone(service.state());
    (Runner::with_settings(service, Settings::new()), state, saw)
}

/// The service waits for a request and takes it.
async fn reloaded_once(
    runner: &Runner<impl Service>,
    state: &Reloads,
    saw: &mut UnboundedReceiver<u64>,
) {
    state.look.notify_one();
    idle().await;
    runner.request_reload();
    assert_eq!(within(saw.recv()).await, Some(1));
}

/// The service is woken once by what was asked for, and again by what is asked for now.
async fn woken_once(
    runner: &Runner<impl Service>,
    state: &Reloads,
    saw: &mut UnboundedReceiver<u64>,
) {
    assert_eq!(within(saw.recv()).await, Some(1));
    state.look.notify_one();
    idle().await;
    assert!(saw.try_recv().is_err());
    runner.request_reload();
    assert_eq!(within(saw.recv()).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_reload_wakes_the_service_and_restarts_nothing() {
    let (runner, state, mut saw) = reloading();
    runner.start().await.unwrap();
    reloaded_once(&runner, &state, &mut saw).await;
    assert_eq!(runner.state(), State::Running);
    assert_eq!(runner.status().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn several_requests_before_the_service_looks_are_one() {
    let (runner, state, mut saw) = reloading();
    runner.start().await.unwrap();
    reloaded_once(&runner, &state, &mut saw).await;
    for _ in 0..3 {
        runner.request_reload();
    }
    state.look.notify_one();
    woken_once(&runner, &state, &mut saw).await;
}

#[tokio::test(start_paused = true)]
async fn several_requests_are_one_for_a_service_that_waits_for_them() {
    let (runner, state, mut saw) = reloading();
    runner.start().await.unwrap();
    state.look.notify_one();
    idle().await;
    for _ in 0..3 {
        runner.request_reload();
    }
    woken_once(&runner, &state, &mut saw).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_lost_when_the_future_is_dropped() {
    let (send, mut contexts) = unbounded_channel();
    let runner = Runner::new(startstop_core::service_fn(
        move |cx: startstop_core::Context| {
            send.send(cx.clone()).unwrap();
            async move { cx.cancelled().await }
        },
    ));
    runner.start().await.unwrap();
    let cx = within(contexts.recv()).await.unwrap();
    let inner = cx.clone();
    let waiting = Caller::of(async move { inner.reloaded().await.done() }).await;
    assert!(waiting.is_waiting());
    runner.request_reload();
    // The wait is woken, and dropped before it is polled again.
    waiting.give_up().await;
    drop(cx.reloaded());
    within(cx.reloaded()).await.done();
    let again = Caller::of(async move { cx.reloaded().await.done() }).await;
    assert!(again.is_waiting(), "it is told once");
}

#[tokio::test(start_paused = true)]
async fn a_reload_of_a_stopped_service_starts_nothing() {
    let (runner, ..) = reloading();
    runner.request_reload();
    idle().await;
    assert_eq!(runner.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_stopping_is_not_reloaded() {
    let service = service_fn(async |cx: Context| {
        cx.cancelled().await;
        tokio::select! {
            _ = cx.reloaded() => Err("reloaded"),
            () = tokio::time::sleep(SECOND) => Ok(()),
        }
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    let stopping = stop(&runner).await;
    runner.request_reload();
    stopping.outcome().await.unwrap();
}
