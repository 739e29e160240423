//! A drain before the cancellation.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{Context, Exit, Runner, Settings, State, StopError};
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
async fn the_stop_timeout_counts_from_the_end_of_the_drain() {
    let (runner, probe, cx) = draining().await;
    probe.on_cancel(Act::Hang);
    let since = Instant::now();
    let stopping = stop(&runner).await;
    assert_eq!(
        cx.remaining(),
        Some(8 * SECOND),
        "what is left of the drain is included"
    );
    assert!(matches!(stopping.outcome().await, Err(StopError::TimedOut)));
    assert_took(since, 8 * SECOND);
    let failure = runner.errors_last().unwrap().error().to_string();
    assert!(failure.contains("within 5s"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn the_drain_takes_half_of_the_time_that_is_allowed_at_most() {
    let (runner, mut probe, cx) = draining().await;
    probe.on_cancel(Act::Hang);
    let since = Instant::now();
    let caller = runner.clone();
    let stopping = Caller::of(async move { caller.stop_within(4 * SECOND).await }).await;
    assert_eq!(cx.remaining(), Some(4 * SECOND));
    probe.until(Event::Cancelled).await;
    assert_took(since, 2 * SECOND);
    assert!(matches!(stopping.outcome().await, Err(StopError::TimedOut)));
    assert_took(since, 4 * SECOND);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_in_progress_is_cut_to_half_of_what_is_allowed_now() {
    let (runner, mut probe, _cx) = draining().await;
    let since = Instant::now();
    let first = stop(&runner).await;
    tokio::time::sleep(SECOND).await;
    runner.stop_within(2 * SECOND).await.unwrap();
    first.outcome().await.unwrap();
    assert_took(since, 2 * SECOND);
    assert_eq!(probe.count(Event::Cancelled), 1);
    let (runner, _probe, _cx) = draining().await;
    let since = Instant::now();
    let first = stop(&runner).await;
    runner.stop_within(60 * SECOND).await.unwrap();
    first.outcome().await.unwrap();
    assert_took(since, DRAIN);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_ends_early_gives_its_time_to_a_limited_stop_alone() {
    for (limit, taken) in [(None, 5), (Some(20 * SECOND), 20)] {
        let (runner, probe, cx) = draining().await;
        cx.spawn(std::future::pending::<()>());
        let since = Instant::now();
        let caller = runner.clone();
        let stopping = Caller::of(async move {
            match limit {
                Some(limit) => caller.stop_within(limit).await,
                None => caller.stop().await,
            }
        });
        let stopping = stopping.await;
        probe.tell(Act::Complete);
        assert!(matches!(stopping.outcome().await, Err(StopError::TimedOut)));
        assert_took(since, taken * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_timeout_of_zero_aborts_after_the_drain() {
    let settings = Settings::new().drain(DRAIN).stop_timeout(Duration::ZERO);
    let (runner, mut probe) = probed(settings);
    runner.start().await.unwrap();
    probe.next().await;
    let since = Instant::now();
    runner.stop().await.unwrap();
    assert_took(since, DRAIN);
    assert_eq!(runner.wait().await, Exit::Aborted);
    assert_eq!(
        (
            probe.count(Event::Shutdown),
            runner.history().entries().len()
        ),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_allows_some_time_gets_it_although_the_stop_timeout_is_zero() {
    let settings = Settings::new().drain(DRAIN).stop_timeout(Duration::ZERO);
    let (runner, mut probe) = probed(settings);
    runner.start().await.unwrap();
    probe.next().await;
    let since = Instant::now();
    runner.stop_within(10 * SECOND).await.unwrap();
    assert_took(since, DRAIN);
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 1);
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
