//! A `run` that ends by itself.

use startstop_core::{
    Backoff, Cause, Exit, Phase, Readiness, RestartPolicy, Settings, StartError, State, StopError,
};
use tokio::time::Instant;

use crate::support::{Act, Event, SECOND, assert_took, idle, probed, start, stop, wait};

#[tokio::test(start_paused = true)]
async fn ok_completes_the_cycle_without_shutdown() {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    let end = wait(&runner).await;
    probe.tell(Act::Complete);
    assert_eq!(end.outcome().await, Exit::Completed);
    assert_eq!(runner.state(), State::Stopped);
    assert!(runner.errors_last().is_none());
    assert_eq!(probe.count(Event::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_and_a_panic_fail_the_cycle_without_shutdown() {
    for (act, cause) in [
        (Act::Fail("x"), Cause::Error),
        (Act::Panic("x"), Cause::Panic),
    ] {
        let (runner, mut probe) = probed(Settings::new());
        runner.start().await.unwrap();
        let end = wait(&runner).await;
        probe.tell(act);
        assert_eq!(end.outcome().await, Exit::Failed);
        assert_eq!(runner.errors_last().unwrap().cause(), cause);
        assert_eq!(probe.count(Event::Shutdown), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_service_that_ends_are_cancelled_and_awaited() {
    let (runner, mut probe) = probed(Settings::new());
    probe.tell(Act::spawn(Act::Ready));
    probe.tell(Act::Complete);
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Completed);
    assert_eq!(probe.count(Event::TaskEnded), 1);
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_service_that_ends_have_the_stop_timeout_to_end() {
    let (runner, mut probe) = probed(Settings::new().stop_timeout(3 * SECOND));
    probe.tell(Act::spawn(Act::Hang));
    runner.start().await.unwrap();
    idle().await;
    let since = Instant::now();
    probe.tell(Act::Complete);
    probe.until(Event::RunEnded).await;
    idle().await;
    assert_eq!(runner.state(), State::Stopping);
    runner.wait_for(State::Stopped).await;
    assert_took(since, 3 * SECOND);
    assert_eq!(probe.count(Event::TaskEnded), 1);
    assert_eq!(probe.count(Event::Shutdown), 0);
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Task, Cause::TimedOut)
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_its_tasks_end_joins_and_can_shorten_it() {
    let (runner, mut probe) = probed(Settings::new());
    probe.tell(Act::spawn(Act::Hang));
    runner.start().await.unwrap();
    idle().await;
    probe.tell(Act::Complete);
    probe.until(Event::RunEnded).await;
    idle().await;
    let since = Instant::now();
    let first = stop(&runner).await;
    assert!(matches!(
        runner.stop_within(SECOND).await,
        Err(StopError::TimedOut)
    ));
    assert!(matches!(first.outcome().await, Err(StopError::TimedOut)));
    assert_took(since, SECOND);
    assert_eq!(probe.count(Event::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_waits_for_the_tasks_of_the_last() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let (runner, mut probe) = probed(Settings::new().restart(policy));
    probe.tell(Act::spawn(Act::Hang));
    runner.start().await.unwrap();
    idle().await;
    let since = Instant::now();
    probe.tell(Act::Fail("x"));
    probe.until(Event::Run(1, 2)).await;
    assert_took(since, 5 * SECOND);
    assert_eq!(probe.count(Event::TaskEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_waits_for_the_tasks() {
    let (runner, mut probe) = probed(Settings::new().readiness(Readiness::Explicit));
    probe.tell(Act::spawn(Act::Ready));
    probe.tell(Act::Fail("x"));
    let outcome = start(&runner).await.outcome().await;
    assert!(matches!(outcome, Err(StartError::Failed(f)) if f.phase() == Phase::Run));
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::TaskEnded), 1);
}
