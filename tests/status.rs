//! The numbers of a status, and what a probe hears of them.

use std::error::Error as _;
use std::time::Duration;

use startstop_core::{
    Backoff, BoxError, Context, EventKind, Permanent, RestartPolicy, Runner, Settings, State,
    WithExitCode, service_fn,
};
use tokio_util::sync::CancellationToken;

use crate::support::{SECOND, idle, within};

/// Runs for 9.25 seconds each time, and is down for one second.
fn flaky() -> Runner<impl startstop_core::Service> {
    let service = service_fn(async |_cx| {
        tokio::time::sleep(Duration::from_millis(9_250)).await;
        Err::<(), _>("connection lost")
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    Runner::with_settings(service, Settings::new().restart(policy))
}

#[tokio::test(start_paused = true)]
async fn outages_are_counted_with_their_times() {
    let runner = flaky();
    let status = runner.status();
    assert_eq!(status.availability(), None, "it has never run");
    assert_eq!(status.mean_time_between_failures(), None);
    assert_eq!(status.mean_time_to_recovery(), None);
    within(runner.start()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20_500)).await;
    let status = runner.status();
    assert_eq!(status.state(), State::Backoff);
    assert_eq!(
        status.mean_time_between_failures(),
        Some(Duration::from_millis(9_250))
    );
    assert_eq!(status.mean_time_to_recovery(), Some(SECOND));
    let availability = status.availability().expect("it has run");
    assert!((availability - 18.5 / 20.5).abs() < 0.001, "{availability}");
    let _ = within(runner.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_has_started_once_it_was_ready_and_stays_so_in_a_backoff() {
    let runner = flaky();
    assert!(!runner.status().has_started());
    within(runner.start()).await.unwrap();
    assert!(runner.status().has_started());
    within(runner.wait_for(State::Backoff)).await;
    assert!(runner.status().has_started() && !runner.status().is_ready());
    let _ = within(runner.stop()).await;
    let never = Runner::new(service_fn(async |_cx: Context| Ok::<(), BoxError>(())));
    never.request_stop();
    assert!(!never.status().has_started());
}

#[tokio::test(start_paused = true)]
async fn heartbeats_and_what_is_left_of_a_stop_have_their_ages() {
    let service = service_fn(async |cx: Context| {
        cx.heartbeat();
        cx.cancelled().await;
        tokio::time::sleep(3 * SECOND).await;
    });
    let settings = Settings::new()
        .watchdog(30 * SECOND)
        .stop_timeout(10 * SECOND);
    let runner = Runner::with_settings(service, settings);
    within(runner.start()).await.unwrap();
    idle().await;
    tokio::time::sleep(4 * SECOND).await;
    let status = runner.status();
    assert_eq!(status.heartbeat_age(), Some(4 * SECOND));
    assert_eq!(status.remaining(), None, "it is not to stop");
    runner.request_stop();
    tokio::time::sleep(SECOND).await;
    assert_eq!(runner.status().remaining(), Some(9 * SECOND));
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn gauges_are_those_of_the_attempt() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        cx.gauge("queued", 3.0);
        cx.gauge("open", 1.0);
        cx.gauge("queued", 4.0);
        cx.cancelled().await;
    }));
    within(runner.start()).await.unwrap();
    idle().await;
    assert_eq!(runner.status().gauges(), [("queued", 4.0), ("open", 1.0)]);
    within(runner.stop()).await.unwrap();
    assert_eq!(runner.status().gauges(), []);
}

#[test]
fn a_probe_hears_gauges_and_is_printed_with_its_readiness() {
    let (cx, probe) = Context::probed(CancellationToken::new());
    assert_eq!(probe.gauges(), []);
    cx.gauge("queued", 3.0);
    cx.gauge("queued", 4.0);
    assert_eq!(probe.gauges(), [("queued", 4.0)]);
    assert_eq!(format!("{probe:?}"), "Probe { ready: false, .. }");
    cx.ready();
    assert_eq!(format!("{probe:?}"), "Probe { ready: true, .. }");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_printed_with_its_path() {
    let runner = flaky();
    let mut events = runner.events();
    within(runner.start()).await.unwrap();
    let event = within(events.next()).await.expect("it has begun to start");
    assert!(matches!(event.kind(), EventKind::Starting));
    let (path, kind) = (event.path(), event.kind());
    assert_eq!(event.to_string(), format!("{path} {kind}"));
    let _ = within(runner.stop()).await;
}

#[derive(Debug, thiserror::Error)]
#[error("no configuration")]
struct Outer(#[source] std::io::Error);

#[test]
fn an_exit_code_is_told_and_hides_no_source() {
    let error = Permanent::new(Outer(std::io::Error::other("no such key")));
    let wrapped = WithExitCode::new(error, 78);
    assert_eq!(wrapped.code(), 78);
    assert_eq!(wrapped.to_string(), "no configuration");
    let mut chain = std::iter::successors(wrapped.source(), |&error| error.source());
    assert!(chain.any(<dyn std::error::Error>::is::<std::io::Error>));
}
