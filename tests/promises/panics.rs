//! Promise 6: a panic is recorded with its message, and the runner goes on.

mod in_drops;
mod in_errors;
mod in_values;

use std::any::Any;
use std::panic::panic_any;
use std::time::Duration;

use startstop_core::{
    Cause, Context, Exit, Failure, PanicError, Phase, Runner, Service, Settings, StartError, State,
    StopError, service_fn,
};

use crate::support::{PanicsInDrop, on_each_flavour, until, within};

/// The message of a failure that is a panic.
fn message(failure: &Failure) -> Option<&str> {
    let panic = failure.error().downcast_ref::<PanicError>()?;
    assert_eq!(failure.cause(), Cause::Panic);
    Some(panic.message())
}

/// Is there a panic with this message, in this phase?
fn has_panicked<S: Service>(runner: &Runner<S>, phase: Phase, text: &str) -> bool {
    let history = runner.history();
    history
        .entries()
        .iter()
        .any(|it| it.phase() == phase && message(it) == Some(text))
}

fn explode(text: &'static str) {
    panic!("{text}");
}

#[test]
fn panics_are_failures_in_run() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::new(service_fn(|_| async { explode("run broke") }));
            for cycle in 1..=3 {
                let _ = runner.start().await;
                assert_eq!(runner.wait().await, Exit::Failed);
                let last = runner.errors_last().expect("it failed");
                assert_eq!(
                    (message(&last), last.phase()),
                    (Some("run broke"), Phase::Run)
                );
                assert_eq!(last.cycle(), cycle);
            }
        })
    });
}

struct BreaksEarly;

impl Service for BreaksEarly {
    type Error = std::convert::Infallible;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        if cx.cycle() % 2 == 1 {
            explode("no future of run");
        }
        async move {
            cx.cancelled().await;
            Ok(())
        }
    }

    fn shutdown(&self, _: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        explode("no future of shutdown");
        async { Ok(()) }
    }
}

#[test]
fn panics_are_failures_before_there_is_a_future() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::new(BreaksEarly);
            for _ in 0..2 {
                let _ = runner.start().await;
                assert_eq!(runner.wait().await, Exit::Failed);
                assert!(has_panicked(&runner, Phase::Run, "no future of run"));
                runner.start().await.expect("every second cycle runs");
                crate::support::settle().await;
                let error = runner.stop().await.expect_err("shutdown panics");
                assert!(matches!(&error, StopError::Failed(it) if it.phase() == Phase::Shutdown));
                assert!(has_panicked(
                    &runner,
                    Phase::Shutdown,
                    "no future of shutdown"
                ));
            }
        })
    });
}

#[test]
fn panics_are_failures_in_shutdown() {
    on_each_flavour(|| {
        within(async {
            let service = service_fn(|cx: Context| async move { cx.cancelled().await });
            let runner = Runner::new(service.on_shutdown(|_| async {
                tokio::task::yield_now().await;
                explode("shutdown broke");
            }));
            for _ in 0..3 {
                runner.start().await.expect("ready at once");
                until(|| runner.is_running()).await;
                crate::support::settle().await;
                assert!(matches!(runner.stop().await, Err(StopError::Failed(_))));
                let last = runner.errors_last().expect("it failed");
                assert_eq!(
                    (message(&last), last.phase()),
                    (Some("shutdown broke"), Phase::Shutdown)
                );
            }
        })
    });
}

#[test]
fn panics_are_failures_in_a_task() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::new(service_fn(|cx: Context| async move {
                cx.spawn(async { explode("task broke") });
                cx.cancelled().await;
            }));
            for _ in 0..3 {
                runner.start().await.expect("ready at once");
                until(|| runner.errors_last().is_some()).await;
                assert!(has_panicked(&runner, Phase::Task, "task broke"));
                assert!(runner.is_running(), "a task is not the service");
                runner
                    .stop()
                    .await
                    .expect("the failure was before the stop");
            }
        })
    });
}

#[test]
fn panics_are_failures_with_any_payload() {
    on_each_flavour(|| {
        within(async {
            let payloads: [fn() -> Box<dyn Any + Send>; 3] = [
                || Box::new(42_u32),
                || Box::new(PanicsInDrop("of the payload")),
                || Box::new(String::from("owned")),
            ];
            for payload in payloads {
                let runner = Runner::new(service_fn(move |cx: Context| async move {
                    cx.spawn(async move { std::panic::resume_unwind(payload()) });
                    tokio::task::yield_now().await;
                    std::panic::resume_unwind(payload())
                }));
                let _ = runner.start().await;
                assert_eq!(runner.wait().await, Exit::Failed);
                let phases = runner.errors_list();
                let panics = phases.iter().filter(|it| it.cause() == Cause::Panic);
                assert_eq!(panics.count(), 2);
            }
        })
    });
}

#[tokio::test(start_paused = true)]
async fn panics_are_failures_before_the_service_was_ready() {
    within(async {
        let settings = Settings::new().readiness(startstop_core::Readiness::Explicit);
        let service = service_fn(|_| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            panic_any(7_u8)
        });
        let runner = Runner::with_settings(service, settings);
        let error = runner.start().await.expect_err("it panics");
        assert!(matches!(error, StartError::Failed(it) if it.cause() == Cause::Panic));
        assert_eq!(runner.state(), State::Stopped);
    })
    .await;
}
