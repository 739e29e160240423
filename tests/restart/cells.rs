//! The nine cells: policy × outcome.

use startstop_core::{Backoff, Context, Exit, Phase, RestartPolicy, Runner, Settings, service_fn};

use crate::support::within;

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Ok,
    Error,
    Panic,
}

/// How many attempts there are, and how the cycle ends, with three restarts at most.
async fn attempts_and_exit(policy: RestartPolicy, outcome: Outcome) -> (u64, Exit) {
    let policy = policy.backoff(Backoff::none()).limit(3, super::seconds(60));
    let service = service_fn(move |_| async move {
        match outcome {
            Outcome::Ok => Ok(()),
            Outcome::Error => Err("broken"),
            Outcome::Panic => panic!("broken"),
        }
    });
    let runner = Runner::with_settings(service, Settings::new().restart(policy));
    runner.request_start();
    let exit = runner.wait().await;
    let status = runner.status();
    assert_eq!(
        (status.cycles(), status.restarts()),
        (1, status.attempts() - 1)
    );
    (status.attempts(), exit)
}

#[tokio::test(start_paused = true)]
async fn never_makes_one_attempt_whatever_comes_of_it() {
    within(async {
        for (outcome, exit) in [
            (Outcome::Ok, Exit::Completed),
            (Outcome::Error, Exit::Failed),
            (Outcome::Panic, Exit::Failed),
        ] {
            assert_eq!(
                attempts_and_exit(RestartPolicy::never(), outcome).await,
                (1, exit)
            );
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn on_failure_restarts_errors_and_panics_only() {
    within(async {
        let policy = RestartPolicy::on_failure;
        assert_eq!(
            attempts_and_exit(policy(), Outcome::Ok).await,
            (1, Exit::Completed)
        );
        assert_eq!(
            attempts_and_exit(policy(), Outcome::Error).await,
            (4, Exit::Failed)
        );
        assert_eq!(
            attempts_and_exit(policy(), Outcome::Panic).await,
            (4, Exit::Failed)
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn always_restarts_whatever_comes() {
    within(async {
        let policy = RestartPolicy::always;
        assert_eq!(
            attempts_and_exit(policy(), Outcome::Error).await,
            (4, Exit::Failed)
        );
        assert_eq!(
            attempts_and_exit(policy(), Outcome::Panic).await,
            (4, Exit::Failed)
        );
        let (attempts, exit) = attempts_and_exit(policy(), Outcome::Ok).await;
        assert_eq!(attempts, 4);
        // "at most `max` restarts within any window; then the cycle fails".
        assert_eq!(exit, Exit::Failed);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_always_is_a_failure_that_says_so() {
    within(async {
        let policy = RestartPolicy::always()
            .backoff(Backoff::none())
            .limit(3, super::seconds(60));
        let runner =
            Runner::with_settings(service_fn(|_| async {}), Settings::new().restart(policy));
        runner.request_start();
        runner.wait().await;
        assert!(super::tells_of_the_limit(&runner));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_after_the_limit_was_reached_says_so_too() {
    within(async {
        let service = service_fn(|cx: Context| async move {
            let inner = cx.clone();
            cx.spawn(async move {
                inner.cancelled().await;
                Err("and this")
            });
            tokio::task::yield_now().await;
            Err("broken")
        });
        let policy = RestartPolicy::on_failure().limit(0, super::seconds(60));
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        runner.wait().await;
        assert!(super::tells_of_the_limit(&runner));
        let last = runner.errors_last().expect("it failed");
        assert_eq!(
            (last.phase(), last.error().to_string().as_str()),
            (Phase::Task, "and this")
        );
        assert!(runner.errors_list()[0].to_string().contains("limit"));
    })
    .await;
}
