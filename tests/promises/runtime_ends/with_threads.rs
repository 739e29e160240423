//! The runtime ends while a thread of the service still runs.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use startstop_core::{
    Context, Exit, Runner, Service, Settings, StartError, State, StopError, blocking_fn,
    service_fn_with,
};
use tokio::runtime::Runtime;

use crate::support::{
    full_cycle, many_threads, one_thread, park_on, poll_once, settle, spin_until, watched,
};

#[test]
fn the_runtime_may_end_while_a_blocking_fn_still_runs() {
    watched(|| {
        for runtime in [many_threads(), one_thread()] {
            let (release, held) = channel::<()>();
            let held = Mutex::new(held);
            let cancelled = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&cancelled);
            let (tells, begins) = channel::<()>();
            let runner = Runner::new(blocking_fn(move |cx: Context| {
                let _ = tells.send(());
                while !cx.cancelled_blocking(Duration::from_secs(1)) {}
                seen.store(true, Ordering::SeqCst);
                let _ = held.lock().expect("no poison").recv();
            }));
            runtime.block_on(async {
                runner.start().await.expect("ready at once");
                crate::support::until(|| begins.try_recv().is_ok()).await;
            });
            drop(runtime);
            spin_until(|| cancelled.load(Ordering::SeqCst));
            assert_eq!(runner.state(), State::Stopping);
            let waiter = thread::spawn({
                let runner = runner.clone();
                move || park_on(runner.wait())
            });
            drop(release);
            assert_eq!(waiter.join().expect("no panic"), Exit::Aborted);
            assert_eq!(runner.state(), State::Stopped);
            one_thread().block_on(full_cycle(&runner));
        }
    });
}

#[test]
fn the_runtime_may_end_while_run_blocks_its_thread() {
    watched(|| {
        let runtime = many_threads();
        let (release, held) = channel::<()>();
        let state = (Mutex::new(held), AtomicBool::new(false));
        let runner = Runner::new(service_fn_with(state, |state, cx: Context| async move {
            if cx.cycle() == 1 {
                state.1.store(true, Ordering::SeqCst);
                let _ = state.0.lock().expect("no poison").recv();
            }
            cx.cancelled().await;
        }));
        runtime.block_on(runner.start()).expect("ready at once");
        spin_until(|| runner.service().state().1.load(Ordering::SeqCst));
        runtime.shutdown_background();
        assert_ne!(runner.state(), State::Stopped, "it still runs");
        drop(release);
        park_on(runner.wait_for(State::Stopped));
        assert_eq!(runner.status().last_exit(), Exit::Aborted);
        one_thread().block_on(full_cycle(&runner));
    });
}

fn impatient() -> Settings {
    let soon = Duration::from_millis(20);
    Settings::new().stop_timeout(soon).abort_timeout(soon)
}

#[test]
fn a_start_elsewhere_is_told_of_a_thread_that_does_not_yield() {
    watched(|| {
        for runtime in [many_threads(), one_thread()] {
            let (release, held) = channel::<()>();
            let held = Mutex::new(held);
            let (tells, begins) = channel::<()>();
            let deaf = blocking_fn(move |_| {
                let _ = tells.send(());
                let _ = held.lock().expect("no poison").recv();
            });
            let runner = Runner::with_settings(deaf, impatient());
            runtime.block_on(async {
                runner.start().await.expect("ready at once");
                crate::support::until(|| begins.try_recv().is_ok()).await;
            });
            drop(runtime);
            let elsewhere = one_thread();
            let refused = elsewhere.block_on(runner.start());
            assert!(
                matches!(refused, Err(StartError::Unresponsive)),
                "{refused:?}"
            );
            drop(release);
            park_on(runner.wait_for(State::Stopped));
            elsewhere
                .block_on(runner.start())
                .expect("it starts again, and ends by itself");
            elsewhere.block_on(runner.wait());
        }
    });
}

/// A service on a runtime of its own whose `run` blocks its thread until the sender is dropped.
fn blocked() -> (Runtime, Runner<impl Service>, Sender<()>) {
    let runtime = many_threads();
    let (release, held) = channel::<()>();
    let (tells, begins) = channel::<()>();
    let state = (Mutex::new(held), tells);
    let service = service_fn_with(state, |state, cx: Context| async move {
        let _ = state.1.send(());
        let _ = state.0.lock().expect("no poison").recv();
        cx.cancelled().await;
    });
    let runner = Runner::with_settings(service, impatient());
    runtime.block_on(runner.start()).expect("ready at once");
    begins.recv().expect("it begins");
    (runtime, runner, release)
}

fn assert_unresponsive(stopped: &Result<(), StopError>) {
    let is_given_up = matches!(stopped, Err(StopError::Unresponsive(_)));
    assert!(is_given_up, "{stopped:?}");
}

/// Lets `run` end, and then starts and stops the service on another runtime.
fn goes_on_elsewhere(runner: &Runner<impl Service>, release: Sender<()>, elsewhere: &Runtime) {
    drop(release);
    park_on(runner.wait_for(State::Stopped));
    elsewhere.block_on(full_cycle(runner));
}

#[test]
fn a_stop_elsewhere_has_its_deadline_though_run_blocks_what_is_left_of_its_runtime() {
    watched(|| {
        let (runtime, runner, release) = blocked();
        runtime.shutdown_background();
        let elsewhere = one_thread();
        let stopped = elsewhere.block_on(runner.stop());
        assert_unresponsive(&stopped);
        goes_on_elsewhere(&runner, release, &elsewhere);
    });
}

#[test]
fn a_stop_elsewhere_keeps_its_deadline_when_the_runtime_ends_under_run_that_blocks() {
    watched(|| {
        let (runtime, runner, release) = blocked();
        let elsewhere = one_thread();
        elsewhere.block_on(async {
            let mut stop = pin!(runner.stop_within(Duration::from_millis(300)));
            assert!(poll_once(&mut stop).await.is_none());
            runtime.shutdown_background();
            let stopped = stop.await;
            assert_unresponsive(&stopped);
        });
        goes_on_elsewhere(&runner, release, &elsewhere);
    });
}

#[test]
fn a_stop_that_waits_elsewhere_keeps_its_deadline_when_the_runtime_ends_with_its_keeper() {
    watched(|| {
        let (runtime, runner, release) = blocked();
        let elsewhere = one_thread();
        let ends = async {
            // Let the deadline task begin.
            settle().await;
            runtime.shutdown_background();
        };
        let stop = runner.stop_within(Duration::from_millis(300));
        let (stopped, ()) = elsewhere.block_on(async { tokio::join!(stop, ends) });
        assert_unresponsive(&stopped);
        goes_on_elsewhere(&runner, release, &elsewhere);
    });
}
