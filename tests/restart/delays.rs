//! The delays between attempts, their reset, the sliding limit, and the tight loop.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use startstop_core::{
    Backoff, Exit, RestartPolicy, Runner, Service, Settings, State, service_fn, service_fn_with,
};
use tokio::time::{Instant, sleep};

use super::{seconds, tells_of_the_limit};
use crate::support::{failing, one_thread, watched, within};

type Moments = Arc<Mutex<Vec<Instant>>>;

/// A service that fails after `lives`, and remembers when its attempts began.
fn remembering(moments: &Moments, lives: fn(u64) -> Duration) -> impl Service {
    service_fn_with(Arc::clone(moments), move |moments, cx| async move {
        moments.lock().expect("no poison").push(Instant::now());
        sleep(lives(cx.attempt())).await;
        Err::<(), _>("broken")
    })
}

/// The gaps between the beginnings of the attempts, in whole seconds.
fn gaps(moments: &Moments) -> Vec<u64> {
    let moments = moments.lock().expect("no poison");
    let gaps = moments
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis());
    gaps.map(|millis| {
        assert!(millis % 1000 < 10, "{millis} ms");
        u64::try_from(millis / 1000).expect("not that long")
    })
    .collect()
}

fn doubling() -> Backoff {
    Backoff::exponential(seconds(1))
        .factor(2.0)
        .max(seconds(8))
        .jitter(0.0)
}

#[tokio::test(start_paused = true)]
async fn the_delays_double_up_to_their_cap() {
    within(async {
        let moments = Moments::default();
        let policy = RestartPolicy::on_failure()
            .backoff(doubling())
            .limit(6, seconds(1000));
        let service = remembering(&moments, |_| Duration::ZERO);
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(gaps(&moments), [1, 2, 4, 8, 8, 8]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_long_run_resets_the_delay() {
    within(async {
        let moments = Moments::default();
        let policy = RestartPolicy::on_failure()
            .backoff(doubling())
            .limit(7, seconds(1000));
        let policy = policy.reset_after(seconds(20));
        let lives = |attempt| seconds(if attempt == 5 { 20 } else { 0 });
        let service = remembering(&moments, lives);
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        runner.wait().await;
        assert_eq!(gaps(&moments), [1, 2, 4, 8, 21, 2, 4]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_a_little_too_short_does_not_reset_the_delay() {
    within(async {
        let moments = Moments::default();
        let policy = RestartPolicy::on_failure()
            .backoff(doubling())
            .limit(4, seconds(1000));
        let service = remembering(&moments, |_| seconds(59));
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        runner.wait().await;
        assert_eq!(gaps(&moments), [60, 61, 63, 67]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn jitter_scales_each_delay_within_its_bounds() {
    within(async {
        let moments = Moments::default();
        let policy =
            RestartPolicy::on_failure().backoff(Backoff::exponential(seconds(10)).max(seconds(10)));
        let policy = policy.limit(100, Duration::MAX);
        let service = remembering(&moments, |_| Duration::ZERO);
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        runner.wait().await;
        let moments = moments.lock().expect("no poison");
        let gaps: Vec<_> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            gaps.iter()
                .all(|gap| (seconds(8)..=Duration::from_millis(12_005)).contains(gap))
        );
        assert!(
            gaps.iter().any(|gap| *gap < seconds(9)) && gaps.iter().any(|gap| *gap > seconds(11))
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_counts_within_a_sliding_window() {
    within(async {
        let policy = RestartPolicy::on_failure()
            .backoff(Backoff::none())
            .limit(1, seconds(2));
        let service = service_fn(|cx: startstop_core::Context| async move {
            let lives = if cx.attempt() == 200 { 1900 } else { 2100 };
            sleep(Duration::from_millis(lives)).await;
            Err::<(), _>("broken")
        });
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(runner.status().attempts(), 200);
        assert!(tells_of_the_limit(&runner));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_ten_in_ten_minutes_unless_told() {
    within(async {
        for policy in [RestartPolicy::on_failure(), RestartPolicy::always()] {
            let runner = Runner::with_settings(failing("x"), Settings::new().restart(policy));
            runner.request_start();
            assert_eq!(runner.wait().await, Exit::Failed);
            assert_eq!(runner.status().attempts(), 11);
            assert!(tells_of_the_limit(&runner));
        }
    })
    .await;
}

/// Nine delays of 51.1 s in all and one of 30 s, each with the jitter of a fifth.
#[tokio::test(start_paused = true)]
async fn the_default_policy_bears_an_outage_of_more_than_a_minute() {
    within(async {
        for _ in 0..20 {
            let policy = Settings::new().restart(RestartPolicy::on_failure());
            let runner = Runner::with_settings(failing("connection refused"), policy);
            let begin = Instant::now();
            runner.request_start();
            assert_eq!(runner.wait().await, Exit::Failed);
            let outage = begin.elapsed();
            assert!(outage > seconds(64) && outage < seconds(98), "{outage:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_cycle_begins_with_a_clean_slate() {
    within(async {
        let moments = Moments::default();
        let policy = RestartPolicy::on_failure()
            .backoff(doubling())
            .limit(2, Duration::MAX);
        let service = remembering(&moments, |_| Duration::ZERO);
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        for cycle in 1..=3 {
            runner.request_start();
            assert_eq!(runner.wait().await, Exit::Failed);
            assert_eq!(runner.status().attempts(), 3 * cycle);
            assert_eq!(gaps(&moments), [1, 2]);
            moments.lock().expect("no poison").clear();
        }
    })
    .await;
}

#[test]
fn a_tight_restart_loop_starves_nobody_and_stops_at_once() {
    watched(|| {
        one_thread().block_on(within(async {
            let policy = RestartPolicy::always().backoff(Backoff::none()).forever();
            let settings = Settings::new().restart(policy).history_capacity(3);
            let runner = Runner::with_settings(failing("x"), settings);
            runner.request_start();
            let other = tokio::spawn(async {
                for _ in 0..1_000 {
                    tokio::task::yield_now().await;
                }
            });
            other.await.expect("no panic");
            sleep(Duration::from_millis(5)).await;
            assert!(runner.status().attempts() > 100);
            let begun = std::time::Instant::now();
            runner.stop().await.expect("nothing hangs");
            assert!(begun.elapsed() < seconds(2));
            assert_eq!(runner.state(), State::Stopped);
            let attempts = runner.status().attempts();
            sleep(Duration::from_millis(5)).await;
            assert_eq!(runner.status().attempts(), attempts);
        }));
    });
}
