//! The exit code of `run` and `main`, and the runner that they share; within this process.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context as Task, Poll, Waker};

use startstop_core::{
    BoxError, Context, Permanent, Runner, Settings, State, WithExitCode, main, main_on, once, run,
    service_fn,
};

use crate::support::{poll_once, within};

/// Shows only the source of what it wraps.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Transparent(WithExitCode);

/// Its source panics when it is asked for.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("out of cheese")
    }
}

fn with_code() -> WithExitCode {
    WithExitCode::new("no such key", 78)
}

async fn code_of(error: impl Fn() -> BoxError + Send + Sync + 'static) -> ExitCode {
    let error = std::sync::Arc::new(error);
    within(run(once(move |_: Context| {
        let error = error();
        async move { Err::<(), _>(error) }
    })))
    .await
}

#[tokio::test]
async fn an_exit_code_is_found_through_whatever_wraps_it() {
    let found = ExitCode::from(78);
    assert_eq!(code_of(|| with_code().into()).await, found);
    assert_eq!(code_of(|| Transparent(with_code()).into()).await, found);
    assert_eq!(
        code_of(|| io::Error::other(with_code()).into()).await,
        found
    );
    assert_eq!(
        code_of(|| anyhow::Error::from(with_code()).into()).await,
        found
    );
    assert_eq!(
        code_of(|| anyhow::Error::from(with_code()).context("config").into()).await,
        found
    );
    assert_eq!(code_of(|| Permanent::new(with_code()).into()).await, found);
    assert_eq!(
        code_of(|| WithExitCode::new(Permanent::new("gone"), 78).into()).await,
        found
    );
    assert_eq!(
        code_of(|| WithExitCode::new(WithExitCode::new("x", 1), 78).into()).await,
        found
    );
}

#[tokio::test]
async fn without_an_exit_code_a_failure_is_1() {
    assert_eq!(code_of(|| "no such key".into()).await, ExitCode::FAILURE);
    assert_eq!(code_of(|| Broken.into()).await, ExitCode::FAILURE);
}

#[tokio::test]
async fn a_failure_that_was_only_reported_leaves_the_code_alone() {
    let job = once(async |cx: Context| cx.report(with_code()));
    assert_eq!(within(run(job)).await, ExitCode::SUCCESS);
}

#[tokio::test]
async fn a_clone_that_is_run_is_no_part_of_another_runner() {
    let job = once(async |_: Context| Err::<(), _>("no such key"));
    let runner = Runner::with_settings(job, Settings::new().name("job"));
    assert_eq!(within(run(runner.clone())).await, ExitCode::FAILURE);
    assert_eq!(runner.errors_last().expect("it has failed").path(), "job");
    assert_eq!(runner.status().cycles(), 1);
}

#[tokio::test]
async fn a_run_that_is_dropped_stops_the_service() {
    let runner = Runner::new(service_fn(async |cx: Context| cx.cancelled().await));
    let mut running = Box::pin(run(runner.clone()));
    assert!(poll_once(&mut running).await.is_none());
    within(runner.wait_for(State::Running)).await;
    drop(running);
    within(runner.wait_for(State::Stopped)).await;
}

#[test]
fn a_run_outside_of_a_runtime_fails() {
    let run = pin!(run(once(async |_: Context| ())));
    let code = run.poll(&mut Task::from_waker(Waker::noop()));
    assert_eq!(code, Poll::Ready(ExitCode::FAILURE));
}

#[tokio::test]
async fn a_whole_program_may_be_called_within_a_runtime() {
    assert_eq!(main(once(async |_: Context| ())), ExitCode::SUCCESS);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the system has room for a runtime");
    assert_eq!(
        main_on(runtime, once(async |_: Context| ())),
        ExitCode::SUCCESS
    );
}

#[tokio::test]
async fn a_program_on_a_runtime_without_timers_fails_in_words() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("the system has room for a runtime");
    assert_eq!(
        main_on(runtime, once(async |_: Context| ())),
        ExitCode::FAILURE
    );
}
