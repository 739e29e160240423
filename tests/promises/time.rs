//! Promise 9: under paused time every timeout and backoff is deterministic.

use std::future::pending;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Readiness, RestartPolicy, Runner, Settings, StartError, State, StopError,
    service_fn,
};
use tokio::time::Instant;

use crate::support::{deaf, settle, within};

/// So much has passed, to the tick of the clock.
#[track_caller]
fn assert_passed(since: Instant, expected: Duration) {
    let passed = since.elapsed();
    let most = expected + Duration::from_millis(2);
    assert!(
        passed >= expected && passed <= most,
        "{passed:?} instead of {expected:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn time_is_tokios_for_a_start_that_takes_too_long() {
    within(async {
        let settings = Settings::new().readiness(Readiness::Explicit);
        let runner = Runner::with_settings(deaf(), settings);
        let begun = Instant::now();
        assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
        assert_passed(begun, Duration::from_secs(30));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_is_tokios_for_a_stop_that_takes_too_long() {
    within(async {
        let runner = Runner::new(deaf());
        for (timeout, expected) in [(None, 5_000), (Some(300), 300), (Some(60_000), 60_000)] {
            runner.start().await.expect("ready at once");
            settle().await;
            let begun = Instant::now();
            let outcome = match timeout {
                Some(millis) => runner.stop_within(Duration::from_millis(millis)).await,
                None => runner.stop().await,
            };
            assert!(matches!(outcome, Err(StopError::TimedOut)));
            assert_passed(begun, Duration::from_millis(expected));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_is_tokios_for_the_drain_and_the_uptime() {
    within(async {
        let service = service_fn(|cx: Context| async move { cx.cancelled().await });
        let settings = Settings::new().drain(Duration::from_secs(3));
        let runner = Runner::with_settings(service, settings);
        runner.start().await.expect("ready at once");
        tokio::time::sleep(Duration::from_secs(100)).await;
        let uptime = runner.uptime();
        assert!(uptime >= Duration::from_secs(100) && uptime < Duration::from_secs(101));
        let begun = Instant::now();
        runner.stop().await.expect("an obedient service stops");
        assert_passed(begun, Duration::from_secs(3));
        assert_eq!(runner.uptime(), Duration::ZERO);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_is_tokios_for_the_backoff() {
    within(async {
        let delay = Duration::from_secs(7);
        let policy = RestartPolicy::always()
            .backoff(Backoff::constant(delay))
            .limit(9, delay * 99);
        let service = service_fn(|_| async { tokio::time::sleep(Duration::from_secs(1)).await });
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        let begun = Instant::now();
        runner.request_start();
        runner.wait().await;
        let expected = (Duration::from_secs(1) * 10) + (delay * 9);
        let passed = begun.elapsed();
        assert!(
            passed >= expected && passed < expected + Duration::from_millis(40),
            "{passed:?}"
        );
        assert_eq!(runner.status().attempts(), 10);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_is_tokios_for_what_a_service_is_told_of_its_deadline() {
    within(async {
        let service = service_fn(|cx: Context| async move {
            assert_eq!((cx.deadline(), cx.remaining()), (None, None));
            cx.cancelled().await;
            let left = cx.remaining().expect("a stop was asked for");
            assert!(left <= Duration::from_secs(4) && left > Duration::from_millis(3990));
            cx.run_until_cancelled(async {}).await;
            pending::<()>().await;
        });
        let settings = Settings::new().stop_timeout(Duration::from_secs(4));
        let runner = Runner::with_settings(service, settings);
        runner.start().await.expect("ready at once");
        settle().await;
        assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
        assert_eq!(
            (runner.errors_list().len(), runner.state()),
            (1, State::Stopped)
        );
    })
    .await;
}
