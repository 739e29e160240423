//! Start, restart, stop and a parent's end while the next attempt is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{
    Backoff, Cause, Context, Exit, RestartPolicy, Runner, Service, Settings, StartError, State,
};
use tokio::runtime::Builder;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{counted, seconds};
use crate::support::{poll_once, settle, within};

/// Fails at its first attempt, and waits very long for the second.
fn runner(attempts: &Arc<AtomicUsize>) -> Runner<impl Service + use<>> {
    let count = Arc::clone(attempts);
    let service = counted(attempts, move |cx: Context| {
        let first = count.load(Ordering::SeqCst) == 1;
        async move {
            if first {
                return Err("broken");
            }
            cx.cancelled().await;
            Ok(())
        }
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(1000)));
    Runner::with_settings(service, Settings::new().restart(policy))
}

async fn in_backoff(attempts: &Arc<AtomicUsize>) -> Runner<impl Service + use<>> {
    let runner = runner(attempts);
    runner.request_start();
    runner.wait_for(State::Backoff).await;
    runner
}

#[tokio::test(start_paused = true)]
async fn stop_during_backoff_is_immediate() {
    within(async {
        let attempts = Arc::default();
        let runner = in_backoff(&attempts).await;
        let begun = Instant::now();
        runner
            .stop()
            .await
            .expect("the failure was before the stop");
        assert_eq!(begun.elapsed(), seconds(0));
        assert_eq!(
            (runner.state(), runner.status().last_exit()),
            (State::Stopped, Exit::Stopped)
        );
        tokio::time::sleep(seconds(2000)).await;
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn start_during_backoff_attempts_now() {
    within(async {
        for ensure in [false, true] {
            let attempts = Arc::default();
            let runner = in_backoff(&attempts).await;
            let begun = Instant::now();
            let started = if ensure {
                runner.ensure_running().await
            } else {
                runner.start().await
            };
            started.expect("ready at once");
            assert_eq!(begun.elapsed(), seconds(0));
            assert_eq!(
                (runner.status().cycles(), runner.status().attempts()),
                (1, 2)
            );
            assert!(runner.is_running() && runner.errors_list().len() == 1);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn restart_during_backoff_is_a_new_cycle() {
    within(async {
        let attempts = Arc::default();
        let runner = in_backoff(&attempts).await;
        let begun = Instant::now();
        runner.restart().await.expect("ready at once");
        assert_eq!(begun.elapsed(), seconds(0));
        assert_eq!(
            (runner.status().cycles(), runner.status().attempts()),
            (2, 2)
        );
        assert!(runner.errors_list().is_empty());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pending_start_is_joined_and_does_not_hurry_the_backoff() {
    within(async {
        let attempts = Arc::new(AtomicUsize::new(0));
        let service = counted(&attempts, |cx: Context| async move {
            if cx.attempt() < 3 {
                return Err("broken");
            }
            cx.ready();
            cx.cancelled().await;
            Ok(())
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(10)));
        let settings = Settings::new().readiness(startstop_core::Readiness::Explicit);
        let runner = Runner::with_settings(service, settings.restart(policy));
        let begun = Instant::now();
        let mut first = Box::pin(runner.start());
        assert!(poll_once(&mut first).await.is_none());
        runner.wait_for(State::Backoff).await;
        let (first, second) = tokio::join!(first, runner.start());
        first.expect("ready at the third attempt");
        second.expect("it joins");
        assert!(begun.elapsed() >= seconds(20) && begun.elapsed() < seconds(21));
        assert_eq!(attempts.load(Ordering::SeqCst), 3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_joined_a_restart_is_joined_in_the_next_backoff() {
    within(async {
        let attempts = Arc::new(AtomicUsize::new(0));
        let service = counted(&attempts, |cx: Context| async move {
            match cx.attempt() {
                1 => cx.ready(),
                2 => tokio::time::sleep(seconds(5)).await,
                _ => {
                    cx.ready();
                    cx.cancelled().await;
                }
            }
            Err("broken")
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(10)));
        let settings = Settings::new().readiness(startstop_core::Readiness::Explicit);
        let runner = Runner::with_settings(service, settings.restart(policy));
        let begun = Instant::now();
        runner.start().await.expect("ready at the first attempt");
        runner.wait_for(State::Backoff).await;
        runner.wait_for(State::Starting).await;
        let mut joined = Box::pin(runner.start());
        assert!(poll_once(&mut joined).await.is_none());
        runner.wait_for(State::Backoff).await;
        let (joined, another) = tokio::join!(joined, runner.start());
        joined.expect("ready at the third attempt");
        another.expect("it joins");
        assert!(begun.elapsed() >= seconds(25) && begun.elapsed() < seconds(26));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn stop_during_backoff_ends_a_pending_start() {
    within(async {
        let attempts = Arc::default();
        let service = counted(&attempts, |_| async { Err("broken") });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(10)));
        let settings = Settings::new().readiness(startstop_core::Readiness::Explicit);
        let runner = Runner::with_settings(service, settings.restart(policy));
        let start = async {
            assert!(matches!(runner.start().await, Err(StartError::Stopped)));
        };
        let stop = async {
            runner.wait_for(State::Backoff).await;
            runner.stop().await.expect("nothing runs");
        };
        tokio::join!(start, stop);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_ends_during_backoff_stops_at_once() {
    within(async {
        let attempts = Arc::default();
        let runner = runner(&attempts);
        let parent = CancellationToken::new();
        let _ = runner.start_with(&parent).await;
        runner.wait_for(State::Backoff).await;
        parent.cancel();
        runner.wait().await;
        settle().await;
        assert!(matches!(runner.restart().await, Err(StartError::Cancelled)));
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_of_the_next_attempt() {
    within(async {
        let attempts = Arc::default();
        let runner = in_backoff(&attempts).await;
        tokio::time::sleep(seconds(600)).await;
        let left = runner.status().next_attempt().expect("in backoff");
        assert!(left <= seconds(400) && left > seconds(399));
        assert!(runner.status().to_string().contains("attempt 2 in"));
        assert!(!runner.is_running() && !runner.is_ready());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_counts_once_it_is_made() {
    within(async {
        let attempts = Arc::default();
        let runner = in_backoff(&attempts).await;
        assert_eq!(
            (runner.status().attempts(), runner.status().restarts()),
            (1, 0)
        );
        runner.stop().await.expect("nothing runs");
        assert_eq!(runner.status().restarts(), 0);
    })
    .await;
}

#[test]
fn the_end_of_the_runtime_between_two_attempts_has_no_uptime() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime");
    let runner = runtime.block_on(async {
        let attempts = Arc::default();
        let runner = in_backoff(&attempts).await;
        tokio::time::advance(seconds(10)).await;
        runner
    });
    drop(runtime);
    let lost = runner.errors_last().expect("it is recorded");
    assert_eq!((lost.cause(), lost.uptime()), (Cause::Aborted, seconds(0)));
}
