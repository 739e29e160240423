//! Services that are silent for the watchdog, and services that are not.

use startstop_core::{
    Cause, Context, Exit, Readiness, Runner, Settings, Slot, StartError, every, once, service_fn,
    service_fn_with,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

use crate::support::{SECOND, assert_took, within};

fn watched() -> Settings {
    Settings::new().watchdog(5 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_tick_is_a_sign_of_life() {
    for period in [SECOND, 20 * SECOND] {
        let runner = Runner::with_settings(every(period, async |_cx: Context| {}), watched());
        runner.start().await.unwrap();
        sleep(90 * SECOND).await;
        assert!(
            runner.is_running(),
            "{period:?}: {:?}",
            runner.errors_last()
        );
        runner.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_function_of_every_is_timed() {
    let hangs = every(20 * SECOND, async |_cx: Context| sleep(7 * SECOND).await);
    let runner = Runner::with_settings(hangs, watched());
    let begun = Instant::now();
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    assert_took(begun, 5 * SECOND);
    assert_eq!(runner.errors_last().unwrap().cause(), Cause::Unresponsive);

    let beats = every(20 * SECOND, async |cx: Context| {
        sleep(4 * SECOND).await;
        cx.heartbeat();
        sleep(4 * SECOND).await;
    });
    let runner = Runner::with_settings(beats, watched());
    runner.start().await.unwrap();
    sleep(90 * SECOND).await;
    assert!(runner.is_running(), "{:?}", runner.errors_last());
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_that_has_told_that_it_is_alive_must_go_on_to() {
    for (readiness, start_timeout) in [
        (Readiness::Explicit, Duration::MAX),
        (Readiness::Explicit, 300 * SECOND),
        (Readiness::Completion, 30 * SECOND),
    ] {
        let service = service_fn(async |cx: Context| {
            sleep(9 * SECOND).await;
            for _ in 0..60 {
                cx.heartbeat();
                sleep(SECOND).await;
            }
            std::future::pending::<()>().await;
        });
        let settings = watched().readiness(readiness).start_timeout(start_timeout);
        let runner = Runner::with_settings(service, settings);
        let begun = Instant::now();
        let start = within(runner.start()).await;
        assert!(matches!(start, Err(StartError::Failed(_))), "{start:?}");
        // The last heartbeat came after 68 s.
        assert_took(begun, 73 * SECOND);
        assert_eq!(runner.errors_last().unwrap().cause(), Cause::Unresponsive);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_says_nothing_is_only_late() {
    let service = service_fn(async |_cx: Context| std::future::pending::<()>().await);
    let runner = Runner::with_settings(service, watched().readiness(Readiness::Explicit));
    let begun = Instant::now();
    assert!(matches!(
        within(runner.start()).await,
        Err(StartError::TimedOut)
    ));
    assert_took(begun, 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_says_nothing_is_left_alone() {
    let job = once(async |_cx: Context| sleep(1000 * SECOND).await);
    let runner = Runner::with_settings(job, watched());
    within(runner.start()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_the_attempt_before_begins_no_watch() {
    let service = service_fn(async |cx: Context| {
        if cx.attempt() == 1 {
            cx.heartbeat();
            return Err("again");
        }
        sleep(20 * SECOND).await;
        cx.ready();
        Ok(())
    });
    let policy = startstop_core::RestartPolicy::on_failure();
    let settings = watched().readiness(Readiness::Explicit).restart(policy);
    let runner = Runner::with_settings(service, settings);
    within(runner.start()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_waits_for_a_slot_is_not_silent() {
    for readiness in [Readiness::Immediate, Readiness::Explicit] {
        let slot = Slot::<u32>::new();
        let service = service_fn_with(slot.clone(), async |slot, cx: Context| {
            cx.heartbeat();
            let _ = slot.wait(&cx).await;
            let mut values = slot.watch();
            while values.next(&cx).await.is_some() {
                cx.ready();
            }
        });
        let settings = watched().readiness(readiness).start_timeout(Duration::MAX);
        let runner = Runner::with_settings(service, settings);
        runner.request_start();
        sleep(60 * SECOND).await;
        slot.fill(
            &Context::detached(tokio_util::sync::CancellationToken::new()),
            7,
        );
        sleep(60 * SECOND).await;
        assert!(runner.is_ready(), "{:?}", runner.errors_last());
        runner.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_has_waited_for_a_slot_is_looked_at_again() {
    let slot = Slot::<u32>::new();
    let service = service_fn_with(slot.clone(), async |slot, cx: Context| {
        let _ = slot.wait(&cx).await;
        std::future::pending::<()>().await;
    });
    let runner = Runner::with_settings(service, watched());
    runner.start().await.unwrap();
    sleep(63 * SECOND).await;
    let begun = Instant::now();
    slot.fill(
        &Context::detached(tokio_util::sync::CancellationToken::new()),
        7,
    );
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    assert_took(begun, 5 * SECOND);
}
