//! Calls in `Starting`, beside a start that waits there.

use startstop_core::{Exit, StartError, State};

use super::starting;
use crate::support::{Act, Event, ensure, idle, restart, start, stop, wait};

#[tokio::test(start_paused = true)]
async fn start_when_starting_joins() {
    let (runner, probe, first) = starting().await;
    let second = start(&runner).await;
    assert!(second.is_waiting());
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    assert_eq!(probe.runs(), 1);
    assert!(runner.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_start_that_joined_shares_the_failure() {
    let (runner, probe, first) = starting().await;
    let second = start(&runner).await;
    probe.tell(Act::Fail("no port"));
    assert!(matches!(first.outcome().await, Err(StartError::Failed(_))));
    assert!(matches!(second.outcome().await, Err(StartError::Failed(_))));
    assert_eq!(runner.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn ensure_running_when_starting_joins() {
    let (runner, probe, first) = starting().await;
    let second = ensure(&runner).await;
    assert!(second.is_waiting());
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn stop_when_starting_stops() {
    let (runner, mut probe, first) = starting().await;
    let end = wait(&runner).await;
    runner.stop().await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert_eq!(end.outcome().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Cancelled), 1);
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert!(runner.errors_last().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_start_gives_way_to_a_stop_before_the_service_has_ended() {
    let (runner, probe, first) = starting().await;
    probe.on_cancel(Act::Hang);
    let stopping = stop(&runner).await;
    assert!(stopping.is_waiting());
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    probe.tell(Act::Complete);
    stopping.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn restart_when_starting_stops_and_begins_a_cycle() {
    let (runner, mut probe, first) = starting().await;
    let end = wait(&runner).await;
    let second = restart(&runner).await;
    probe.until(Event::Run(2, 1)).await;
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert_eq!(end.outcome().await, Exit::Stopped);
    idle().await;
    assert!(first.is_waiting() && second.is_waiting());
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    assert_eq!(probe.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn readiness_of_a_cycle_that_is_being_replaced_is_not_that_of_the_next() {
    let (runner, mut probe, first) = starting().await;
    probe.on_cancel(Act::Hang);
    let second = restart(&runner).await;
    probe.tell(Act::Ready);
    probe.tell(Act::Complete);
    probe.until(Event::Run(2, 1)).await;
    idle().await;
    assert!(first.is_waiting() && second.is_waiting());
    assert_eq!(runner.state(), State::Starting);
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
}
