//! A start under a parent's token.

use startstop_core::{
    Backoff, Exit, Readiness, RestartPolicy, Runner, Settings, StartError, State,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Act, Caller, Event, Probe, Remote, SECOND, idle, probed};

async fn under_parent() -> (Runner<Probe>, Remote, CancellationToken) {
    let (runner, mut probe) = probed(Settings::new());
    let parent = CancellationToken::new();
    runner.start_with(&parent).await.unwrap();
    probe.next().await;
    (runner, probe, parent)
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_parent_stops_the_service() {
    let (runner, mut probe, parent) = under_parent().await;
    parent.cancel();
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Cancelled), 1);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_cancelled_while_starting_stops_the_start() {
    let (runner, _probe) = probed(Settings::new().readiness(Readiness::Explicit));
    let parent = CancellationToken::new();
    let (starter, token) = (runner.clone(), parent.clone());
    let first = Caller::of(async move { starter.start_with(&token).await }).await;
    parent.cancel();
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    runner.wait_for(State::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_cancels_nothing_of_the_parent() {
    let (runner, _probe, parent) = under_parent().await;
    runner.stop().await.unwrap();
    assert!(!parent.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn restarts_keep_the_parent() {
    let (runner, _probe, parent) = under_parent().await;
    runner.restart().await.unwrap();
    assert!(runner.is_running());
    parent.cancel();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn restarts_under_a_cancelled_parent_are_cancelled() {
    let (runner, probe, parent) = under_parent().await;
    parent.cancel();
    runner.wait_for(State::Stopped).await;
    assert!(matches!(runner.restart().await, Err(StartError::Cancelled)));
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_start_drops_the_parent() {
    let (runner, mut probe, parent) = under_parent().await;
    runner.start().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    parent.cancel();
    idle().await;
    assert!(runner.is_running());
    runner.restart().await.unwrap();
    assert!(runner.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_start_after_the_parent_was_cancelled_is_free_of_it() {
    let (runner, _probe, parent) = under_parent().await;
    parent.cancel();
    runner.wait_for(State::Stopped).await;
    runner.start().await.unwrap();
    idle().await;
    assert!(runner.is_running());
}

#[tokio::test(start_paused = true)]
async fn the_next_start_with_replaces_the_parent() {
    let (runner, _probe, parent) = under_parent().await;
    let next = CancellationToken::new();
    runner.start_with(&next).await.unwrap();
    parent.cancel();
    idle().await;
    assert!(runner.is_running());
    next.cancel();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_parent_outlasts_a_stop_until_the_next_start() {
    let (runner, probe, parent) = under_parent().await;
    runner.stop().await.unwrap();
    parent.cancel();
    assert!(matches!(runner.restart().await, Err(StartError::Cancelled)));
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_parent_ends_the_backoff() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(3600 * SECOND));
    let (runner, probe) = probed(Settings::new().restart(policy));
    let parent = CancellationToken::new();
    runner.start_with(&parent).await.unwrap();
    probe.tell(Act::Fail("x"));
    runner.wait_for(State::Backoff).await;
    parent.cancel();
    let since = tokio::time::Instant::now();
    runner.wait_for(State::Stopped).await;
    assert!(since.elapsed() < SECOND);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn automatic_restarts_keep_the_parent() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let (runner, mut probe) = probed(Settings::new().restart(policy));
    let parent = CancellationToken::new();
    runner.start_with(&parent).await.unwrap();
    probe.tell(Act::Fail("x"));
    probe.until(Event::Run(1, 2)).await;
    parent.cancel();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_parent_holds_no_runner_that_is_gone() {
    let (runner, mut probe, parent) = under_parent().await;
    let weak = runner.downgrade();
    drop(runner);
    probe.until(Event::RunEnded).await;
    idle().await;
    assert!(weak.upgrade().is_none());
    parent.cancel();
}
