//! Calls in `Running`, beside one that waits for the end of the cycle.

use startstop_core::{Exit, State};
use tokio::time::Instant;

use super::running;
use crate::support::{Event, idle, stop, wait};

#[tokio::test(start_paused = true)]
async fn start_when_running_stops_and_begins_a_cycle() {
    let (runner, mut probe) = running().await;
    let end = wait(&runner).await;
    runner.start().await.unwrap();
    assert!(runner.is_running());
    probe.until(Event::Run(2, 1)).await;
    assert_eq!(probe.count(Event::Cancelled), 1);
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert_eq!(end.outcome().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn ensure_running_when_running_is_ok_and_leaves_it_alone() {
    let (runner, mut probe) = running().await;
    let end = wait(&runner).await;
    let since = Instant::now();
    runner.ensure_running().await.unwrap();
    idle().await;
    assert!(end.is_waiting());
    assert_eq!(probe.seen(), [Event::Run(1, 1)]);
    assert_eq!(runner.state(), State::Running);
    assert!(since.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn stop_when_running_stops() {
    let (runner, mut probe) = running().await;
    let end = wait(&runner).await;
    runner.stop().await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(end.outcome().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert_eq!(probe.count(Event::ShutdownEnded), 1);
    assert_eq!(probe.count(Event::RunEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn restart_when_running_stops_and_begins_a_cycle() {
    let (runner, mut probe) = running().await;
    let end = wait(&runner).await;
    runner.restart().await.unwrap();
    assert!(runner.is_running());
    probe.until(Event::Run(2, 1)).await;
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert_eq!(end.outcome().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_waits_already_shares_its_outcome_with_the_next() {
    let (runner, mut probe) = running().await;
    let first = stop(&runner).await;
    runner.stop().await.unwrap();
    first.outcome().await.unwrap();
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_return_at_once_and_do_the_same() {
    let (runner, mut probe) = running().await;
    runner.request_restart();
    probe.until(Event::Run(2, 1)).await;
    runner.request_start();
    probe.until(Event::Run(3, 1)).await;
    runner.request_stop();
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(runner.state(), State::Stopped);
    runner.request_start();
    probe.until(Event::Run(4, 1)).await;
}
