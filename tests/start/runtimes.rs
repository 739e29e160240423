//! No runtime, another runtime, and the end of the runtime.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use startstop_core::{
    Cause, Context, Exit, Phase, Readiness, Runner, Service, Settings, StartError, State,
    service_fn,
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::support::{Event, Latch, probed, within};

/// Holds the worker that wakes it, so that the runtime can end right then.
struct Hold(Sender<()>, Latch);

impl Wake for Hold {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
        self.1.block();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Awaits a future without tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    for _ in 0..100 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Task::from_waker(&waker)) {
            return output;
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    panic!("it should have ended by now");
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn idle_service() -> impl Service {
    service_fn(async |cx| cx.cancelled().await)
}

#[test]
fn a_start_outside_tokio_has_no_runtime() {
    let (runner, mut probe) = probed(Settings::new());
    assert!(matches!(
        block_on(runner.start()),
        Err(StartError::NoRuntime)
    ));
    assert!(matches!(
        block_on(runner.ensure_running()),
        Err(StartError::NoRuntime)
    ));
    assert!(matches!(
        block_on(runner.restart()),
        Err(StartError::NoRuntime)
    ));
    let parent = tokio_util::sync::CancellationToken::new();
    assert!(matches!(
        block_on(runner.start_with(&parent)),
        Err(StartError::NoRuntime)
    ));
    runner.request_start();
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(
        runner.errors_last().unwrap().uptime(),
        Duration::ZERO,
        "nothing was up"
    );
    block_on(runner.stop()).unwrap();
    assert!(probe.seen().is_empty());
}

#[test]
fn a_start_without_a_runtime_does_not_spoil_the_next() {
    let runner = Runner::new(idle_service());
    assert!(block_on(runner.start()).is_err());
    let runtime = runtime();
    runtime.block_on(runner.start()).unwrap();
    assert!(runner.is_running());
    runtime.block_on(runner.stop()).unwrap();
}

#[test]
fn a_running_service_can_be_stopped_from_outside_tokio() {
    let runner = Runner::new(idle_service());
    let runtime = runtime();
    runtime.block_on(runner.start()).unwrap();
    block_on(runner.stop()).unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(block_on(runner.wait()), Exit::Stopped);
    drop(runtime);
}

#[test]
fn a_restart_from_another_runtime_moves_it_there() {
    let (send, ran_on) = channel();
    let runner = Runner::new(service_fn(move |cx: startstop_core::Context| {
        send.send(Handle::current().id()).unwrap();
        async move { cx.cancelled().await }
    }));
    let (one, two) = (runtime(), runtime());
    one.block_on(runner.start()).unwrap();
    assert_eq!(ran_on.recv().unwrap(), one.handle().id());
    two.block_on(within(runner.restart())).unwrap();
    assert_eq!(ran_on.recv().unwrap(), two.handle().id());
    drop(one);
    assert!(runner.is_running());
    two.block_on(within(runner.stop())).unwrap();
}

#[test]
fn a_request_from_outside_tokio_starts_it_where_it_ran() {
    let runner = Runner::new(idle_service());
    let runtime = runtime();
    runtime.block_on(async {
        runner.start().await.unwrap();
        runner.stop().await.unwrap();
    });
    runner.request_start();
    runtime.block_on(within(runner.wait_for(State::Running)));
    assert_eq!(
        (runner.status().cycles(), runner.errors_last().is_none()),
        (2, true)
    );
    runtime.block_on(within(runner.stop())).unwrap();
}

#[test]
fn a_task_that_is_left_when_the_runtime_ends_is_lost() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        cx.spawn(std::future::pending::<()>());
    }));
    let runtime = runtime();
    runtime.block_on(async {
        runner.start().await.unwrap();
        within(runner.wait_for(State::Stopping)).await;
    });
    drop(runtime);
    assert_eq!(
        (runner.state(), runner.status().last_exit()),
        (State::Stopped, Exit::Aborted)
    );
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.cause(), failure.phase()),
        (Cause::Aborted, Phase::Task)
    );
}

#[test]
fn the_end_of_the_runtime_stops_the_service() {
    let (runner, probe) = probed(Settings::new());
    let (one, two) = (runtime(), runtime());
    one.block_on(runner.start()).unwrap();
    let waiting = runner.clone();
    let waiter = two.spawn(async move { waiting.wait().await });
    drop(one);
    assert_eq!(two.block_on(within(waiter)).unwrap(), Exit::Aborted);
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(runner.errors_last().unwrap().cause(), Cause::Aborted);
    assert!(probe.is_quiet());
}

#[test]
fn a_service_whose_runtime_ended_starts_on_another() {
    let (runner, mut probe) = probed(Settings::new());
    let (one, two) = (runtime(), runtime());
    one.block_on(runner.start()).unwrap();
    two.block_on(probe.until(Event::Run(1, 1)));
    drop(one);
    two.block_on(within(runner.start())).unwrap();
    two.block_on(probe.until(Event::Run(2, 1)));
    two.block_on(within(runner.stop())).unwrap();
}

#[test]
fn a_pending_start_ends_with_its_runtime() {
    let settings = Settings::new().readiness(Readiness::Explicit);
    let (runner, mut probe) = probed(settings);
    let (one, two) = (runtime(), runtime());
    one.block_on(async { runner.request_start() });
    two.block_on(probe.until(Event::Run(1, 1)));
    let mut joining = Box::pin(runner.ensure_running());
    two.block_on(std::future::poll_fn(|cx| {
        assert!(joining.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    }));
    drop(one);
    let outcome = two.block_on(within(joining));
    assert!(matches!(outcome, Err(StartError::Failed(f)) if f.cause() == Cause::Aborted));
}

#[test]
fn a_stop_in_progress_ends_with_the_runtime() {
    let (runner, mut probe) = probed(Settings::new().stop_timeout(Duration::MAX));
    let (one, two) = (runtime(), runtime());
    probe.on_cancel(crate::support::Act::Hang);
    one.block_on(runner.start()).unwrap();
    let stopping = runner.clone();
    let stop = two.spawn(async move { stopping.stop().await });
    two.block_on(probe.until(Event::Cancelled));
    drop(one);
    let _ = two.block_on(within(stop)).unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(two.block_on(runner.wait()), Exit::Aborted);
}

#[test]
fn a_service_that_is_just_being_entered_ends_with_its_runtime() {
    let (runner, mut probe) = probed(Settings::new());
    let two = runtime();
    let one = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (send, woken) = channel();
    let hold = Arc::new(Hold(send, Latch::default()));
    let waker = Waker::from(Arc::clone(&hold));
    let mut start = pin!(runner.start());
    // Keep the only worker busy until the start waits, else it may be answered before.
    let (free, busy) = channel::<()>();
    one.spawn(async move { busy.recv() });
    {
        let _entered = one.enter();
        assert!(
            start
                .as_mut()
                .poll(&mut Task::from_waker(&waker))
                .is_pending()
        );
    }
    drop(free);
    woken.recv_timeout(Duration::from_secs(10)).unwrap();
    one.shutdown_background();
    hold.1.release();
    assert_eq!(two.block_on(within(runner.wait())), Exit::Aborted);
    assert_eq!(runner.state(), State::Stopped);
    assert!(probe.is_quiet());
    two.block_on(within(runner.start())).unwrap();
    two.block_on(probe.until(Event::Run(2, 1)));
}
