//! The runtime ends while a thread of the service still runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc::channel};
use std::thread;
use std::time::Duration;

use startstop_core::{Context, Exit, Runner, State, blocking_fn, service_fn_with};

use crate::stress_support::{full_cycle, many_threads, one_thread, park_on, spin_until, watched};

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
                crate::stress_support::until(|| begins.try_recv().is_ok()).await;
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
