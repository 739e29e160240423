//! The deadlines of a runner within a runner.

use std::time::Duration;

use startstop_core::{Exit, Interruption, Runner, Service, Settings, StartError, State, StopError};
use tokio::time::Instant;

use crate::support::{Act, Event, Probe, Remote, SECOND, assert_took, idle, probed, stop, within};

type Nested = (Runner<Runner<Probe>>, Runner<Probe>, Remote);

/// An inner service that does not end, within an outer with settings of its own.
async fn deaf(outer: Settings, inner: Settings) -> Nested {
    let (inner, mut probe) = probed(inner);
    let outer = Runner::with_settings(inner.clone(), outer);
    probe.on_cancel(Act::Hang);
    outer.start().await.unwrap();
    probe.next().await;
    (outer, inner, probe)
}

#[test]
fn a_runner_leaves_the_timeouts_to_the_inner() {
    let (inner, _probe) = probed(Settings::new().name("inner").stop_timeout(SECOND));
    let settings = inner.settings();
    assert_eq!(
        settings.get_readiness(),
        Some(startstop_core::Readiness::Explicit)
    );
    assert_eq!(settings.get_start_timeout(), Some(Duration::MAX));
    assert_eq!(settings.get_stop_timeout(), Some(Duration::MAX));
    assert!(settings.get_watchdog().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_inner_keeps_its_own_stop_timeout() {
    let (outer, inner, mut probe) = deaf(Settings::new(), Settings::new()).await;
    let since = Instant::now();
    assert!(outer.stop().await.is_err());
    assert_took(since, 5 * SECOND);
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(inner.wait().await, Exit::Aborted);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_whole_aborts_the_inner() {
    let (outer, inner, mut probe) = deaf(
        Settings::new().stop_timeout(SECOND),
        Settings::new().stop_timeout(60 * SECOND),
    )
    .await;
    let since = Instant::now();
    assert!(matches!(outer.stop().await, Err(StopError::TimedOut)));
    assert_took(since, SECOND);
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert!(probe.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn stop_within_of_the_outer_reaches_the_inner() {
    let (outer, inner, probe) =
        deaf(Settings::new(), Settings::new().stop_timeout(60 * SECOND)).await;
    let since = Instant::now();
    let first = stop(&outer).await;
    idle().await;
    assert!(outer.stop_within(2 * SECOND).await.is_err());
    assert_took(since, 2 * SECOND);
    assert!(first.outcome().await.is_err());
    assert_eq!(inner.state(), State::Stopped);
    assert!(probe.is_quiet());
    let failure = inner.errors_last().unwrap();
    let error = failure.error().downcast_ref::<Interruption>();
    let had = matches!(error, Some(Interruption::StopTimedOut { after }) if *after == 2 * SECOND);
    assert!(had, "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_the_inner_can_shorten_that_of_the_outer() {
    let (outer, inner, probe) =
        deaf(Settings::new().stop_timeout(3 * SECOND), Settings::new()).await;
    let since = Instant::now();
    let first = stop(&outer).await;
    assert!(matches!(
        within(inner.stop_within(SECOND)).await,
        Err(StopError::TimedOut)
    ));
    assert_took(since, SECOND);
    assert!(first.outcome().await.is_err());
    assert_took(since, SECOND);
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert!(probe.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn zero_aborts_the_inner_too() {
    let (outer, inner, mut probe) = deaf(Settings::new(), Settings::new()).await;
    let since = Instant::now();
    outer.stop_within(Duration::ZERO).await.unwrap();
    assert_took(since, Duration::ZERO);
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(outer.wait().await, Exit::Aborted);
    assert_eq!(probe.count(Event::Shutdown), 0);
    assert!(probe.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_late_start_of_the_outer_ends_the_inner() {
    let inner = Settings::new().readiness(startstop_core::Readiness::Explicit);
    let (inner, mut probe) = probed(inner);
    let outer = Runner::with_settings(inner.clone(), Settings::new().start_timeout(SECOND));
    let since = Instant::now();
    assert!(matches!(outer.start().await, Err(StartError::TimedOut)));
    assert_took(since, SECOND);
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(probe.count(Event::RunEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn three_of_them_end_at_the_deadline_of_the_outermost() {
    let (inner, mut probe) = probed(Settings::new().stop_timeout(60 * SECOND));
    let middle = Runner::new(inner.clone());
    let outer = Runner::with_settings(middle.clone(), Settings::new().stop_timeout(SECOND));
    probe.on_cancel(Act::Hang);
    outer.start().await.unwrap();
    probe.next().await;
    let since = Instant::now();
    assert!(outer.stop().await.is_err());
    assert_took(since, SECOND);
    for state in [outer.state(), middle.state(), inner.state()] {
        assert_eq!(state, State::Stopped);
    }
    assert!(probe.is_quiet());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_inner_that_does_not_yield_makes_the_outer_unresponsive() {
    let short = Duration::from_millis(40);
    let settings = Settings::new().stop_timeout(short).abort_timeout(short);
    let (inner, mut probe) = probed(settings.clone());
    let outer = Runner::with_settings(inner.clone(), settings);
    probe.tell(Act::Block);
    within(outer.start()).await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    let outcome = within(outer.stop()).await;
    assert!(
        matches!(outcome, Err(StopError::Unresponsive(_))),
        "{outcome:?}"
    );
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopping, State::Stopping)
    );
    assert!(matches!(
        within(outer.start()).await,
        Err(StartError::Unresponsive)
    ));
    probe.release();
    within(outer.wait_for(State::Stopped)).await;
    assert_eq!(inner.state(), State::Stopped);
    assert_eq!(probe.runs(), 1);
}
