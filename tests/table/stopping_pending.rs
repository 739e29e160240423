//! Calls in `Stopping` where a start waits for the end.

use startstop_core::{StartError, State};

use super::stopping;
use crate::support::{Act, Event, ensure, idle, restart, start, stop};

#[tokio::test(start_paused = true)]
async fn a_stop_cancels_the_starts_and_restarts_that_wait_for_the_end() {
    let (runner, probe, first) = stopping().await;
    let pending = [
        start(&runner).await,
        ensure(&runner).await,
        restart(&runner).await,
    ];
    let second = stop(&runner).await;
    for pending in pending {
        assert!(matches!(pending.outcome().await, Err(StartError::Stopped)));
    }
    assert!(second.is_waiting());
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    idle().await;
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_after_that_stop_starts_again() {
    let (runner, mut probe, first) = stopping().await;
    let before = start(&runner).await;
    let second = stop(&runner).await;
    let after = start(&runner).await;
    probe.tell(Act::Complete);
    assert!(matches!(before.outcome().await, Err(StartError::Stopped)));
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    after.outcome().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn all_that_wait_for_the_same_end_share_one_cycle() {
    let (runner, mut probe, first) = stopping().await;
    let pending = [
        start(&runner).await,
        restart(&runner).await,
        ensure(&runner).await,
    ];
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    for pending in pending {
        pending.outcome().await.unwrap();
    }
    probe.until(Event::Run(2, 1)).await;
    idle().await;
    assert_eq!(probe.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_given_up_still_starts() {
    let (runner, mut probe, first) = stopping().await;
    start(&runner).await.give_up().await;
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_was_given_up_still_stops() {
    let (runner, mut probe, first) = stopping().await;
    first.give_up().await;
    probe.tell(Act::Complete);
    probe.until(Event::RunEnded).await;
    runner.wait_for(State::Stopped).await;
    assert_eq!(probe.runs(), 1);
}
