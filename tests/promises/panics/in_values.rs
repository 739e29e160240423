//! Panics in the drop of what the runner has kept for its service: a value in a slot, an old error.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Poll, Wake, Waker};

use startstop_core::{
    Backoff, Cause, Context, Exit, Failure, Group, Phase, Readiness, RestartPolicy, Runner,
    Service, Settings, Slot, State, StopError, service_fn, service_fn_with,
};

use super::has_panicked;
use crate::support::{
    PanicsInDrop, many_threads, on_each_flavour, one_thread, until, watched, within,
};

/// Fills a slot with what panics when it is dropped.
fn fills() -> impl Service {
    service_fn_with(Slot::new(), async |slot, cx| {
        slot.fill(&cx, PanicsInDrop("the value"));
        cx.cancelled().await;
    })
}

fn explicit() -> Settings {
    Settings::new().readiness(Readiness::Explicit)
}

#[test]
fn panics_are_failures_in_the_drop_of_a_value_in_a_slot() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::with_settings(fills(), explicit());
            for _ in 0..3 {
                runner.start().await.expect("it is filled");
                let error = runner.stop().await.expect_err("the drop panics");
                assert!(matches!(&error, StopError::Failed(it) if it.phase() == Phase::Run));
                assert_eq!(runner.state(), State::Stopped);
                assert!(has_panicked(&runner, Phase::Run, "the value"));
                assert_eq!(runner.errors_list().len(), 1, "{:?}", runner.errors_list());
                assert_eq!(runner.wait().await, Exit::Failed);
            }
        })
    });
}

#[test]
fn a_group_stops_though_the_value_of_a_member_panics_in_its_drop() {
    on_each_flavour(|| {
        within(async {
            let db = Runner::with_settings(fills(), explicit());
            let after = service_fn(|cx: Context| async move { cx.cancelled().await });
            let group = Group::builder("app")
                .with("db", db.clone())
                .then("http", after);
            let app = Runner::new(group.build().expect("two names"));
            app.start().await.expect("both start");
            app.stop().await.expect_err("the drop panics");
            assert_eq!((app.state(), db.state()), (State::Stopped, State::Stopped));
            assert!(has_panicked(&db, Phase::Run, "the value"));
        })
    });
}

#[test]
fn a_policy_restarts_though_the_value_panics_in_its_drop() {
    on_each_flavour(|| {
        within(async {
            let service = service_fn_with(Slot::new(), |slot, cx: Context| async move {
                if cx.attempt() == 1 {
                    slot.fill(&cx, PanicsInDrop("the value"));
                    return Err("the first attempt");
                }
                cx.ready();
                cx.cancelled().await;
                Ok(())
            });
            let policy = RestartPolicy::on_failure().backoff(Backoff::none());
            let runner = Runner::with_settings(service, explicit().restart(policy));
            runner.start().await.expect("the first attempt was ready");
            until(|| runner.status().attempts() == 2 && runner.is_running()).await;
            let causes: Vec<_> = runner.errors_list().iter().map(Failure::cause).collect();
            assert_eq!(causes, [Cause::Error, Cause::Panic]);
            runner
                .stop()
                .await
                .expect("the second attempt has no value");
        })
    });
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_waiter_is_woken_although_the_value_panics_in_its_drop_with_the_runtime() {
    for runtime in [one_thread, many_threads] {
        watched(move || {
            let runner = Runner::with_settings(fills(), explicit());
            let there = runtime();
            there.block_on(runner.start()).expect("it is filled");
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            let mut task = Task::from_waker(&waker);
            let mut waits = pin!(runner.wait());
            assert!(waits.as_mut().poll(&mut task).is_pending());
            drop(there);
            assert!(woken.0.load(Ordering::SeqCst));
            assert_eq!(waits.poll(&mut task), Poll::Ready(Exit::Aborted));
            assert_eq!(
                runner.errors_last().map(|it| it.cause()),
                Some(Cause::Aborted)
            );
        });
    }
}

/// The error of an attempt; that of the first panics when it is dropped.
#[derive(Debug)]
#[allow(dead_code)] // Held to be dropped.
struct Brittle(Option<PanicsInDrop>);

impl fmt::Display for Brittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("brittle")
    }
}

impl Error for Brittle {}

#[test]
fn a_policy_restarts_though_an_error_that_is_forgotten_panics_in_its_drop() {
    on_each_flavour(|| {
        within(async {
            let service = service_fn(|cx: Context| async move {
                // Failures that the history evicts are dropped later, several at once.
                if cx.attempt() < 5 {
                    let breaks = (cx.attempt() == 1).then(|| PanicsInDrop("an old error"));
                    return Err(Brittle(breaks));
                }
                cx.ready();
                cx.cancelled().await;
                Ok(())
            });
            let policy = RestartPolicy::on_failure().backoff(Backoff::none());
            let settings = explicit().restart(policy).history_capacity(1);
            let runner = Runner::with_settings(service, settings);
            runner
                .start()
                .await
                .expect("the fifth attempt does not fail");
            assert_eq!(runner.history().entries()[0].cause(), Cause::Error);
            runner.stop().await.expect("it obeys");
        })
    });
}
