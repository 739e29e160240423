//! Every way a start can fail.

use startstop_core::{
    Backoff, Cause, Exit, Permanent, Phase, Readiness, RestartPolicy, Runner, Settings, StartError,
    State, service_fn,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Act, Broken, SECOND, assert_panicked, idle, probed, start, stop};

fn explicit() -> Settings {
    Settings::new().readiness(Readiness::Explicit)
}

#[tokio::test(start_paused = true)]
async fn failed_when_it_ends_in_failure_before_it_was_ready() {
    for readiness in [Readiness::Explicit, Readiness::Completion] {
        let (runner, probe) = probed(Settings::new().readiness(readiness));
        probe.tell(Act::Fail("no port"));
        let Err(StartError::Failed(failure)) = runner.start().await else {
            panic!()
        };
        assert_eq!(failure.error().downcast_ref(), Some(&Broken("no port")));
        assert_eq!(
            (failure.phase(), failure.cause()),
            (Phase::Run, Cause::Error)
        );
        assert_eq!(runner.state(), State::Stopped);
        assert_eq!(runner.wait().await, Exit::Failed);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_when_it_panics_before_it_was_ready() {
    let (runner, probe) = probed(explicit());
    probe.tell(Act::Panic("no port"));
    let Err(StartError::Failed(failure)) = runner.start().await else {
        panic!()
    };
    assert_panicked(&failure, Phase::Run, "no port");
}

#[tokio::test(start_paused = true)]
async fn not_failed_where_a_policy_restarts_it() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let (runner, probe) = probed(explicit().restart(policy));
    for act in [Act::Fail("one"), Act::Panic("two"), Act::Ready] {
        probe.tell(act);
    }
    runner.start().await.unwrap();
    assert_eq!(probe.runs(), 3);
    assert!(runner.is_running());
}

#[tokio::test(start_paused = true)]
async fn failed_when_the_policy_gives_up() {
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::none())
        .limit(2, 60 * SECOND);
    let (runner, probe) = probed(explicit().restart(policy));
    for act in [Act::Fail("one"), Act::Fail("two"), Act::Fail("three")] {
        probe.tell(act);
    }
    let Err(StartError::Failed(failure)) = runner.start().await else {
        panic!()
    };
    assert_eq!(failure.error().downcast_ref(), Some(&Broken("three")));
    assert!(failure.to_string().contains("limit"), "{failure}");
    assert!(runner.errors_last().unwrap().to_string().contains("limit"));
    assert_eq!(probe.runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn failed_at_once_when_restarting_is_pointless() {
    let policy = RestartPolicy::always().backoff(Backoff::constant(SECOND));
    let service = service_fn(async |_cx| Err::<(), _>(Permanent::new("no such user")));
    let runner = Runner::with_settings(service, explicit().restart(policy));
    assert!(matches!(runner.start().await, Err(StartError::Failed(_))));
    assert_eq!(runner.status().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn stopped_when_a_stop_comes_first() {
    let (runner, _probe) = probed(explicit());
    let first = start(&runner).await;
    let stopping = stop(&runner).await;
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    stopping.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn stopped_when_the_service_asks_for_a_stop() {
    let (runner, probe) = probed(explicit());
    probe.tell(Act::with(startstop_core::Context::request_stop));
    assert!(matches!(runner.start().await, Err(StartError::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn stopped_though_run_fails_after_the_stop() {
    let (runner, probe) = probed(explicit());
    probe.on_cancel(Act::Fail("flush"));
    let first = start(&runner).await;
    assert!(runner.stop().await.is_err());
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn cancelled_when_the_parent_was_cancelled_already() {
    let (runner, mut probe) = probed(Settings::new());
    let parent = CancellationToken::new();
    parent.cancel();
    assert!(matches!(
        runner.start_with(&parent).await,
        Err(StartError::Cancelled)
    ));
    idle().await;
    assert!(probe.seen().is_empty());
    assert_eq!(runner.state(), State::Stopped);
}

#[test]
fn the_names_of_the_outcomes_read_well() {
    for error in [
        StartError::TimedOut,
        StartError::Stopped,
        StartError::Cancelled,
        StartError::Unresponsive,
        StartError::NoRuntime,
    ] {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
        assert!(text.starts_with(char::is_lowercase), "{text}");
        assert_eq!(
            format!("{error:?}"),
            text,
            "`Debug` reads like `Display` where nothing caused it"
        );
    }
}
