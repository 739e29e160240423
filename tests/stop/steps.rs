//! Cancellation, `shutdown` beside `run`, and the end of all parts.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::Poll;

use startstop_core::{Context, Exit, Runner, Service, Settings, State};
use tokio::sync::Notify;

use crate::support::{Act, Event, SECOND, idle, probed, stop};

#[tokio::test(start_paused = true)]
async fn a_stop_cancels_the_context_and_calls_shutdown_once_while_run_goes_on() {
    let (runner, mut probe) = probed(Settings::new());
    probe.on_cancel(Act::Hang);
    runner.start().await.unwrap();
    let stopping = stop(&runner).await;
    assert_eq!(runner.state(), State::Stopping);
    assert_eq!(probe.count(Event::Cancelled), 1);
    assert_eq!(probe.count(Event::ShutdownEnded), 1);
    assert_eq!(probe.count(Event::RunEnded), 0);
    probe.tell(Act::Complete);
    stopping.outcome().await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

/// Its `shutdown` has done all there is to do when it returns a future, which has no size.
struct Light(Notify);

impl Service for Light {
    type Error = Infallible;

    async fn run(&self, _: Context) -> Result<(), Infallible> {
        self.0.notified().await;
        Ok(())
    }

    fn shutdown(&self, _: Context) -> impl Future<Output = Result<(), Infallible>> + Send {
        self.0.notify_one();
        poll_fn(|_| Poll::Ready(Ok(())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_whose_future_takes_no_space_is_called_too() {
    let runner = Runner::new(Light(Notify::new()));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn stopped_waits_for_shutdown() {
    let (runner, mut probe) = probed(Settings::new());
    probe.on_shutdown(Act::Hang);
    runner.start().await.unwrap();
    probe.next().await;
    let stopping = stop(&runner).await;
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(runner.state(), State::Stopping);
    assert!(stopping.outcome().await.is_err());
    assert_eq!(probe.count(Event::ShutdownEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn stopped_waits_for_the_tasks() {
    let (runner, mut probe) = probed(Settings::new());
    probe.tell(Act::spawn(Act::Ready));
    runner.start().await.unwrap();
    idle().await;
    runner.stop().await.unwrap();
    assert_eq!(probe.count(Event::TaskEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn stopped_waits_for_a_task_that_takes_its_time() {
    let (runner, mut probe) = probed(Settings::new());
    probe.tell(Act::spawn(Act::Hang));
    runner.start().await.unwrap();
    idle().await;
    let stopping = stop(&runner).await;
    assert_eq!(probe.count(Event::RunEnded), 1);
    assert_eq!(runner.state(), State::Stopping);
    assert!(stopping.outcome().await.is_err());
    assert_eq!(probe.count(Event::TaskEnded), 1);
}

#[tokio::test(start_paused = true)]
async fn every_concurrent_caller_gets_the_same_outcome() {
    let (runner, probe) = probed(Settings::new());
    probe.on_cancel(Act::Fail("at the end"));
    probe.on_shutdown(Act::Hang);
    runner.start().await.unwrap();
    let callers = [
        stop(&runner).await,
        stop(&runner).await,
        stop(&runner).await,
    ];
    runner.request_stop();
    for caller in callers {
        assert!(matches!(
            caller.outcome().await,
            Err(startstop_core::StopError::TimedOut)
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_run_was_entered_calls_neither_run_nor_shutdown() {
    let (runner, mut probe) = probed(Settings::new());
    runner.request_start();
    runner.request_stop();
    runner.stop().await.unwrap();
    idle().await;
    assert!(probe.seen().is_empty());
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stop_during_start_is_not_lost() {
    for _ in 0..200 {
        let (runner, probe) = probed(Settings::new());
        let starter = runner.clone();
        let start = tokio::spawn(async move { starter.start().await });
        runner.request_start();
        runner.stop().await.unwrap();
        // A start that comes after the stop starts again; one before it does not.
        let _ = crate::support::within(start).await.unwrap();
        runner.stop().await.unwrap();
        assert_eq!(runner.state(), State::Stopped);
        assert!(probe.is_quiet());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shutdown_goes_on_while_run_blocks_and_alone_can_free_it() {
    let (runner, mut probe) = probed(Settings::new());
    probe.on_shutdown(Act::Release);
    probe.tell(Act::Block);
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    crate::support::within(runner.stop()).await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn run_goes_on_while_shutdown_blocks_its_thread() {
    let (runner, mut probe) = probed(Settings::new().stop_timeout(20 * SECOND));
    probe.on_shutdown(Act::Block);
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    runner.request_stop();
    probe.until(Event::RunEnded).await;
    assert_eq!(runner.state(), State::Stopping);
    probe.release();
    crate::support::within(runner.stop()).await.unwrap();
}
