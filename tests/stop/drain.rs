//! A drain before the cancellation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, State, StopError};
use tokio::time::Instant;

use crate::support::{
    Act, Caller, Event, Probe, Remote, SECOND, assert_took, idle, probed, stop, within,
};

const DRAIN: Duration = Duration::from_secs(3);

async fn draining() -> (Runner<Probe>, Remote, Context) {
    let (runner, mut probe) = probed(Settings::new().drain(DRAIN));
    let slot = Arc::new(Mutex::new(None));
    let put = Arc::clone(&slot);
    probe.tell(Act::with(move |cx| *put.lock().unwrap() = Some(cx.clone())));
    runner.start().await.unwrap();
    probe.next().await;
    idle().await;
    let context = slot.lock().unwrap().take().unwrap();
    (runner, probe, context)
}

#[tokio::test(start_paused = true)]
async fn draining_resolves_at_once_and_the_cancellation_follows() {
    let (runner, mut probe, cx) = draining().await;
    let inner = cx.clone();
    let drain = Caller::of(async move { inner.draining().await }).await;
    assert!(drain.is_waiting() && runner.is_ready());
    let since = Instant::now();
    let stopping = stop(&runner).await;
    drain.outcome().await;
    assert_took(since, Duration::ZERO);
    assert!(!runner.is_ready() && !cx.is_cancelled());
    assert_eq!(runner.state(), State::Stopping);
    assert_eq!(probe.count(Event::Shutdown), 0);
    probe.until(Event::Cancelled).await;
    assert_took(since, DRAIN);
    stopping.outcome().await.unwrap();
    assert_took(since, DRAIN);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn the_drain_counts_within_the_stop_timeout() {
    let (runner, probe, cx) = draining().await;
    probe.on_cancel(Act::Hang);
    let since = Instant::now();
    let stopping = stop(&runner).await;
    assert_eq!(cx.remaining(), Some(5 * SECOND));
    assert!(matches!(stopping.outcome().await, Err(StopError::TimedOut)));
    assert_took(since, 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_stop_timeout_shorter_than_the_drain_wins() {
    let (runner, mut probe, _cx) = draining().await;
    probe.on_cancel(Act::Hang);
    let since = Instant::now();
    let _ = within(runner.stop_within(SECOND)).await;
    assert_took(since, SECOND);
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::RunEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn zero_skips_the_drain() {
    let (runner, mut probe, _cx) = draining().await;
    let since = Instant::now();
    runner.stop_within(Duration::ZERO).await.unwrap();
    assert_took(since, Duration::ZERO);
    assert_eq!(probe.count(Event::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_during_the_drain_ends_the_stop() {
    let (runner, probe, _cx) = draining().await;
    let since = Instant::now();
    let stopping = stop(&runner).await;
    probe.tell(Act::Complete);
    stopping.outcome().await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert!(since.elapsed() <= DRAIN);
}

#[tokio::test(start_paused = true)]
async fn a_restart_drains_too() {
    let (runner, mut probe, _cx) = draining().await;
    let since = Instant::now();
    runner.restart().await.unwrap();
    assert_took(since, DRAIN);
    probe.until(Event::Run(2, 1)).await;
    assert!(runner.is_ready(), "the drain is over");
}

#[tokio::test(start_paused = true)]
async fn draining_resolves_with_the_cancellation_where_no_drain_is_set() {
    let (runner, probe) = probed(Settings::new());
    probe.tell(Act::with(|cx| {
        let inner = cx.clone();
        cx.spawn(async move { inner.draining().await });
    }));
    runner.start().await.unwrap();
    idle().await;
    within(runner.stop()).await.unwrap();
}
