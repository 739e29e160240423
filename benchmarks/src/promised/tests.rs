//! That the promises are kept.

mod deadlines;
mod failures;

use std::error::Error;
use std::fmt;
use std::future::{self, Future};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context as Poller, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::failure::{Cause, Exit, Failure, Phase, StartError, StopError};
use super::synced::State;
use super::{Context, Runner, Service, Settings};

type Done = Pin<Box<dyn Future<Output = Result<(), Wrong>> + Send>>;

type Run<const HOOKED: bool> = dyn Fn(Context<Of<HOOKED>>) -> Done + Send + Sync;

/// A service of functions.
struct Of<const HOOKED: bool> {
    run: Box<Run<HOOKED>>,
    hook: Box<dyn Fn() -> Done + Send + Sync>,
}

impl<const HOOKED: bool> Service for Of<HOOKED> {
    type Error = Wrong;
    const HAS_SHUTDOWN: bool = HOOKED;

    fn run(&self, cx: Context<Self>) -> impl Future<Output = Result<(), Wrong>> + Send {
        (self.run)(cx)
    }

    fn shutdown(&self) -> impl Future<Output = Result<(), Wrong>> + Send {
        (self.hook)()
    }
}

fn only(run: impl Fn(Context<Of<false>>) -> Done + Send + Sync + 'static) -> Runner<Of<false>> {
    let service = Of {
        run: Box::new(run),
        hook: Box::new(|| unreachable!("it has none")),
    };
    Runner::new(service, Settings::default())
}

fn hooked(
    settings: Settings,
    run: impl Fn(Context<Of<true>>) -> Done + Send + Sync + 'static,
    hook: impl Fn() -> Done + Send + Sync + 'static,
) -> Runner<Of<true>> {
    let service = Of {
        run: Box::new(run),
        hook: Box::new(hook),
    };
    Runner::new(service, settings)
}

#[derive(Debug)]
struct Wrong;

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong")
    }
}

impl Error for Wrong {}

fn done(work: impl Future<Output = Result<(), Wrong>> + Send + 'static) -> Done {
    Box::pin(work)
}

/// Waits for its stop.
fn idle<S: Service>(cx: Context<S>) -> Done {
    done(async move {
        cx.cancelled().await;
        Ok(())
    })
}

fn short() -> Settings {
    Settings {
        stop_timeout: Duration::from_millis(100),
        abort_timeout: Duration::from_millis(100),
        ..Settings::default()
    }
}

impl<S: Service> Runner<S> {
    fn state(&self) -> State {
        self.0.load().0
    }

    fn history(&self) -> Vec<Failure> {
        self.0.lock().history.entries.iter().cloned().collect()
    }

    fn causes(&self) -> Vec<(Phase, Cause)> {
        let failures = self.history();
        failures.iter().map(|it| (it.phase, it.cause)).collect()
    }
}

/// Polls once and drops it.
fn polled_once(future: impl Future) {
    let _ = pin!(future).poll(&mut Poller::from_waker(Waker::noop()));
}

#[tokio::test]
async fn a_service_starts_stops_and_restarts() {
    let runner = only(idle);
    for _ in 0..3 {
        runner.start().await.expect("it starts");
        assert!(runner.is_running());
        runner.restart().await.expect("it restarts");
        runner
            .start()
            .await
            .expect("a start of what runs is a restart");
        assert!(runner.is_running());
        runner.stop().await.expect("it stops");
        assert_eq!(
            (runner.state(), runner.uptime()),
            (State::Stopped, Duration::ZERO)
        );
    }
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(runner.0.lock().epoch, 9);
}

#[tokio::test]
async fn a_stop_whose_future_is_dropped_still_stops() {
    let runner = only(idle);
    runner.start().await.expect("it starts");
    polled_once(runner.stop());
    assert_eq!(runner.state(), State::Stopping);
    assert_eq!(runner.wait().await, Exit::Stopped);
    polled_once(runner.start());
    runner.start().await.expect("it joins");
    polled_once(runner.restart());
    tokio::task::yield_now().await;
    assert!(runner.is_running());
    assert_eq!(runner.0.lock().cycle, 3);
}

