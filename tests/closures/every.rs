//! `every`: a call each period.

use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use startstop_core::{
    Cause, Context, Exit, Failure, Permanent, RestartPolicy, Runner, Service, Settings, State,
    StopError, every,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep};

use crate::support::{Broken, SECOND, assert_took, idle, stop, within};

const PERIOD: Duration = Duration::from_secs(10);

/// Each call says when it began, since the first, and takes what it is given.
fn ticking(takes: [u64; 4]) -> (Runner<impl Service>, UnboundedReceiver<Duration>) {
    let (send, calls) = unbounded_channel();
    let (since, mut takes) = (Instant::now(), takes.into_iter());
    let takes = std::sync::Mutex::new(std::iter::from_fn(move || Some(takes.next().unwrap_or(0))));
    let service = every(PERIOD, move |_cx| {
        send.send(since.elapsed()).unwrap();
        let takes = takes.lock().unwrap().next().unwrap();
        sleep(Duration::from_secs(takes))
    });
    (Runner::new(service), calls)
}

async fn expect(calls: &mut UnboundedReceiver<Duration>, seconds: u64) {
    let call = within(calls.recv()).await.unwrap();
    let off = call.abs_diff(Duration::from_secs(seconds));
    assert!(
        off <= Duration::from_millis(5),
        "{call:?} instead of {seconds} s"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_call_of_every_comes_at_once_and_then_one_each_period() {
    let (runner, mut calls) = ticking([0; 4]);
    runner.start().await.unwrap();
    for seconds in [0, 10, 20, 30] {
        expect(&mut calls, seconds).await;
    }
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_less_than_a_period_shifts_nothing() {
    let (runner, mut calls) = ticking([4, 7, 9, 0]);
    runner.start().await.unwrap();
    for seconds in [0, 10, 20, 30] {
        expect(&mut calls, seconds).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_tick_is_delayed_not_bunched() {
    let (runner, mut calls) = ticking([35, 0, 0, 0]);
    runner.start().await.unwrap();
    for seconds in [0, 35, 45, 55] {
        expect(&mut calls, seconds).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_reported_and_ends_nothing() {
    let runner = Runner::new(every(PERIOD, async |_cx| Err::<(), _>(Broken("tick"))));
    runner.start().await.unwrap();
    idle().await;
    sleep(PERIOD + SECOND).await;
    assert!(runner.is_running());
    let failures = runner.errors_list();
    assert_eq!(failures.len(), 2);
    assert!(failures.iter().all(|f| f.cause() == Cause::Reported));
    assert_eq!(failures[0].error().downcast_ref(), Some(&Broken("tick")));
    runner.stop().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_ends_it() {
    let runner = Runner::new(every(PERIOD, async |_cx| {
        Err::<(), _>(Permanent::new("gone"))
    }));
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    assert_eq!(runner.errors_list().len(), 1);
    assert_eq!(runner.errors_last().unwrap().cause(), Cause::Error);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_every() {
    let runner = Runner::new(every(PERIOD, async |cx: Context| {
        assert!(cx.is_cancelled(), "tick");
    }));
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    assert_eq!(runner.errors_last().unwrap().cause(), Cause::Panic);
}

#[test]
#[should_panic(expected = "period")]
fn every_panics_for_a_zero_period() {
    let _ = every(Duration::ZERO, async |_cx| {});
}

#[tokio::test(start_paused = true)]
async fn a_stop_between_two_calls_is_immediate() {
    let (runner, mut calls) = ticking([0; 4]);
    runner.start().await.unwrap();
    expect(&mut calls, 0).await;
    idle().await;
    let since = Instant::now();
    runner.stop().await.unwrap();
    assert_took(since, Duration::ZERO);
    assert!(calls.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_awaited() {
    let (runner, mut calls) = ticking([3, 0, 0, 0]);
    runner.start().await.unwrap();
    expect(&mut calls, 0).await;
    let since = Instant::now();
    let stopping = stop(&runner).await;
    assert_eq!(runner.state(), State::Stopping);
    stopping.outcome().await.unwrap();
    assert_took(since, 3 * SECOND);
    assert!(calls.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_is_awaited_to_the_deadline() {
    let (runner, mut calls) = ticking([60, 0, 0, 0]);
    runner.start().await.unwrap();
    expect(&mut calls, 0).await;
    let since = Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_took(since, 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_can_see_the_cancellation() {
    let runner = Runner::new(every(PERIOD, async |cx: Context| cx.cancelled().await));
    runner.start().await.unwrap();
    idle().await;
    let since = Instant::now();
    runner.stop().await.unwrap();
    assert_took(since, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_period_without_end_is_one_call() {
    let (send, mut calls) = unbounded_channel();
    let runner = Runner::new(every(Duration::MAX, move |_cx| {
        send.send(()).unwrap();
        std::future::ready(())
    }));
    runner.start().await.unwrap();
    within(calls.recv()).await.unwrap();
    idle().await;
    assert!(runner.is_running() && calls.try_recv().is_err());
    runner.stop().await.unwrap();
}

/// Yields an error that is permanent, and panics when it is dropped.
struct Bomb;

impl Future for Bomb {
    type Output = Result<(), Permanent>;

    fn poll(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Self::Output> {
        Poll::Ready(Err(Permanent::new("gone")))
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("dropped"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_ends_it_also_where_the_drop_of_the_call_panics() {
    let settings = Settings::new().restart(RestartPolicy::on_failure());
    let runner = Runner::with_settings(every(PERIOD, |_cx| Bomb), settings);
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let causes: Vec<Cause> = runner.errors_list().iter().map(Failure::cause).collect();
    assert_eq!(causes, [Cause::Panic, Cause::Error]);
    assert_eq!(runner.status().attempts(), 1);
}
