//! Mistakes with a failure: it is lost, nobody sees it, nothing is cleaned up, it is taken for another.

use std::future::pending;

use startstop_core::{
    Cause, Context, Exit, PanicError, Phase, Runner, Settings, State, StopError, service_fn,
};

use crate::support::{Act, Event, idle, probed, within};

/// An actor of ractor that panics is not told to clean up: "in the event the actor is terminated [..] or has
/// self-panicked, `post_stop` won't be called", says its documentation, quoted in
/// <https://github.com/slawlor/ractor/issues/226>.
///
/// Here `shutdown` is the answer to a request, so it is not called by default either; but who asks for it
/// by `shutdown_always` gets it after every attempt, however that ended.
#[tokio::test(start_paused = true)]
async fn the_hook_is_called_after_a_failure_too() {
    for end in [Act::Fail("broken"), Act::Panic("broken"), Act::Complete] {
        let (runner, mut probe) = probed(Settings::new().shutdown_always(true));
        probe.tell(end);
        runner.start().await.unwrap();
        within(runner.wait()).await;
        assert_eq!(probe.count(Event::Shutdown), 1);
        assert_eq!(probe.count(Event::ShutdownEnded), 1);
    }
}

/// The `JoinError` of tokio did not show what a task has panicked with, so that projects wrote the same
/// function to get at it: <https://github.com/tokio-rs/tokio/issues/6749>.
///
/// Here the message is part of the failure and of what it prints, and can be had as a type.
#[tokio::test(start_paused = true)]
async fn the_message_of_a_panic_is_kept() {
    let (runner, probe) = probed(Settings::new());
    probe.tell(Act::Panic("index out of bounds: 3 of 2"));
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let failure = runner.errors_last().expect("it is recorded");
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Run, Cause::Panic)
    );
    let panic = failure
        .error()
        .downcast_ref::<PanicError>()
        .expect("it is a panic");
    assert_eq!(panic.message(), "index out of bounds: 3 of 2");
    assert!(
        format!("{failure:?}").contains("index out of bounds: 3 of 2"),
        "{failure:?}"
    );
}

/// A task that panicked left a process that answered all its health checks, since nobody looked at the
/// handle of that task: <https://github.com/free2z/zuu/issues/671>; likewise a background service of .NET:
/// <https://github.com/dotnet/runtime/issues/43637>.
///
/// Here the state is that of the work: once `run` has panicked no reading says "running" or "ready", and a
/// panic in a task of its context, beside which `run` goes on, is a failure that can be read at once.
#[tokio::test(start_paused = true)]
async fn a_service_that_has_panicked_is_not_said_to_run() {
    let (runner, probe) = probed(Settings::new());
    runner.start().await.unwrap();
    assert!(runner.is_running() && runner.is_ready());
    probe.tell(Act::Panic("boom"));
    within(runner.wait()).await;
    assert_eq!(runner.state(), State::Stopped);
    assert!(!runner.is_running() && !runner.is_ready());
    assert!(runner.uptime().is_zero());
    assert_eq!(runner.status().last_exit(), Exit::Failed);

    let (runner, probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.tell(Act::spawn(Act::Panic("in a task")));
    idle().await;
    let failure = runner
        .errors_last()
        .expect("a task that panics is no secret");
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Task, Cause::Panic)
    );
}

/// A worker died of a timeout of its own HTTP call: that was an `OperationCanceledException`, "assumed to be
/// part of the shutdown operation", so nobody was told and nothing was restarted:
/// <https://github.com/TechnoBerry/camunda-worker-dotnet/issues/19>.
///
/// Here no error is looked at for whether it speaks of a cancellation. What ends without having been told to
/// has failed, whatever it says, and a policy may restart it.
#[tokio::test(start_paused = true)]
async fn a_cancellation_of_something_else_is_a_failure() {
    let service = service_fn(async |_cx: Context| {
        let request = tokio::spawn(pending::<()>());
        request.abort();
        request.await
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let failure = runner.errors_last().expect("it is recorded");
    assert_eq!(failure.cause(), Cause::Error);
    let error = failure
        .error()
        .downcast_ref::<tokio::task::JoinError>()
        .expect("its own error");
    assert!(error.is_cancelled());
}

/// Errors while stopping could not be had at all:
/// <https://github.com/swift-server/swift-service-lifecycle/issues/9>; later, one that a service threw
/// during a graceful shutdown was not passed on:
/// <https://github.com/swift-server/swift-service-lifecycle/pull/153>.
///
/// Here `run`, `shutdown` and a task may each fail after the stop began: all is in the history, and `stop()`
/// says that it was no clean end.
#[tokio::test(start_paused = true)]
async fn failures_after_the_stop_began_are_kept() {
    let (runner, probe) = probed(Settings::new());
    probe.on_cancel(Act::Fail("run"));
    probe.on_shutdown(Act::Fail("shutdown"));
    runner.start().await.unwrap();
    probe.tell(Act::with(|cx| {
        let told = cx.clone();
        cx.spawn(async move {
            told.cancelled().await;
            Err::<(), _>("task")
        });
    }));
    idle().await;
    assert!(matches!(
        within(runner.stop()).await,
        Err(StopError::Failed(_))
    ));
    let mut phases: Vec<_> = runner
        .errors_list()
        .iter()
        .map(|it| it.phase().to_string())
        .collect();
    phases.sort();
    assert_eq!(phases, ["run", "shutdown", "task"]);
    assert_eq!(within(runner.wait()).await, Exit::Failed);
}
