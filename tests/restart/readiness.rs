//! Readiness across restarts: a start waits through attempts, a late attempt is one that failed.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{
    Backoff, Cause, Context, Exit, Readiness, RestartPolicy, Runner, Settings, StartError, State,
};
use tokio::time::Instant;

use super::{counted, seconds};
use crate::support::within;

fn explicit(policy: RestartPolicy) -> Settings {
    Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(seconds(3))
        .restart(policy)
}

#[tokio::test(start_paused = true)]
async fn a_late_attempt_is_aborted_and_restarted() {
    within(async {
        let attempts = Arc::new(AtomicUsize::new(0));
        let service = counted(&attempts, |cx: Context| async move {
            if cx.attempt() < 3 {
                pending::<()>().await;
            }
            cx.ready();
            cx.cancelled().await;
            Ok(())
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(1)));
        let runner = Runner::with_settings(service, explicit(policy));
        let begun = Instant::now();
        runner.start().await.expect("ready at the third attempt");
        assert!(begun.elapsed() >= seconds(8) && begun.elapsed() < seconds(9));
        assert_eq!(attempts.load(Ordering::SeqCst), 3);
        let failures = runner.errors_list();
        assert_eq!(failures.len(), 2);
        assert!(failures.iter().all(|it| it.cause() == Cause::TimedOut));
        runner
            .stop()
            .await
            .expect("the failures were before the stop");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_start_times_out_when_no_attempt_follows() {
    within(async {
        let attempts = Arc::default();
        let service = counted(&attempts, |_| pending());
        let policy = RestartPolicy::on_failure()
            .backoff(Backoff::none())
            .limit(2, seconds(100));
        let runner = Runner::with_settings(service, explicit(policy));
        let begun = Instant::now();
        assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
        assert!(begun.elapsed() >= seconds(9) && begun.elapsed() < seconds(10));
        assert_eq!(
            (runner.status().attempts(), runner.status().last_exit()),
            (3, Exit::Failed)
        );
        assert!(super::tells_of_the_limit(&runner));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_to_become_ready_anew() {
    within(async {
        let attempts = Arc::default();
        let service = counted(&attempts, |cx: Context| async move {
            tokio::time::sleep(seconds(1)).await;
            cx.ready();
            if cx.attempt() == 1 {
                tokio::time::sleep(seconds(1)).await;
                return Err("broken");
            }
            cx.cancelled().await;
            Ok(())
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(10)));
        let runner = Runner::with_settings(service, explicit(policy));
        let mut states = runner.subscribe();
        let watcher = tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen
                .iter()
                .filter(|state| **state == State::Running)
                .count()
                < 2
            {
                seen.extend(states.changed().await);
            }
            seen
        });
        runner.start().await.expect("ready after a second");
        assert!(runner.is_ready());
        runner.wait_for(State::Backoff).await;
        assert!(!runner.is_ready());
        let seen = watcher.await.expect("no panic");
        assert_eq!(seen.last(), Some(&State::Running));
        assert!(seen.contains(&State::Backoff) && seen.contains(&State::Starting));
        assert!(runner.is_ready());
        runner
            .stop()
            .await
            .expect("the failure was before the stop");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_job_is_tried_until_it_is_done() {
    within(async {
        let attempts = Arc::default();
        let service = counted(&attempts, |cx: Context| async move {
            if cx.attempt() < 4 {
                Err("not yet")
            } else {
                Ok(())
            }
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(50)));
        let settings = Settings::new()
            .readiness(Readiness::Completion)
            .restart(policy);
        let runner = Runner::with_settings(service, settings);
        runner.start().await.expect("done at the fourth attempt");
        assert_eq!(runner.wait().await, Exit::Completed);
        assert_eq!(runner.status().attempts(), 4);
        assert!(runner.is_ready() && !runner.is_running());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_late_attempt_that_nobody_waits_for_is_restarted_too() {
    within(async {
        let attempts = Arc::default();
        let service = counted(&attempts, |cx: Context| async move {
            match cx.attempt() {
                1 => {
                    cx.ready();
                    Err("broken")
                }
                2 => pending().await,
                _ => {
                    cx.ready();
                    cx.cancelled().await;
                    Ok(())
                }
            }
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(1)));
        let runner = Runner::with_settings(service, explicit(policy));
        runner.start().await.expect("the first attempt is ready");
        runner.wait_for(State::Backoff).await;
        runner.wait_for(State::Running).await;
        assert_eq!(runner.status().attempts(), 3);
        assert_eq!(runner.errors_list().len(), 2);
    })
    .await;
}
