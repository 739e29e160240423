//! Calls in `Stopped`, beside one that waits for the service to run.

use startstop_core::{Exit, Runner, Settings, State};

use crate::support::{Act, Caller, Event, Probe, Remote, probed, wait};

async fn stopped() -> (Runner<Probe>, Remote, Caller<()>) {
    let (runner, probe) = probed(Settings::new());
    let other = runner.clone();
    let watcher = Caller::of(async move { other.wait_for(State::Running).await }).await;
    assert_eq!(runner.state(), State::Stopped);
    assert!(watcher.is_waiting());
    (runner, probe, watcher)
}

async fn after_a_cycle(runner: &Runner<Probe>, probe: &mut Remote) {
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn start_when_stopped_begins_a_cycle() {
    let (runner, mut probe, watcher) = stopped().await;
    runner.start().await.unwrap();
    assert!(runner.is_running());
    assert_eq!(probe.next().await, Event::Run(1, 1));
    watcher.outcome().await;
}

#[tokio::test(start_paused = true)]
async fn start_after_a_cycle_begins_the_next() {
    let (runner, mut probe, _) = stopped().await;
    after_a_cycle(&runner, &mut probe).await;
    runner.start().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn ensure_running_when_stopped_begins_a_cycle() {
    let (runner, mut probe, watcher) = stopped().await;
    runner.ensure_running().await.unwrap();
    assert!(runner.is_running());
    assert_eq!(probe.next().await, Event::Run(1, 1));
    watcher.outcome().await;
}

#[tokio::test(start_paused = true)]
async fn restart_when_stopped_begins_a_cycle() {
    let (runner, mut probe, watcher) = stopped().await;
    runner.restart().await.unwrap();
    assert!(runner.is_running());
    assert_eq!(probe.next().await, Event::Run(1, 1));
    watcher.outcome().await;
}

#[tokio::test(start_paused = true)]
async fn stop_when_stopped_is_ok_and_calls_nothing() {
    let (runner, mut probe, watcher) = stopped().await;
    runner.stop().await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert!(probe.seen().is_empty());
    assert!(watcher.is_waiting());
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn stop_after_a_cycle_does_not_call_shutdown_again() {
    let (runner, mut probe, _) = stopped().await;
    after_a_cycle(&runner, &mut probe).await;
    runner.stop().await.unwrap();
    runner.stop_within(std::time::Duration::ZERO).await.unwrap();
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn wait_when_stopped_says_how_the_last_cycle_ended() {
    let (runner, mut probe, _) = stopped().await;
    assert_eq!(wait(&runner).await.outcome().await, Exit::Stopped);
    probe.tell(Act::Complete);
    runner.start().await.unwrap();
    probe.until(Event::RunEnded).await;
    runner.wait_for(State::Stopped).await;
    assert_eq!(wait(&runner).await.outcome().await, Exit::Completed);
}
