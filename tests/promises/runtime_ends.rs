//! Promise 7: the runtime may go away in the middle of a cycle.

mod of_a_whole;
mod with_threads;

use std::future::pending;
use std::thread;
use std::time::Duration;

use startstop_core::{
    Backoff, Cause, Context, Exit, Failure, Readiness, RestartPolicy, Runner, Service, Settings,
    State, service_fn,
};
use tokio::runtime::Runtime;

use crate::support::{
    PanicsInDrop, deaf, failing, full_cycle, many_threads, one_thread, park_on, spin_until, watched,
};

#[derive(Debug, Clone, Copy)]
enum Farewell {
    Drop,
    Background,
}

impl Farewell {
    fn say(self, runtime: Runtime) {
        match self {
            Self::Drop => drop(runtime),
            Self::Background => runtime.shutdown_background(),
        }
    }
}

/// Brings the runner into the state, ends the runtime, and looks at what becomes of it.
fn ends_in<S: Service>(state: State, make: impl Fn() -> Runner<S>) {
    for farewell in [Farewell::Drop, Farewell::Background] {
        for runtime in [many_threads(), one_thread()] {
            let runner = make();
            runtime.block_on(async {
                runner.request_start();
                if state == State::Stopping {
                    runner.wait_for(State::Running).await;
                    crate::support::settle().await;
                    runner.request_stop();
                }
                runner.wait_for(state).await;
            });
            assert_eq!(runner.state(), state);
            let waits = [wait_elsewhere(&runner), wait_elsewhere(&runner)];
            farewell.say(runtime);
            for wait in waits {
                assert_eq!(
                    wait.join().expect("no panic"),
                    Exit::Aborted,
                    "{state} {farewell:?}"
                );
            }
            assert_eq!(runner.state(), State::Stopped);
            assert_eq!(runner.status().last_exit(), Exit::Aborted);
        }
    }
}

/// A waiter on a runtime of its own, which has begun to wait.
fn wait_elsewhere<S: Service>(runner: &Runner<S>) -> thread::JoinHandle<Exit> {
    let runner = runner.clone();
    let (begun, waits) = std::sync::mpsc::channel();
    let waiter = thread::spawn(move || {
        one_thread().block_on(async {
            let wait = runner.wait();
            begun.send(()).expect("it is heard");
            wait.await
        })
    });
    waits.recv().expect("it begins");
    waiter
}

#[test]
fn the_runtime_may_end_while_starting() {
    let explicit = Settings::new().readiness(Readiness::Explicit);
    watched(move || {
        ends_in(State::Starting, move || {
            Runner::with_settings(deaf(), explicit.clone())
        });
    });
}

#[test]
fn the_runtime_may_end_while_running() {
    watched(|| ends_in(State::Running, || Runner::new(deaf())));
}

#[test]
fn the_runtime_may_end_while_stopping() {
    watched(|| ends_in(State::Stopping, || Runner::new(deaf())));
    watched(|| {
        ends_in(State::Stopping, || {
            let run = service_fn(|cx: Context| async move { cx.cancelled().await });
            Runner::new(run.on_shutdown(|_| pending::<()>()))
        });
    });
}

#[test]
fn the_runtime_may_end_during_backoff() {
    let policy = RestartPolicy::always().backoff(Backoff::constant(Duration::from_secs(1000)));
    let settings = Settings::new().restart(policy);
    watched(move || {
        ends_in(State::Backoff, move || {
            Runner::with_settings(failing("x"), settings.clone())
        });
    });
}

#[test]
fn the_runtime_may_end_with_tasks_and_everything() {
    watched(|| {
        ends_in(State::Running, || {
            let run = |cx: Context| async move {
                cx.spawn(pending::<()>());
                let child = cx.clone();
                cx.spawn(async move { child.cancelled().await });
                cx.ready();
                pending::<()>().await;
            };
            let settings = Settings::new()
                .readiness(Readiness::Explicit)
                .watchdog(Duration::from_secs(1000))
                .shutdown_always(true);
            let service = service_fn(run).on_shutdown(|_| pending::<()>());
            Runner::with_settings(service, settings)
        });
    });
}

#[test]
fn the_runtime_may_end_and_the_runner_starts_on_a_new_one() {
    watched(|| {
        let runner = Runner::new(service_fn(
            |cx: Context| async move { cx.cancelled().await },
        ));
        for round in 0..50 {
            let runtime = if round % 2 == 0 {
                many_threads()
            } else {
                one_thread()
            };
            runtime.block_on(async {
                runner.start().await.expect("ready at once");
                if round % 3 > 0 {
                    full_cycle(&runner).await;
                    runner.start().await.expect("ready at once");
                }
            });
            drop(runtime);
            park_on(runner.wait_for(State::Stopped));
            assert_eq!(runner.status().last_exit(), Exit::Aborted);
        }
        one_thread().block_on(full_cycle(&runner));
    });
}

#[test]
fn the_runtime_may_end_under_a_start_that_waits_on_another() {
    watched(|| {
        let (first, second) = (many_threads(), many_threads());
        let service = service_fn(|cx: Context| async move {
            if cx.cycle() == 1 {
                pending::<()>().await;
            }
            cx.cancelled().await;
        });
        let runner = Runner::with_settings(service, Settings::new().stop_timeout(Duration::MAX));
        first.block_on(runner.start()).expect("ready at once");
        let clone = runner.clone();
        let start = second.spawn(async move { clone.start().await });
        spin_until(|| runner.state() == State::Stopping);
        drop(first);
        park_on(start)
            .expect("no panic")
            .expect("a new cycle after the end");
        assert!(runner.is_running());
        second
            .block_on(runner.stop())
            .expect("an obedient service stops");
    });
}

#[test]
fn the_runtime_may_end_under_a_pending_start_and_a_pending_stop() {
    watched(|| {
        let runtime = many_threads();
        let settings = Settings::new().readiness(Readiness::Explicit);
        let runner = Runner::with_settings(deaf(), settings.stop_timeout(Duration::MAX));
        let clone = runner.clone();
        let start = thread::spawn({
            let handle = runtime.handle().clone();
            move || {
                let _on = handle.enter();
                park_on(clone.start())
            }
        });
        spin_until(|| runner.state() == State::Starting);
        let clone = runner.clone();
        runtime.shutdown_background();
        start
            .join()
            .expect("no panic")
            .expect_err("it was never ready");
        let _ = park_on(clone.stop());
        assert_eq!(runner.state(), State::Stopped);
    });
}

#[test]
fn a_panic_in_the_drop_of_what_the_runtime_drops_is_recorded() {
    watched(|| {
        for runtime in [many_threads(), one_thread()] {
            let (begins, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
            let runner = Runner::new(service_fn(move |_| {
                let begins = begins.clone();
                async move {
                    let _fragile = PanicsInDrop("dropped by the runtime");
                    begins.send(()).expect("it is heard");
                    pending::<()>().await;
                }
            }));
            runtime.block_on(async {
                runner.start().await.expect("ready at once");
                has_begun.recv().await.expect("it begins");
            });
            drop(runtime);
            spin_until(|| runner.state() == State::Stopped);
            let causes: Vec<Cause> = runner.errors_list().iter().map(Failure::cause).collect();
            assert!(
                causes.contains(&Cause::Panic) && causes.contains(&Cause::Aborted),
                "{causes:?}"
            );
        }
    });
}
