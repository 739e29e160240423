//! When what is left of a service is aborted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Cause, Context, EventKind, Exit, Interruption, Phase, Runner, Service, Settings, State,
    StopError, service_fn,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::Instant;

use crate::support::{
    Act, Caller, Event, Probe, Remote, SECOND, assert_took, probed, stop, within,
};

async fn deaf(settings: Settings) -> (startstop_core::Runner<Probe>, Remote) {
    let (runner, mut probe) = probed(settings);
    probe.on_cancel(Act::Hang);
    runner.start().await.unwrap();
    probe.next().await;
    (runner, probe)
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_end_is_aborted_at_the_stop_timeout() {
    let (runner, mut probe) = deaf(Settings::new().stop_timeout(7 * SECOND)).await;
    let since = Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_took(since, 7 * SECOND);
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(runner.wait().await, Exit::Aborted);
    let failures = runner.errors_list();
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (failures[0].phase(), failures[0].cause()),
        (Phase::Run, Cause::TimedOut)
    );
    let error = failures[0].error().downcast_ref::<Interruption>().unwrap();
    assert!(matches!(error, Interruption::StopTimedOut { after } if *after == 7 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_stop_timeout_is_five_seconds_where_none_is_set() {
    let (runner, _probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_took(since, 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_does_not_end_is_aborted_at_the_stop_timeout() {
    let (runner, mut probe) = probed(Settings::new());
    probe.on_shutdown(Act::Hang);
    runner.start().await.unwrap();
    probe.next().await;
    let since = Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_took(since, 5 * SECOND);
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Shutdown, Cause::TimedOut)
    );
    assert_eq!(runner.wait().await, Exit::Aborted);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_is_aborted_at_the_stop_timeout() {
    let (runner, mut probe) = probed(Settings::new());
    probe.tell(Act::spawn(Act::Hang));
    runner.start().await.unwrap();
    crate::support::idle().await;
    let since = Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_took(since, 5 * SECOND);
    assert_eq!(probe.count(Event::TaskEnded), 1);
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Task, Cause::TimedOut)
    );
}

#[tokio::test(start_paused = true)]
async fn stop_within_shortens_a_stop_in_progress() {
    let (runner, _probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    let first = stop(&runner).await;
    assert!(matches!(
        runner.stop_within(SECOND).await,
        Err(StopError::TimedOut)
    ));
    assert_took(since, SECOND);
    assert!(matches!(first.outcome().await, Err(StopError::TimedOut)));
}

#[tokio::test(start_paused = true)]
async fn stop_within_never_extends_a_stop() {
    let (runner, _probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    let first = stop(&runner).await;
    assert!(runner.stop_within(60 * SECOND).await.is_err());
    assert_took(since, 5 * SECOND);
    assert!(first.outcome().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_later_stop_within_counts_from_its_own_call() {
    let (runner, _probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    let _first = stop(&runner).await;
    tokio::time::advance(3 * SECOND).await;
    assert!(runner.stop_within(SECOND).await.is_err());
    assert_took(since, 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn stop_within_max_leaves_the_stop_timeout_in_force() {
    let (runner, _probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    let _first = stop(&runner).await;
    assert!(runner.stop_within(Duration::MAX).await.is_err());
    assert_took(since, 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn zero_makes_the_abort_the_request() {
    let (runner, mut probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    runner.stop_within(Duration::ZERO).await.unwrap();
    assert_took(since, Duration::ZERO);
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 0);
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(runner.wait().await, Exit::Aborted);
    assert!(runner.errors_last().is_none());
}

/// It comes in the middle of a poll that ends `run`: it would have been dropped a moment before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zero_leaves_no_failure_whatever_run_still_returns() {
    for panics in [false, true] {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = Mutex::new(released);
        let inside = Arc::new(Semaphore::new(0));
        let entered = Arc::clone(&inside);
        let runner = Runner::new(service_fn(move |_cx| {
            entered.add_permits(1);
            let _ = released.lock().expect("nobody panics under it").recv();
            assert!(!panics, "a panic is a failure, whenever it comes");
            async { Err::<(), _>("too late") }
        }));
        runner.request_start();
        drop(within(inside.acquire()).await.expect("it is open"));
        let mut events = runner.events();
        let aborted = stop_at_once(&runner);
        while !matches!(
            within(events.next()).await.expect("it is there").kind(),
            EventKind::Aborting
        ) {}
        release.send(()).expect("it waits");
        let outcome = within(aborted).await.expect("the caller does not panic");
        assert_eq!(
            (outcome.is_err(), runner.history().entries().len()),
            (panics, usize::from(panics))
        );
        assert_eq!(runner.wait().await, Exit::Aborted);
    }
}

fn stop_at_once<S: Service>(runner: &Runner<S>) -> JoinHandle<Result<(), StopError>> {
    let runner = runner.clone();
    tokio::spawn(async move { runner.stop_within(Duration::ZERO).await })
}

#[tokio::test(start_paused = true)]
async fn a_stop_timeout_of_zero_aborts_at_once() {
    let (runner, mut probe) = deaf(Settings::new().stop_timeout(Duration::ZERO)).await;
    runner.stop().await.unwrap();
    assert_eq!(probe.count(Event::Shutdown), 0);
    assert_eq!(runner.wait().await, Exit::Aborted);
    assert!(runner.history().entries().is_empty());
    runner.start().await.unwrap();
    runner.restart().await.unwrap();
    assert_eq!(probe.count(Event::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn zero_ends_a_stop_in_progress() {
    let (runner, mut probe) = deaf(Settings::new()).await;
    let since = Instant::now();
    let first = stop(&runner).await;
    let second = runner.stop_within(Duration::ZERO).await;
    assert_took(since, Duration::ZERO);
    assert_eq!(
        first.outcome().await.is_ok(),
        second.is_ok(),
        "the same outcome for both"
    );
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(runner.wait().await, Exit::Aborted);
}

#[tokio::test(start_paused = true)]
async fn a_stop_timeout_of_max_waits_for_ever() {
    let (runner, probe) = deaf(Settings::new().stop_timeout(Duration::MAX)).await;
    let first = stop(&runner).await;
    tokio::time::advance(1_000_000 * SECOND).await;
    crate::support::idle().await;
    assert!(first.is_waiting());
    probe.tell(Act::Complete);
    first.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_was_given_up_keeps_its_deadline() {
    let (runner, _probe) = deaf(Settings::new()).await;
    let (since, other) = (Instant::now(), runner.clone());
    Caller::of(async move { other.stop_within(2 * SECOND).await })
        .await
        .give_up()
        .await;
    runner.wait_for(State::Stopped).await;
    assert_took(since, 2 * SECOND);
}

/// How many tasks there are when a `shutdown` ends that takes so many turns.
async fn tasks_of_a_stop(turns: usize) -> usize {
    let tasks = Arc::new(AtomicUsize::new(0));
    let found = Arc::clone(&tasks);
    let service = service_fn(async |cx: Context| cx.cancelled().await).on_shutdown(move |_| {
        let found = Arc::clone(&found);
        async move {
            for _ in 0..turns {
                yield_now().await;
            }
            found.store(
                Handle::current().metrics().num_alive_tasks(),
                Ordering::Relaxed,
            );
        }
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    tasks.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_task_keeps_the_deadline_only_of_a_stop_that_takes_longer_than_a_few_turns() {
    // On a busy machine a few turns may take so long that a task is hired for them: the fewest of some stops count.
    for (turns, tasks, who) in [
        (1, 1, "the service, which calls its shutdown itself"),
        (10, 2, "and who keeps the deadline"),
    ] {
        let mut fewest = usize::MAX;
        for _ in 0..20 {
            crate::support::idle().await;
            fewest = fewest.min(tasks_of_a_stop(turns).await);
        }
        assert_eq!(fewest, tasks, "{who}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_aborted_service_has_a_turn_to_be_dropped_however_short_its_time() {
    let settings = Settings::new().abort_timeout(Duration::ZERO);
    let (runner, mut probe) = deaf(settings).await;
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::RunEnded), 1);
}
