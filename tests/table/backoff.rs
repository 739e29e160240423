//! Calls in `Backoff` where no start waits, beside one that waits for the end of the cycle.

use std::time::Duration;

use startstop_core::{Exit, State};
use tokio::time::Instant;

use super::{DELAY, backoff};
use crate::support::{Act, Event, assert_took, ensure, idle, restart, start, wait};

#[tokio::test(start_paused = true)]
async fn the_next_attempt_comes_after_the_delay() {
    let (runner, mut probe) = backoff().await;
    let since = Instant::now();
    probe.until(Event::Run(1, 2)).await;
    assert_took(since, DELAY);
    probe.tell(Act::Ready);
    runner.wait_for(State::Running).await;
    assert_eq!(runner.errors_list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn start_in_backoff_attempts_now() {
    let (runner, mut probe) = backoff().await;
    let (end, since) = (wait(&runner).await, Instant::now());
    let second = start(&runner).await;
    probe.until(Event::Run(1, 2)).await;
    assert_took(since, Duration::ZERO);
    probe.tell(Act::Ready);
    second.outcome().await.unwrap();
    assert!(end.is_waiting());
    assert_eq!(runner.state(), State::Running);
}

#[tokio::test(start_paused = true)]
async fn ensure_running_in_backoff_attempts_now() {
    let (runner, mut probe) = backoff().await;
    let (end, since) = (wait(&runner).await, Instant::now());
    let second = ensure(&runner).await;
    probe.until(Event::Run(1, 2)).await;
    assert_took(since, Duration::ZERO);
    probe.tell(Act::Ready);
    second.outcome().await.unwrap();
    assert!(end.is_waiting());
}

#[tokio::test(start_paused = true)]
async fn stop_in_backoff_is_immediate() {
    let (runner, mut probe) = backoff().await;
    let (end, since) = (wait(&runner).await, Instant::now());
    runner.stop().await.unwrap();
    assert_took(since, Duration::ZERO);
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(end.outcome().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_follows_a_stop_in_backoff() {
    let (runner, probe) = backoff().await;
    runner.stop().await.unwrap();
    tokio::time::advance(10 * DELAY).await;
    idle().await;
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn restart_in_backoff_begins_a_cycle_now() {
    let (runner, mut probe) = backoff().await;
    let (end, since) = (wait(&runner).await, Instant::now());
    let second = restart(&runner).await;
    probe.until(Event::Run(2, 1)).await;
    assert_took(since, Duration::ZERO);
    end.outcome().await;
    probe.tell(Act::Ready);
    second.outcome().await.unwrap();
    assert!(
        runner.errors_list().is_empty(),
        "a new cycle has errors of its own"
    );
}
