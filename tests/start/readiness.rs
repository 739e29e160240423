//! When a service counts as ready.

use startstop_core::{Exit, Readiness, Runner, Settings, State, once};
use tokio::sync::oneshot;

use crate::support::{Act, SECOND, idle, probed, start};

#[tokio::test(start_paused = true)]
async fn immediate_is_running_when_start_returns() {
    let (runner, probe) = probed(Settings::new());
    assert!(!runner.is_running() && !runner.is_ready());
    runner.start().await.unwrap();
    assert_eq!(runner.state(), State::Running);
    assert!(runner.is_running() && runner.is_ready());
    idle().await;
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn immediate_is_ready_even_if_it_fails_at_once() {
    let (runner, probe) = probed(Settings::new());
    probe.tell(Act::Fail("at once"));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn explicit_is_ready_when_it_says_so() {
    let (runner, probe) = probed(Settings::new().readiness(Readiness::Explicit));
    let first = start(&runner).await;
    assert!(first.is_waiting() && !runner.is_running() && !runner.is_ready());
    probe.tell(Act::Ready);
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    assert!(runner.is_running() && runner.is_ready());
}

#[tokio::test(start_paused = true)]
async fn completion_is_starting_until_run_returns_ok() {
    let (runner, probe) = probed(Settings::new().readiness(Readiness::Completion));
    let first = start(&runner).await;
    probe.tell(Act::Ready);
    idle().await;
    assert!(first.is_waiting());
    assert_eq!(runner.state(), State::Starting);
    assert!(!runner.is_ready());
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
    runner.wait_for(State::Stopped).await;
    assert_eq!(runner.wait().await, Exit::Completed);
    assert!(runner.is_ready(), "a job that is done");
}

#[tokio::test(start_paused = true)]
async fn completion_has_no_start_timeout() {
    let (runner, probe) = probed(Settings::new().readiness(Readiness::Completion));
    let first = start(&runner).await;
    tokio::time::advance(3600 * SECOND).await;
    idle().await;
    assert!(first.is_waiting());
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_a_job_is_ready_after_its_end() {
    for readiness in [Readiness::Immediate, Readiness::Explicit] {
        let (runner, probe) = probed(Settings::new().readiness(readiness));
        probe.tell(Act::Ready);
        probe.tell(Act::Complete);
        runner.start().await.unwrap();
        runner.wait_for(State::Stopped).await;
        assert!(!runner.is_ready(), "{readiness:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_runs_again_is_not_ready_meanwhile() {
    let (runner, probe) = probed(Settings::new().readiness(Readiness::Completion));
    probe.tell(Act::Complete);
    runner.start().await.unwrap();
    runner.wait_for(State::Stopped).await;
    let again = start(&runner).await;
    assert!(!runner.is_ready());
    probe.tell(Act::Fail("the second time"));
    assert!(again.outcome().await.is_err());
    assert!(!runner.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_stopped_is_not_done() {
    let (runner, _probe) = probed(Settings::new().readiness(Readiness::Completion));
    let _first = start(&runner).await;
    runner.stop().await.unwrap();
    assert!(!runner.is_ready());
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn uptime_counts_while_running_only() {
    let (runner, probe) = probed(Settings::new().readiness(Readiness::Explicit));
    let first = start(&runner).await;
    tokio::time::advance(SECOND).await;
    assert!(runner.uptime().is_zero());
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    tokio::time::advance(7 * SECOND).await;
    assert_eq!(runner.uptime(), 7 * SECOND);
    runner.stop().await.unwrap();
    assert!(runner.uptime().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_state_that_has_passed_by_is_not_missed() {
    let runner = Runner::new(once(async |_cx| {}));
    let watched = runner.clone();
    let (polled, was_polled) = oneshot::channel();
    let saw = tokio::spawn(async move {
        let starting = watched.wait_for(State::Starting);
        polled.send(()).unwrap();
        starting.await;
    });
    was_polled.await.unwrap();
    runner.start().await.unwrap();
    runner.wait_for(State::Stopped).await;
    crate::support::within(saw).await.unwrap();
}
