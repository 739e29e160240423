//! `shutdown_always`: once after every attempt, however that attempt ended.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{
    Backoff, BlockingFn, BoxError, Cause, Context, Exit, Failure, Interruption, Phase, Readiness,
    RestartPolicy, Runner, Service, Settings, StartError, State, blocking_fn,
};
use tokio::time::Instant;

use crate::support::{Act, Caller, Event, SECOND, assert_took, idle, probed};

fn always() -> Settings {
    Settings::new().shutdown_always(true)
}

#[tokio::test(start_paused = true)]
async fn shutdown_runs_when_always_asked_for_after_every_natural_end() {
    for act in [Act::Complete, Act::Fail("x"), Act::Panic("x")] {
        let (runner, mut probe) = probed(always());
        probe.tell(act);
        let _ = runner.start().await;
        runner.wait_for(State::Stopped).await;
        assert_eq!(probe.count(Event::Shutdown), 1);
        assert_eq!(probe.count(Event::ShutdownEnded), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_runs_when_always_asked_for_once_in_a_stop() {
    let (runner, mut probe) = probed(always());
    runner.start().await.unwrap();
    probe.next().await;
    runner.stop().await.unwrap();
    idle().await;
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_runs_when_always_asked_for_between_two_attempts() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let (runner, mut probe) = probed(always().restart(policy));
    probe.tell(Act::Fail("one"));
    probe.tell(Act::Fail("two"));
    let _ = runner.start().await;
    probe.until(Event::Run(1, 3)).await;
    let order = [
        Event::Run(1, 1),
        Event::RunEnded,
        Event::Shutdown,
        Event::ShutdownEnded,
    ];
    assert_eq!(probe.seen()[..4], order);
    assert_eq!(probe.count(Event::Shutdown), 2);
}

#[tokio::test(start_paused = true)]
async fn shutdown_runs_when_always_asked_for_after_an_attempt_that_was_late() {
    let (runner, mut probe) = probed(always().readiness(Readiness::Explicit));
    assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
    runner.wait_for(State::Stopped).await;
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_runs_when_always_asked_for_after_an_attempt_that_was_silent() {
    let (runner, mut probe) = probed(always().watchdog(SECOND));
    runner.start().await.unwrap();
    runner.wait_for(State::Stopped).await;
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_always_has_the_stop_timeout() {
    let (runner, mut probe) = probed(always().stop_timeout(4 * SECOND));
    probe.on_shutdown(Act::Hang);
    runner.start().await.unwrap();
    probe.tell(Act::Complete);
    probe.until(Event::Shutdown).await;
    let since = Instant::now();
    assert_eq!(runner.state(), State::Stopping);
    runner.wait_for(State::Stopped).await;
    assert_took(since, 4 * SECOND);
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Shutdown, Cause::TimedOut)
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_after_an_aborted_attempt_has_the_deadline_of_a_stop() {
    let late = always()
        .readiness(Readiness::Explicit)
        .start_timeout(SECOND);
    let silent = always().watchdog(SECOND);
    for (settings, cause) in [(late, Cause::TimedOut), (silent, Cause::Unresponsive)] {
        let (runner, probe) = probed(settings.stop_timeout(4 * SECOND));
        probe.on_shutdown(Act::Hang);
        runner.request_start();
        runner.wait().await;
        let failures = runner.errors_list();
        let causes: Vec<_> = failures.iter().map(|it| (it.phase(), it.cause())).collect();
        assert_eq!(
            causes,
            [(Phase::Run, cause), (Phase::Shutdown, Cause::TimedOut)]
        );
        let missed = failures[1].error().downcast_ref::<Interruption>();
        let after = 4 * SECOND;
        assert!(matches!(missed, Some(Interruption::StopTimedOut { after: it }) if *it == after));
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_always_shares_its_deadline_with_the_tasks() {
    let (runner, mut probe) = probed(always().stop_timeout(4 * SECOND));
    probe.on_shutdown(Act::Hang);
    probe.tell(Act::spawn(Act::Hang));
    runner.start().await.unwrap();
    idle().await;
    let since = Instant::now();
    probe.tell(Act::Complete);
    probe.until(Event::RunEnded).await;
    runner.wait_for(State::Stopped).await;
    assert_took(since, 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_shutdown_that_always_runs_is_recorded() {
    let (runner, probe) = probed(always());
    probe.on_shutdown(Act::Fail("close"));
    runner.start().await.unwrap();
    probe.tell(Act::Complete);
    runner.wait().await;
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Shutdown, Cause::Error)
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_always_does_not_run_where_run_was_not_entered() {
    let (runner, mut probe) = probed(always());
    runner.request_start();
    runner.stop().await.unwrap();
    runner.stop_within(Duration::ZERO).await.unwrap();
    idle().await;
    assert!(probe.seen().is_empty());
}

/// A thread that a silent attempt leaves behind, and a `shutdown` that is counted.
struct Silent {
    thread: BlockingFn<Box<dyn Fn(Context) + Send + Sync>>,
    shutdowns: AtomicUsize,
}

impl Service for Silent {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.thread.run(cx).await
    }

    async fn shutdown(&self, _: Context) -> Result<(), BoxError> {
        self.shutdowns.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn shutdown_always_does_not_run_after_an_abort_that_was_asked_for_while_a_silent_attempt_goes()
 {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let waits: Box<dyn Fn(Context) + Send + Sync> = Box::new(move |_| {
        let _ = held.lock().unwrap().recv();
    });
    let service = Silent {
        thread: blocking_fn(waits),
        shutdowns: AtomicUsize::new(0),
    };
    let settings = always()
        .watchdog(Duration::from_millis(20))
        .abort_timeout(Duration::MAX);
    let runner = Runner::with_settings(service, settings);
    runner.start().await.unwrap();
    runner.wait_for(State::Stopping).await;
    let stopping = Caller::of({
        let runner = runner.clone();
        async move { runner.stop_within(Duration::ZERO).await }
    });
    let stopping = stopping.await;
    drop(release);
    stopping.outcome().await.unwrap();
    assert_eq!(runner.service().shutdowns.load(Ordering::SeqCst), 0);
    assert_eq!(runner.wait().await, Exit::Failed);
    let causes: Vec<Cause> = runner.errors_list().iter().map(Failure::cause).collect();
    assert_eq!(causes, [Cause::Unresponsive]);
}
