//! A `run` that blocks its worker at once, seen by tasks that share the workers with it.

use std::time::Duration;

use startstop_core::{Cause, Readiness, Runner, Settings, StartError, State, StopError};

use crate::support::{Act, Event, Probe, Remote, probed, within};

const SHORT: Duration = Duration::from_millis(40);

fn blocking(settings: Settings) -> (Runner<Probe>, Remote) {
    let (runner, probe) = probed(settings.stop_timeout(SHORT).abort_timeout(SHORT));
    probe.tell(Act::Block);
    (runner, probe)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_start_from_a_task_returns() {
    let (runner, mut probe) = blocking(Settings::new());
    let starter = runner.clone();
    let start = tokio::spawn(async move { starter.start().await });
    within(start).await.unwrap().unwrap();
    probe.until(Event::Run(1, 1)).await;
    assert!(runner.is_running());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_from_a_task_returns() {
    let (runner, mut probe) = blocking(Settings::new());
    within(runner.start()).await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    let stopper = runner.clone();
    let stop = tokio::spawn(async move { stopper.stop().await });
    let outcome = within(stop).await.unwrap();
    assert!(
        matches!(outcome, Err(StopError::Unresponsive(_))),
        "{outcome:?}"
    );
    assert_eq!(runner.state(), State::Stopping);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_start_timeout_holds_for_a_blocked_thread() {
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(SHORT);
    let (runner, probe) = blocking(settings);
    let outcome = within(runner.start()).await;
    assert!(
        matches!(outcome, Err(StartError::Unresponsive)),
        "{outcome:?}"
    );
    assert_eq!(runner.state(), State::Stopping);
    let causes: Vec<_> = runner
        .errors_list()
        .iter()
        .map(startstop_core::Failure::cause)
        .collect();
    assert_eq!(causes, [Cause::TimedOut, Cause::Unresponsive]);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_start_timeout_holds_for_a_blocked_thread_for_a_start_from_a_task() {
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(SHORT);
    let (runner, _probe) = blocking(settings);
    let start = tokio::spawn(async move { runner.start().await });
    let outcome = within(start).await.unwrap();
    assert!(
        matches!(outcome, Err(StartError::Unresponsive)),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_watchdog_holds_for_a_blocked_thread() {
    let (runner, probe) = blocking(Settings::new().watchdog(SHORT));
    within(runner.start()).await.unwrap();
    within(runner.wait_for(State::Stopping)).await;
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
    assert_eq!(runner.errors_list()[0].cause(), Cause::Unresponsive);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restart_of_one_that_blocks_is_unresponsive_for_a_task() {
    let (runner, mut probe) = blocking(Settings::new());
    within(runner.start()).await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    let restart = tokio::spawn(async move { runner.restart().await });
    let outcome = within(restart).await.unwrap();
    assert!(
        matches!(outcome, Err(StartError::Unresponsive)),
        "{outcome:?}"
    );
    assert_eq!(probe.runs(), 1);
}
