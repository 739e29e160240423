//! Panics in the drop of the futures: at their end, and by an abort.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use startstop_core::{
    Context, Exit, Phase, Runner, Settings, State, StopError, service_fn, service_fn_with,
};
use tokio::sync::Notify;

use super::has_panicked;
use crate::support::{PanicsInDrop, full_cycle, on_each_flavour, settle, within};

/// Is ready as the inner one is, and panics when it is dropped.
struct Fragile<F>(Pin<Box<F>>, PanicsInDrop);

impl<F: Future> Fragile<F> {
    fn new(text: &'static str, future: F) -> Self {
        Self(Box::pin(future), PanicsInDrop(text))
    }
}

impl<F: Future> Future for Fragile<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let _ = &self.1;
        self.0.as_mut().poll(task)
    }
}

fn short() -> Settings {
    Settings::new().stop_timeout(Duration::from_millis(100))
}

struct FragileRun;

impl startstop_core::Service for FragileRun {
    type Error = std::convert::Infallible;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        Fragile::new("drop of run", async move {
            cx.cancelled().await;
            Ok(())
        })
    }

    fn shutdown(&self, _: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        Fragile::new("drop of shutdown", async { Ok(()) })
    }
}

#[test]
fn panics_are_failures_in_the_drop_of_futures_that_have_ended() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::new(FragileRun);
            for _ in 0..3 {
                runner.start().await.expect("ready at once");
                settle().await;
                let error = runner.stop().await.expect_err("the drops panic");
                assert!(matches!(error, StopError::Failed(_)));
                assert!(has_panicked(&runner, Phase::Run, "drop of run"));
                assert!(has_panicked(&runner, Phase::Shutdown, "drop of shutdown"));
                assert_eq!(runner.errors_list().len(), 2);
            }
        })
    });
}

struct FragileHang;

impl startstop_core::Service for FragileHang {
    type Error = std::convert::Infallible;

    fn run(&self, _: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        Fragile::new("drop of run", pending())
    }

    fn shutdown(&self, _: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        Fragile::new("drop of shutdown", pending())
    }
}

#[test]
fn panics_are_failures_in_the_drop_of_futures_that_are_aborted() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::with_settings(FragileHang, short());
            for _ in 0..3 {
                runner.start().await.expect("ready at once");
                settle().await;
                assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
                assert_eq!(runner.state(), State::Stopped);
                assert!(has_panicked(&runner, Phase::Run, "drop of run"));
                assert!(has_panicked(&runner, Phase::Shutdown, "drop of shutdown"));
            }
        })
    });
}

#[test]
fn panics_are_failures_in_the_drop_of_tasks() {
    on_each_flavour(|| {
        within(async {
            let spawned = Arc::new(Notify::new());
            let service = service_fn_with(Arc::clone(&spawned), |spawned, cx| async move {
                cx.spawn(Fragile::new("drop at the end", async {}));
                cx.spawn(Fragile::new("drop by abort", pending::<()>()));
                spawned.notify_one();
                cx.cancelled().await;
            });
            let runner = Runner::with_settings(service, short());
            for _ in 0..3 {
                runner.start().await.expect("ready at once");
                spawned.notified().await;
                assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
                assert!(has_panicked(&runner, Phase::Task, "drop at the end"));
                assert!(has_panicked(&runner, Phase::Task, "drop by abort"));
            }
        })
    });
}

#[test]
fn panics_are_failures_in_the_drop_of_tasks_that_were_never_polled() {
    on_each_flavour(|| {
        within(async {
            let spawned = Arc::new(AtomicBool::new(false));
            let tells = Arc::clone(&spawned);
            let runner = Runner::new(service_fn(move |cx: Context| {
                let spawned = Arc::clone(&tells);
                async move {
                    cx.spawn(Fragile::new("drop unpolled", async {}));
                    spawned.store(true, Ordering::SeqCst);
                    pending::<()>().await;
                }
            }));
            runner.start().await.expect("ready at once");
            let _ = runner.stop_within(Duration::ZERO).await;
            assert_eq!(runner.state(), State::Stopped);
            settle().await;
            if spawned.load(Ordering::SeqCst) {
                assert!(has_panicked(&runner, Phase::Task, "drop unpolled"));
            }
            assert!(runner.start().await.is_ok());
            let _ = runner.stop_within(Duration::ZERO).await;
        })
    });
}

#[test]
fn panics_are_failures_in_the_drop_of_a_run_that_has_failed() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::new(service_fn(|cx: Context| async move {
                if cx.cycle() == 1 {
                    let _held = PanicsInDrop("second");
                    return Err("first");
                }
                cx.cancelled().await;
                Ok(())
            }));
            let _ = runner.start().await;
            assert_eq!(runner.wait().await, Exit::Failed);
            assert!(runner.errors_last().is_some());
            full_cycle(&runner).await;
        })
    });
}
