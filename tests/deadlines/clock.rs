//! The clock: whoever uses it first, however far a paused one was moved, and a runtime that has none.

use std::time::Duration;

use startstop_core::{Runner, Settings, StartError, StopError, service_fn};
use tokio::runtime::Builder;
use tokio::time::{Instant, advance, timeout};

use crate::support::{SECOND, alone, assert_took, deaf};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_clock_that_is_first_read_in_a_far_future_goes_on_elsewhere() {
    alone(
        "deadlines::clock::a_clock_that_is_first_read_in_a_far_future_goes_on_elsewhere",
        a_paused_clock_comes_first,
    );
}

fn a_paused_clock_comes_first() {
    let mut paused = Builder::new_current_thread();
    let paused = paused
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    paused.block_on(async {
        advance(2 * DAY).await;
        let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
        runner.start().await.expect("ready at once");
        runner.stop().await.expect("it obeys");
    });
    let real = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    real.block_on(async {
        let settings = Settings::new().stop_timeout(SECOND / 10);
        let runner = Runner::with_settings(deaf(), settings);
        runner.start().await.expect("ready at once");
        tokio::time::sleep(SECOND / 20).await;
        assert!(runner.uptime() >= SECOND / 20, "its time stands still");
        let stopped = timeout(60 * SECOND, runner.stop())
            .await
            .expect("the deadline is kept");
        assert!(matches!(stopped, Err(StopError::TimedOut)), "{stopped:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn times_go_on_after_decades() {
    advance(365 * 40 * DAY).await;
    let settings = Settings::new().stop_timeout(SECOND);
    let runner = Runner::with_settings(deaf(), settings);
    runner.start().await.expect("ready at once");
    assert!(
        runner.uptime() < Duration::from_micros(1),
        "{:?}",
        runner.uptime()
    );
    advance(5 * SECOND).await;
    let off = runner.uptime().abs_diff(5 * SECOND);
    assert!(off < Duration::from_micros(1), "off by {off:?}");
    let begin = Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_took(begin, SECOND);
}

#[test]
fn a_start_in_a_runtime_without_timers_says_so() {
    let without = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    for _ in 0..2 {
        let refused = without.block_on(runner.start());
        assert!(matches!(refused, Err(StartError::NoRuntime)), "{refused:?}");
        let says = refused.unwrap_err().to_string();
        assert!(says.contains("without timers"), "{says}");
    }
    let with = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build();
    let with = with.expect("a runtime");
    with.block_on(runner.start()).expect("ready at once");
    with.block_on(runner.stop()).expect("it obeys");
}
