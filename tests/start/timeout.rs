//! `start_timeout`: for explicit readiness, per attempt.

use startstop_core::{
    Backoff, Cause, Interruption, Phase, Readiness, RestartPolicy, Settings, StartError, State,
};
use tokio::time::Instant;

use crate::support::{Act, Event, SECOND, assert_took, probed, start};

fn explicit() -> Settings {
    Settings::new().readiness(Readiness::Explicit)
}

#[tokio::test(start_paused = true)]
async fn a_late_service_is_aborted_as_a_failure() {
    let (runner, mut probe) = probed(explicit());
    let since = Instant::now();
    assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
    assert_took(since, 30 * SECOND);
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(
        probe.count(Event::Shutdown),
        0,
        "it is aborted, not stopped"
    );
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Run, Cause::TimedOut)
    );
    let error = failure.error().downcast_ref::<Interruption>().unwrap();
    assert!(matches!(error, Interruption::StartTimedOut { after } if *after == 30 * SECOND));
    assert_eq!(runner.errors_list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_start_timeout_can_be_set() {
    let (runner, _probe) = probed(explicit().start_timeout(2 * SECOND));
    let since = Instant::now();
    assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
    assert_took(since, 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_ready_in_time_is_not_timed() {
    let (runner, probe) = probed(explicit());
    let first = start(&runner).await;
    tokio::time::advance(29 * SECOND).await;
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    tokio::time::advance(60 * SECOND).await;
    crate::support::idle().await;
    assert!(runner.is_running());
}

#[tokio::test(start_paused = true)]
async fn the_policy_decides_about_a_late_attempt() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let (runner, mut probe) = probed(explicit().restart(policy));
    let since = Instant::now();
    let first = start(&runner).await;
    probe.until(Event::Run(1, 2)).await;
    assert_took(since, 31 * SECOND);
    assert!(first.is_waiting());
    probe.until(Event::Run(1, 3)).await;
    assert_took(since, 62 * SECOND);
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    assert_eq!(runner.errors_list().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_last_attempt_times_the_start_out() {
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::none())
        .limit(1, 3600 * SECOND);
    let (runner, probe) = probed(explicit().restart(policy));
    assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
    assert_eq!(probe.runs(), 2);
    assert_eq!(runner.errors_list().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_timeout_wins() {
    let (runner, _probe) = probed(explicit());
    let first = start(&runner).await;
    tokio::time::advance(29 * SECOND).await;
    runner.stop().await.unwrap();
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert!(runner.errors_last().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_late_service_that_fails_in_its_drop_is_recorded_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the drop");
        }
    }
    let service = startstop_core::service_fn(async |_cx| {
        let _bomb = Bomb;
        std::future::pending::<()>().await;
    });
    let runner = startstop_core::Runner::with_settings(service, explicit());
    assert!(runner.start().await.is_err());
    let causes: Vec<_> = runner
        .errors_list()
        .iter()
        .map(startstop_core::Failure::cause)
        .collect();
    assert!(
        causes.contains(&Cause::TimedOut) && causes.contains(&Cause::Panic),
        "{causes:?}"
    );
}
