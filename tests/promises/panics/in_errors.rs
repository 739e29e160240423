//! Panics in what the service hands over: the conversion and the sources of its errors.

use std::error::Error;
use std::fmt;

use startstop_core::{BoxError, Cause, Context, Exit, Phase, Runner, Service, service_fn};

use super::{explode, has_panicked};
use crate::support::{on_each_flavour, settle, until, within};

/// An error that cannot be converted.
struct Unconvertible;

impl From<Unconvertible> for BoxError {
    fn from(_: Unconvertible) -> Self {
        explode("conversion broke");
        unreachable!()
    }
}

/// An error whose source panics.
#[derive(Debug)]
struct Sourceless;

impl fmt::Display for Sourceless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sourceless")
    }
}

impl Error for Sourceless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        explode("source broke");
        None
    }
}

struct Everywhere<E>(fn() -> E);

impl<E: Into<BoxError> + Send + 'static> Service for Everywhere<E> {
    type Error = E;

    async fn run(&self, cx: Context) -> Result<(), E> {
        cx.cancelled().await;
        Err((self.0)())
    }

    async fn shutdown(&self, _: Context) -> Result<(), E> {
        Err((self.0)())
    }
}

async fn fails_in_both<E: Into<BoxError> + Send + 'static>(
    make: fn() -> E,
) -> Runner<Everywhere<E>> {
    let runner = Runner::new(Everywhere(make));
    for _ in 0..2 {
        runner.start().await.expect("ready at once");
        settle().await;
        runner.stop().await.expect_err("both fail");
        assert_eq!(runner.wait().await, Exit::Failed);
        let failures = runner.errors_list();
        assert!(
            failures.iter().all(|it| it.cause() != Cause::Aborted),
            "{failures:?}"
        );
        assert_eq!(failures.len(), 2, "{failures:?}");
    }
    runner
}

#[test]
fn panics_are_failures_in_the_conversion_of_an_error() {
    on_each_flavour(|| {
        within(async {
            let runner = fails_in_both(|| Unconvertible).await;
            assert!(has_panicked(&runner, Phase::Run, "conversion broke"));
            assert!(has_panicked(&runner, Phase::Shutdown, "conversion broke"));
        })
    });
}

#[test]
fn panics_are_failures_in_the_source_of_an_error() {
    on_each_flavour(|| {
        within(async {
            fails_in_both(|| Sourceless).await;
        })
    });
}

#[test]
fn panics_are_failures_in_the_errors_of_a_task() {
    on_each_flavour(|| {
        within(async {
            let runner = Runner::new(service_fn(|cx: Context| async move {
                cx.spawn(async { Err::<(), _>(Unconvertible) });
                cx.spawn(async { Err::<(), _>(Sourceless) });
                cx.cancelled().await;
            }));
            runner.start().await.expect("ready at once");
            until(|| runner.errors_list().len() >= 2).await;
            settle().await;
            assert!(
                runner.is_running(),
                "a task is not the service: {:?}",
                runner.errors_list()
            );
            assert!(has_panicked(&runner, Phase::Task, "conversion broke"));
            runner
                .stop()
                .await
                .expect("the failures were before the stop");
        })
    });
}
