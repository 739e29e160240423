//! Reload requests that are refused since nothing runs, as the events tell of them.

use startstop_core::{
    Backoff, EventKind, Events, Readiness, ReloadError, RestartPolicy, Runner, Settings, State,
    once, service_fn,
};

use crate::support::{Caller, SECOND};

/// Returns what was told of reloads.
fn told(events: &mut Events) -> Vec<EventKind> {
    let is_of_a_reload =
        |kind: &EventKind| matches!(kind, EventKind::Reloading | EventKind::Reloaded(_));
    let all = std::iter::from_fn(|| events.try_next());
    let kinds = all.map(|event| event.kind().clone());
    kinds.filter(is_of_a_reload).collect()
}

fn assert_refused(told: &[EventKind]) {
    use EventKind::{Reloaded, Reloading};
    assert!(
        matches!(told, [Reloading, Reloaded(Err(ReloadError::Stopped))]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_in_a_backoff_is_told_as_one_that_is_refused() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let fails = once(async |_cx| Err::<(), _>("no"));
    let runner = Runner::with_settings(fails, Settings::new().restart(policy));
    let mut events = runner.events();
    runner.request_reload();
    assert!(told(&mut events).is_empty(), "nothing has begun");
    runner.request_start();
    runner.wait_for(State::Backoff).await;
    runner.request_reload();
    assert_refused(&told(&mut events));
    runner.stop().await.unwrap();
    runner.request_reload();
    assert!(told(&mut events).is_empty(), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn a_reload_in_a_start_that_fails_is_told_as_one_that_is_refused() {
    let fails = service_fn(async |_cx| {
        tokio::time::sleep(SECOND).await;
        Err::<(), _>("no")
    });
    let settings = Settings::new().readiness(Readiness::Explicit);
    let runner = Runner::with_settings(fails, settings);
    let mut events = runner.events();
    runner.request_start();
    runner.wait_for(State::Starting).await;
    let asks = runner.clone();
    let reload = Caller::of(async move { asks.reload().await }).await;
    assert!(told(&mut events).is_empty(), "the start may yet succeed");
    assert!(matches!(reload.outcome().await, Err(ReloadError::Stopped)));
    assert_refused(&told(&mut events));
}
