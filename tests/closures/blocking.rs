//! `blocking_fn`: a synchronous service on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use startstop_core::{
    Cause, Context, Exit, PanicError, Phase, Runner, Service, Settings, State, StopError,
    blocking_fn,
};
use tokio::runtime::{Builder, Runtime};

use crate::support::{Broken, Caller, Latch, assert_panicked, within};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(40);

/// Sends its context, and ends when it is cancelled.
fn obedient() -> (Runner<impl Service>, Receiver<(Context, thread::ThreadId)>) {
    let (send, began) = channel();
    let service = blocking_fn(move |cx: Context| {
        send.send((cx.clone(), thread::current().id())).unwrap();
        assert!(cx.cancelled_blocking(LONG));
    });
    (Runner::new(service), began)
}

/// Takes no notice of anything until it is released.
fn deaf(latch: &Arc<Latch>, settings: Settings) -> (Runner<impl Service>, Receiver<Context>) {
    let (send, began) = channel();
    let latch = Arc::clone(latch);
    let service = blocking_fn(move |cx: Context| {
        send.send(cx).unwrap();
        latch.block();
    });
    (Runner::with_settings(service, settings), began)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_functions_name_may_be_one_that_no_thread_can_have() {
    let name = Settings::new().name("a\0b");
    let runner = Runner::with_settings(blocking_fn(|_| {}), name);
    within(runner.start()).await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_function_runs_on_a_thread_of_its_own_until_it_is_cancelled() {
    let (runner, began) = obedient();
    within(runner.start()).await.unwrap();
    let (_cx, first) = began.recv_timeout(LONG).unwrap();
    within(runner.restart()).await.unwrap();
    let (_cx, second) = began.recv_timeout(LONG).unwrap();
    assert_ne!(first, second);
    let since = Instant::now();
    within(runner.stop()).await.unwrap();
    assert!(since.elapsed() < LONG / 2, "it was woken");
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test]
async fn many_of_them_share_one_worker() {
    let services: Vec<_> = (0..8).map(|_| obedient()).collect();
    for (runner, began) in &services {
        runner.start().await.unwrap();
        tokio::task::yield_now().await;
        assert!(runner.is_running());
        began.recv_timeout(LONG).unwrap();
    }
    for (runner, _) in &services {
        runner.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_function_polls_or_waits_in_turns() {
    let service = blocking_fn(|cx: Context| {
        let mut waits = 0;
        while !cx.cancelled_blocking(Duration::from_millis(1)) {
            assert!(!cx.is_cancelled());
            waits += 1;
            if waits == 3 {
                cx.request_stop();
            }
        }
        assert!(cx.is_cancelled() && waits >= 3);
    });
    let runner = Runner::new(service);
    within(runner.start()).await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_functions_error_and_its_panic_are_recorded() {
    let runner = Runner::new(blocking_fn(|_cx| Err::<(), _>(Broken("sync"))));
    let _ = within(runner.start()).await;
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    assert_eq!(
        runner.errors_last().unwrap().error().downcast_ref(),
        Some(&Broken("sync"))
    );
    let runner = Runner::new(blocking_fn(|cx: Context| {
        assert!(cx.is_cancelled(), "sync");
    }));
    let _ = within(runner.start()).await;
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let failure = runner.errors_last().unwrap();
    assert_panicked(&failure, Phase::Run, "sync");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_function_completes_by_itself() {
    let runner = Runner::new(blocking_fn(|_cx| {}));
    within(runner.start()).await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Completed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_does_not_look_at_its_context_is_unresponsive() {
    let latch = Arc::new(Latch::default());
    let settings = Settings::new().stop_timeout(SHORT).abort_timeout(SHORT);
    let (runner, began) = deaf(&latch, settings);
    within(runner.start()).await.unwrap();
    let cx = began.recv_timeout(LONG).unwrap();
    let Err(StopError::Unresponsive(stuck)) = within(runner.stop()).await else {
        panic!()
    };
    assert_eq!(stuck.parts(), [Phase::Run]);
    assert!(cx.is_cancelled());
    assert_eq!(runner.state(), State::Stopping);
    assert!(within(runner.start()).await.is_err());
    latch.release();
    within(runner.wait_for(State::Stopped)).await;
    assert_eq!(runner.status().attempts(), 1);
}

#[test]
fn a_blocking_function_does_not_hold_up_the_end_of_the_runtime() {
    let latch = Arc::new(Latch::default());
    let (runner, began) = deaf(&latch, Settings::new());
    let (one, two) = (runtime(), runtime());
    one.block_on(within(runner.start())).unwrap();
    let cx = began.recv_timeout(LONG).unwrap();
    let waiting = runner.clone();
    let waiter = two.spawn(async move { waiting.wait().await });
    let since = Instant::now();
    drop(one);
    assert!(since.elapsed() < LONG / 4);
    assert_eq!(runner.state(), State::Stopping);
    assert!(cx.cancelled_blocking(LONG), "it is told to end");
    latch.release();
    two.block_on(within(runner.wait_for(State::Stopped)));
    assert_eq!(two.block_on(within(waiter)).unwrap(), Exit::Aborted);
    two.block_on(within(runner.start())).unwrap();
}

#[test]
fn a_stop_from_elsewhere_keeps_its_deadlines_after_the_end_of_the_runtime() {
    let latch = Arc::new(Latch::default());
    let settings = Settings::new().stop_timeout(SHORT).abort_timeout(SHORT);
    let (runner, began) = deaf(&latch, settings);
    let (one, two) = (runtime(), runtime());
    one.block_on(within(runner.start())).unwrap();
    let _cx = began.recv_timeout(LONG).unwrap();
    drop(one);
    let outcome = two.block_on(within(runner.stop()));
    assert!(
        matches!(outcome, Err(StopError::Unresponsive(_))),
        "{outcome:?}"
    );
    latch.release();
    two.block_on(within(runner.wait_for(State::Stopped)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_functions_context_can_spawn() {
    let (send, ran) = channel();
    let runner = Runner::new(blocking_fn(move |cx: Context| {
        let send = send.clone();
        cx.spawn(async move { send.send(()).unwrap() });
        cx.cancelled_blocking(LONG);
    }));
    within(runner.start()).await.unwrap();
    ran.recv_timeout(LONG).unwrap();
    within(runner.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_function_may_wait_for_its_cancellation_without_a_limit() {
    let runner = Runner::new(blocking_fn(|cx: Context| {
        assert!(cx.cancelled_blocking(Duration::MAX));
    }));
    within(runner.start()).await.unwrap();
    within(runner.stop()).await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test]
async fn a_failure_long_after_the_abort_is_in_the_history() {
    for panics in [None, Some("it went off")] {
        let latch = Arc::new(Latch::default());
        let blocked = Arc::clone(&latch);
        let service = blocking_fn(move |_cx| {
            blocked.block();
            panics.map_or(Err(Broken("late")), |message| panic!("{message}"))
        });
        let runner = Runner::with_settings(
            service,
            Settings::new().stop_timeout(SHORT).abort_timeout(SHORT),
        );
        within(runner.start()).await.unwrap();
        assert!(matches!(
            within(runner.stop()).await,
            Err(StopError::Unresponsive(_))
        ));
        latch.release();
        within(runner.wait_for(State::Stopped)).await;
        let last = runner.errors_last().unwrap();
        assert_eq!(last.phase(), Phase::Run);
        match panics {
            None => assert_eq!(last.error().downcast_ref(), Some(&Broken("late"))),
            Some(message) => {
                assert_eq!(last.cause(), Cause::Panic);
                assert_eq!(
                    last.error().downcast_ref::<PanicError>().unwrap().message(),
                    message
                );
            }
        }
    }
}

#[tokio::test]
async fn an_error_after_an_abort_on_request_is_no_failure() {
    let latch = Arc::new(Latch::default());
    let blocked = Arc::clone(&latch);
    let (send, began) = channel();
    let service = blocking_fn(move |_cx| {
        send.send(()).unwrap();
        blocked.block();
        Err::<(), _>(Broken("late"))
    });
    let runner = Runner::new(service);
    within(runner.start()).await.unwrap();
    tokio::task::yield_now().await;
    began.recv_timeout(LONG).unwrap();
    let stops = runner.clone();
    // The future of `run` is dropped; the thread goes on.
    let stop = Caller::of(async move { stops.stop_within(Duration::ZERO).await }).await;
    latch.release();
    stop.outcome().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Aborted);
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_that_does_not_return_is_the_part_that_is_stuck() {
    let latch = Arc::new(Latch::default());
    let blocked = Arc::clone(&latch);
    let service = blocking_fn(|cx: Context| {
        cx.cancelled_blocking(Duration::MAX);
    });
    let settings = Settings::new()
        .stop_timeout(10 * SHORT)
        .abort_timeout(SHORT);
    let runner = Runner::with_settings(service.on_shutdown(move |_cx| blocked.block()), settings);
    within(runner.start()).await.unwrap();
    let Err(StopError::Unresponsive(stuck)) = within(runner.stop()).await else {
        panic!()
    };
    assert_eq!(stuck.parts(), [Phase::Shutdown]);
    assert_eq!(runner.errors_last().unwrap().phase(), Phase::Shutdown);
    latch.release();
    within(runner.wait_for(State::Stopped)).await;
}
