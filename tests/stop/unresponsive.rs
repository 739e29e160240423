//! Parts that do not yield after their abort, because they block their thread.

use std::time::{Duration, Instant};

use startstop_core::{
    Backoff, Cause, Exit, Phase, RestartPolicy, Runner, Settings, StartError, State, StopError,
};

use crate::support::{Act, Event, Probe, Remote, probed, within};

const SHORT: Duration = Duration::from_millis(40);

fn settings() -> Settings {
    Settings::new().stop_timeout(SHORT).abort_timeout(SHORT)
}

async fn blocking(settings: Settings) -> (Runner<Probe>, Remote) {
    let (runner, mut probe) = probed(settings);
    probe.tell(Act::Block);
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    (runner, probe)
}

fn assert_stuck(outcome: Result<(), StopError>, part: Phase) {
    match outcome {
        Err(StopError::Unresponsive(stuck)) => {
            assert!(stuck.parts().contains(&part), "{stuck}");
            assert!(stuck.waited() >= SHORT, "{stuck}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_that_blocks_cannot_hold_up_stop() {
    let (runner, probe) = blocking(settings()).await;
    let since = Instant::now();
    assert_stuck(within(runner.stop()).await, Phase::Run);
    assert!(since.elapsed() >= 2 * SHORT);
    assert_eq!(runner.state(), State::Stopping);
    let causes: Vec<_> = runner
        .errors_list()
        .iter()
        .map(|f| (f.phase(), f.cause()))
        .collect();
    assert!(
        causes.contains(&(Phase::Run, Cause::Unresponsive)),
        "{causes:?}"
    );
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
    assert!(probe.is_quiet());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_state_stays_stopping_until_it_really_ends() {
    let (runner, probe) = blocking(settings()).await;
    assert_stuck(within(runner.stop()).await, Phase::Run);
    assert_stuck(within(runner.stop()).await, Phase::Run);
    assert_eq!(runner.state(), State::Stopping);
    assert!(!runner.is_running() && !runner.is_ready());
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
    assert_eq!(within(runner.wait()).await, Exit::Aborted);
    within(runner.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_attempt_is_made_beside_it() {
    let (runner, mut probe) = blocking(settings()).await;
    assert_stuck(within(runner.stop()).await, Phase::Run);
    assert!(matches!(
        within(runner.start()).await,
        Err(StartError::Unresponsive)
    ));
    assert!(matches!(
        within(runner.ensure_running()).await,
        Err(StartError::Unresponsive)
    ));
    assert!(matches!(
        within(runner.restart()).await,
        Err(StartError::Unresponsive)
    ));
    assert_eq!(probe.runs(), 1);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
    assert_eq!(probe.runs(), 1);
    within(runner.start()).await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    within(runner.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_verdict_ends_pending_starts() {
    let (runner, probe) = blocking(settings()).await;
    let restart = within(runner.restart()).await;
    assert!(
        matches!(restart, Err(StartError::Unresponsive)),
        "{restart:?}"
    );
    assert_eq!(runner.state(), State::Stopping);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
    assert_eq!(probe.runs(), 1, "the restart was given up with the verdict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_policy_applies_when_it_ends_later() {
    let policy = RestartPolicy::always().backoff(Backoff::none());
    let (runner, probe) = blocking(settings().restart(policy)).await;
    assert_stuck(within(runner.stop()).await, Phase::Run);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shutdown_that_blocks_is_named() {
    let (runner, mut probe) = probed(settings());
    probe.on_shutdown(Act::Block);
    within(runner.start()).await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    assert_stuck(within(runner.stop()).await, Phase::Shutdown);
    assert_eq!(runner.state(), State::Stopping);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_task_that_blocks_is_named() {
    let (runner, mut probe) = probed(settings());
    probe.tell(Act::spawn(Act::Block));
    within(runner.start()).await.unwrap();
    probe.until(Event::Task).await;
    let Err(StopError::Unresponsive(stuck)) = within(runner.stop()).await else {
        panic!()
    };
    assert_eq!(stuck.parts(), [Phase::Task]);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_concurrent_caller_gets_the_verdict() {
    let (runner, probe) = blocking(settings()).await;
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let runner = runner.clone();
            tokio::spawn(async move { runner.stop().await })
        })
        .collect();
    for caller in callers {
        assert_stuck(within(caller).await.unwrap(), Phase::Run);
    }
    probe.release();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn zero_of_what_does_not_yield_is_unresponsive_too() {
    let (runner, probe) = blocking(settings()).await;
    assert_stuck(within(runner.stop_within(Duration::ZERO)).await, Phase::Run);
    assert_eq!(runner.state(), State::Stopping);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
}
