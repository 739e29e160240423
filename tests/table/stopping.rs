//! Calls in `Stopping`, beside a stop that waits there.

use startstop_core::{Exit, Runner, State};

use super::{Starting, stopping};
use crate::support::{Act, Event, Probe, ensure, restart, start, stop, wait};

async fn begins_a_cycle_after_the_end(call: impl AsyncFnOnce(&Runner<Probe>) -> Starting) {
    let (runner, mut probe, first) = stopping().await;
    let second = call(&runner).await;
    assert!(second.is_waiting() && probe.runs() == 1);
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    assert!(runner.is_running());
    probe.until(Event::Run(2, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn start_when_stopping_begins_a_cycle_after_the_end() {
    begins_a_cycle_after_the_end(async |runner| start(runner).await).await;
}

#[tokio::test(start_paused = true)]
async fn ensure_running_when_stopping_begins_a_cycle_after_the_end() {
    begins_a_cycle_after_the_end(async |runner| ensure(runner).await).await;
}

#[tokio::test(start_paused = true)]
async fn restart_when_stopping_begins_a_cycle_after_the_end() {
    begins_a_cycle_after_the_end(async |runner| restart(runner).await).await;
}

#[tokio::test(start_paused = true)]
async fn stop_when_stopping_joins() {
    let (runner, mut probe, first) = stopping().await;
    let end = wait(&runner).await;
    let second = stop(&runner).await;
    assert!(second.is_waiting());
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    second.outcome().await.unwrap();
    assert_eq!(end.outcome().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert_eq!(runner.state(), State::Stopped);
}