#[tokio::test]
async fn a_start_that_is_stopped_does_not_call_run() {
    let entered = Arc::new(AtomicBool::new(false));
    let enters = Arc::clone(&entered);
    let runner = only(move |cx| {
        enters.store(true, Ordering::Relaxed);
        idle(cx)
    });
    let (started, stopped) = tokio::join!(runner.start(), runner.stop());
    assert!(matches!(started, Err(StartError::Stopped)));
    stopped.expect("nothing ran");
    tokio::task::yield_now().await;
    assert!(!entered.load(Ordering::Relaxed));
    assert!(!runner.0.lock().driven);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_after_a_start_is_not_lost_in_any_order() {
    let alive = Arc::new(AtomicUsize::new(0));
    let lives = Arc::clone(&alive);
    let runner = only(move |cx| {
        assert_eq!(lives.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
        let lives = Arc::clone(&lives);
        done(async move {
            cx.cancelled().await;
            tokio::task::yield_now().await;
            lives.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
    });
    for round in 0..2_000 {
        let other = runner.clone();
        let asks = tokio::spawn(async move {
            match round % 3 {
                0 => drop(other.start().await),
                1 => drop(other.restart().await),
                _ => other.request_start(),
            }
            other.stop().await
        });
        let _ = runner.start().await;
        if round % 2 == 0 {
            let _ = runner.restart().await;
        }
        asks.await.expect("it does not panic").expect("it stops");
        runner.stop().await.expect("it stops");
        assert_eq!(runner.state(), State::Stopped);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
    assert!(runner.causes().is_empty());
}

#[tokio::test]
async fn callers_share_an_outcome() {
    let hook = || done(future::ready(Err(Wrong)));
    let runner = hooked(Settings::default(), idle, hook);
    let (first, second) = tokio::join!(runner.start(), runner.start());
    first.and(second).expect("they share a start");
    let (first, second, exit) = tokio::join!(runner.stop(), runner.stop(), runner.wait());
    for stopped in [first, second] {
        let Err(StopError::Failed(failure)) = stopped else {
            panic!("its shutdown has failed");
        };
        assert_eq!(
            (failure.phase, failure.cause),
            (Phase::Shutdown, Cause::Error)
        );
        assert!(failure.error.is::<Wrong>());
    }
    assert_eq!((exit, runner.failures()), (Exit::Failed, 1));
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in its drop");
    }
}

#[test]
fn the_end_of_the_runtime_ends_the_service() {
    let runtime = Builder::new_current_thread()
        .build()
        .expect("it can be built");
    let runner = only(idle);
    runtime.block_on(runner.start()).expect("it starts");
    let waits = runner.clone();
    let waiter = thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .build()
            .expect("it can be built");
        runtime.block_on(waits.wait())
    });
    drop(runtime);
    assert_eq!(waiter.join().expect("it does not panic"), Exit::Aborted);
    assert_eq!(runner.causes(), [(Phase::Run, Cause::Aborted)]);
    assert!(matches!(
        futures(runner.start()),
        Err(StartError::NoRuntime)
    ));
    let other = Builder::new_current_thread()
        .build()
        .expect("it can be built");
    other
        .block_on(runner.start())
        .expect("it starts on another");
    other.block_on(runner.stop()).expect("and stops");
}

/// What is ready at once, outside of any runtime.
fn futures<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Poller::from_waker(Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it is ready at once"),
    }
}

#[test]
fn a_restart_from_another_runtime_moves_it_there() {
    let runtimes = [(); 2].map(|()| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).build().expect("it can be built")
    });
    let ids = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&ids);
    let runner = only(move |cx| {
        let here = tokio::runtime::Handle::current().id();
        noted.lock().expect("nobody panics").push(here);
        idle(cx)
    });
    for runtime in &runtimes {
        runtime.block_on(runner.restart()).expect("it restarts");
    }
    runtimes[0].block_on(runner.stop()).expect("it stops");
    let found = ids.lock().expect("nobody panics").clone();
    assert_eq!(found, runtimes.map(|runtime| runtime.handle().id()));
}

#[tokio::test]
async fn the_last_handle_asks_for_a_stop() {
    let ended = Arc::new(Notify::new());
    let ends = Arc::clone(&ended);
    let runner = only(move |cx| {
        let ends = Arc::clone(&ends);
        done(async move {
            cx.cancelled().await;
            ends.notify_one();
            Ok(())
        })
    });
    runner.start().await.expect("it starts");
    let other = runner.clone();
    drop(runner);
    assert!(other.is_running());
    drop(other);
    ended.notified().await;
}

#[tokio::test]
async fn another_task_that_waits_for_the_stop_is_woken() {
    let runner = only(|cx| {
        done(async move {
            tokio::spawn(async move { cx.cancelled().await })
                .await
                .expect("it does not panic");
            Ok(())
        })
    });
    runner.start().await.expect("it starts");
    tokio::task::yield_now().await;
    runner.stop().await.expect("it stops");
}
