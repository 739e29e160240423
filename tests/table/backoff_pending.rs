//! Calls in `Backoff` where a start waits.

use std::time::Duration;

use startstop_core::{Runner, StartError, State};
use tokio::time::Instant;

use super::{DELAY, Starting, backoff_pending};
use crate::support::{Act, Event, Probe, assert_took, ensure, restart, start};

async fn joins_a_pending_start(call: impl AsyncFnOnce(&Runner<Probe>) -> Starting) {
    let (runner, mut probe, first) = backoff_pending().await;
    let since = Instant::now();
    let second = call(&runner).await;
    assert_eq!(runner.state(), State::Backoff);
    probe.tell(Act::Ready);
    probe.until(Event::Run(1, 2)).await;
    assert_took(since, DELAY);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn start_in_backoff_joins_a_pending_start() {
    joins_a_pending_start(async |runner| start(runner).await).await;
}

#[tokio::test(start_paused = true)]
async fn ensure_running_in_backoff_joins_a_pending_start() {
    joins_a_pending_start(async |runner| ensure(runner).await).await;
}

#[tokio::test(start_paused = true)]
async fn stop_in_backoff_ends_a_pending_start() {
    let (runner, mut probe, first) = backoff_pending().await;
    let since = Instant::now();
    runner.stop().await.unwrap();
    assert_took(since, Duration::ZERO);
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert_eq!(probe.count(Event::Shutdown), 0);
    assert_eq!(runner.errors_list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn restart_in_backoff_takes_a_pending_start_along() {
    let (runner, mut probe, first) = backoff_pending().await;
    let since = Instant::now();
    let second = restart(&runner).await;
    probe.until(Event::Run(2, 1)).await;
    assert_took(since, Duration::ZERO);
    assert!(first.is_waiting() && second.is_waiting());
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_given_up_does_not_hold_up_the_next() {
    let (runner, mut probe, first) = backoff_pending().await;
    first.give_up().await;
    probe.tell(Act::Ready);
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 2)).await;
    assert!(runner.is_running());
}
