//! Mistakes of a stop: it comes too early, takes for ever, ends too soon, or blocks another.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Context, Exit, Group, GroupError, Phase, Readiness, Runner, Settings, StartError, State,
    StopError, blocking_fn, service_fn,
};
use tokio::time::Instant;

use crate::support::{
    Act, Caller, Event, SECOND, assert_took, many_threads, probed, stop as begin_stop, until,
    watched, within,
};

/// A group of services that was told to stop before it got to run counted as one that had run and ended
/// well; none of its services did its work or its cleaning up:
/// <https://github.com/swift-server/swift-service-lifecycle/issues/248>.
///
/// Here a start that says `Ok` has entered `run`, which then sees the stop and does its last things. One
/// that a stop has overtaken says `Stopped`, so that the two can be told apart.
#[tokio::test(start_paused = true)]
async fn a_stop_right_after_the_start_loses_no_work() {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert_eq!(probe.seen()[0], Event::Run(1, 1));
    for last_thing in [
        Event::Cancelled,
        Event::RunEnded,
        Event::Shutdown,
        Event::ShutdownEnded,
    ] {
        assert_eq!(probe.count(last_thing), 1, "{last_thing:?}");
    }

    let start = runner.start();
    let both = async { tokio::join!(start, async { runner.request_stop() }) };
    assert!(matches!(within(both).await.0, Err(StartError::Stopped)));
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.count(Event::Run(2, 1)), 0);
}

/// Some of eleven services swallowed the cancellation and never returned, and left a server "in a
/// half-working state indefinitely", since a stop has no limit unless one is set:
/// <https://github.com/swift-server/swift-service-lifecycle/issues/207>.
///
/// Here a stop has a limit unless it is taken away. At the limit `run` is dropped, `stop()` says so, and
/// nothing of it is left.
#[tokio::test(start_paused = true)]
async fn a_run_that_ignores_its_stop_does_not_hold_it_up() {
    let (runner, mut probe) = probed(Settings::new());
    probe.on_cancel(Act::Hang);
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    let since = Instant::now();
    assert!(matches!(
        within(runner.stop()).await,
        Err(StopError::TimedOut)
    ));
    assert_took(since, 5 * SECOND);
    assert_eq!(runner.state(), State::Stopped);
    assert!(probe.is_quiet());
}

/// A timeout around a future never comes while that future holds the thread that would look at the clock:
/// <https://github.com/tokio-rs/tokio/issues/1035>.
///
/// Here the deadline is kept by another task than the one it is about. `stop()` returns, names the part that
/// is stuck, and says that the service still runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deadline_holds_for_a_run_that_blocks_its_thread() {
    let short = Duration::from_millis(40);
    let (runner, mut probe) = probed(Settings::new().stop_timeout(short).abort_timeout(short));
    probe.tell(Act::Block);
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    let Err(StopError::Unresponsive(stuck)) = within(runner.stop()).await else {
        panic!("it is stuck");
    };
    assert_eq!(stuck.parts(), [Phase::Run]);
    assert_eq!(runner.state(), State::Stopping);
    probe.release();
    within(runner.wait_for(State::Stopped)).await;
}

/// A caller that waited for the end of an actor went on before its `on_stop` had ended:
/// <https://github.com/tqwewe/kameo/issues/151>, and the same in
/// <https://github.com/slawlor/ractor/issues/254>.
///
/// Here `stop()` returns when `run`, `shutdown` and all tasks have ended, not before.
#[tokio::test(start_paused = true)]
async fn a_stop_returns_after_its_hook() {
    let done = Arc::new(AtomicBool::new(false));
    let closes = Arc::clone(&done);
    let service = service_fn(async |cx: Context| cx.cancelled_owned().await);
    let service = service.on_shutdown(move |_cx| {
        let closes = Arc::clone(&closes);
        async move {
            tokio::time::sleep(SECOND).await;
            closes.store(true, Ordering::SeqCst);
        }
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    let stop = begin_stop(&runner).await;
    assert!(stop.is_waiting() && !done.load(Ordering::SeqCst));
    assert_eq!(runner.state(), State::Stopping);
    stop.outcome().await.unwrap();
    assert!(done.load(Ordering::SeqCst));
}

/// A service added to a supervisor that was stopping, or had stopped, blocked the caller for ever:
/// <https://github.com/thejerf/suture/issues/41>.
///
/// Here an insert during a stop is refused, and one that waits when the stop comes is answered as well.
#[tokio::test(start_paused = true)]
async fn an_insert_and_a_stop_do_not_block_each_other() {
    let deaf = || service_fn(async |_cx: Context| pending::<()>().await);
    let app = Runner::new(Group::builder("app").with("a", deaf()).build().unwrap());
    app.start().await.unwrap();
    let slow = Runner::with_settings(deaf(), Settings::new().readiness(Readiness::Explicit));
    let group = app.service().clone();
    let waiting = Caller::of(async move { group.insert("slow", slow).await }).await;
    assert!(waiting.is_waiting());
    let stop = begin_stop(&app).await;
    assert!(stop.is_waiting());

    let refused = within(app.service().insert("late", deaf())).await;
    assert!(matches!(refused, Err(GroupError::Stopping)), "{refused:?}");
    assert!(waiting.outcome().await.is_err());
    assert!(stop.outcome().await.is_err(), "they had to be aborted");
    assert_eq!(app.state(), State::Stopped);
}

/// A program whose `main` had ended went on until the last closure of the blocking pool returned, which may
/// be never: <https://github.com/tokio-rs/tokio/issues/5338>, found through
/// <https://github.com/Finomnis/tokio-graceful-shutdown/issues/50>.
///
/// Here a blocking service has a thread of its own. The runtime ends without it, the runner says that it is
/// still stopping, and it has stopped when the thread has ended.
#[test]
fn a_blocking_service_does_not_keep_the_runtime() {
    watched(|| {
        let (entered, enters) = channel();
        let (release, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let deaf = blocking_fn(move |_cx| {
            let _ = entered.send(());
            let _ = gate.lock().expect("nobody panics under it").recv();
        });
        let runner = Runner::new(deaf);
        let runtime = many_threads();
        runtime.block_on(runner.start()).unwrap();
        enters.recv().expect("it is entered");
        drop(runtime);
        assert_eq!(runner.state(), State::Stopping);
        drop(release);
        let elsewhere = many_threads();
        elsewhere.block_on(until(|| runner.state() == State::Stopped));
        assert_eq!(elsewhere.block_on(runner.wait()), Exit::Aborted);
    });
}
