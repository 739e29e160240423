//! Mistakes of a start: it is the only one, it is told of too early, it is made again at once.

use std::time::Duration;

use startstop_core::{
    Backoff, Context, Exit, Readiness, RestartPolicy, Runner, Settings, StartError, State,
    service_fn,
};
use tokio::time::Instant;

use crate::support::{Act, Event, SECOND, idle, probed, within};

/// A service of Guava runs once: "services that are stopped cannot be restarted", so who wants to apply a
/// new configuration has to build all of it anew: <https://github.com/google/guava/issues/418>.
///
/// Here a runner goes from start to stop as often as it is asked to, also after a failure.
#[tokio::test(start_paused = true)]
async fn a_service_that_has_stopped_can_be_started_again() {
    let (runner, mut probe) = probed(Settings::new());
    for cycle in 1..=3 {
        runner.start().await.unwrap();
        probe.until(Event::Run(cycle, 1)).await;
        runner.stop().await.unwrap();
    }
    probe.tell(Act::Fail("once"));
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    runner.start().await.unwrap();
    probe.until(Event::Run(5, 1)).await;
    assert!(runner.is_running() && runner.errors_list().is_empty());
}

/// Under systemd a service of the type `notify` that ended without its notification counted as started,
/// and what comes after a start was left out: <https://github.com/systemd/systemd/issues/4752>. The same
/// comes of a channel whose dropped sender wakes the receiver as a value would:
/// <https://github.com/pendulum-project/ntpd-rs/pull/349>.
///
/// Here a service is ready when it says so. A dropped context says nothing, and the start times out.
#[tokio::test(start_paused = true)]
async fn a_dropped_notifier_makes_nothing_ready() {
    let service = service_fn(async |cx: Context| {
        let notifier = cx.clone();
        cx.spawn(async move { drop(notifier) });
        cx.cancelled_owned().await;
    });
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(SECOND);
    let runner = Runner::with_settings(service, settings);
    runner.request_start();
    idle().await;
    assert_eq!(runner.state(), State::Starting);
    assert!(!runner.is_ready());
    assert!(matches!(
        within(runner.start()).await,
        Err(StartError::TimedOut)
    ));
}

/// A process that fails at its start was restarted "at the fastest pace it can": all of a processor and a
/// flood of logs: <https://github.com/Supervisor/supervisor/issues/1189>.
///
/// Here a restart policy waits longer each time and gives up after ten restarts, unless it is told not to.
/// Even one that is told neither to wait nor to give up leaves the thread to others between two attempts.
#[tokio::test(start_paused = true)]
async fn restarts_neither_spin_nor_starve() {
    let failing = || service_fn(async |_cx| Err::<(), _>("no such host"));
    let since = Instant::now();
    let settings = Settings::new().restart(RestartPolicy::on_failure());
    let runner = Runner::with_settings(failing(), settings);
    runner.request_start();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    assert_eq!(runner.status().attempts(), 11);
    // 100 ms, doubled up to 30 s, ten times: 81 seconds and a tenth, each step up to a fifth shorter.
    assert!(
        since.elapsed() >= Duration::from_millis(64_880),
        "{:?}",
        since.elapsed()
    );

    let eager = RestartPolicy::on_failure()
        .backoff(Backoff::none())
        .forever();
    let runner = Runner::with_settings(failing(), Settings::new().restart(eager));
    runner.request_start();
    idle().await;
    assert!(runner.status().attempts() > 1);
    within(runner.stop()).await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
}
