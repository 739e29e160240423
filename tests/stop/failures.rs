//! Which failures a stop returns.

use startstop_core::{Cause, Exit, Failure, Phase, Settings, StopError};

use crate::support::{Act, Broken, Probe, Remote, assert_panicked, idle, probed};

async fn running() -> (startstop_core::Runner<Probe>, Remote) {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.next().await;
    (runner, probe)
}

fn failure(outcome: Result<(), StopError>) -> Failure {
    match outcome {
        Err(StopError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_after_the_stop_had_begun() {
    let (runner, probe) = running().await;
    probe.on_cancel(Act::Fail("flush"));
    let failure = failure(runner.stop().await);
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Run, Cause::Error)
    );
    assert_eq!(failure.error().downcast_ref(), Some(&Broken("flush")));
    assert_eq!(runner.wait().await, Exit::Failed);
    assert_eq!(runner.errors_list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_panics_after_the_stop_had_begun() {
    let (runner, probe) = running().await;
    probe.on_cancel(Act::Panic("flush"));
    let failure = failure(runner.stop().await);
    assert_panicked(&failure, Phase::Run, "flush");
    assert_eq!(runner.wait().await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_fails_is_recorded() {
    let (runner, probe) = running().await;
    probe.on_shutdown(Act::Fail("close"));
    let failure = failure(runner.stop().await);
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Shutdown, Cause::Error)
    );
    assert_eq!(runner.wait().await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_panics_is_recorded() {
    let (runner, probe) = running().await;
    probe.on_shutdown(Act::Panic("close"));
    let failure = failure(runner.stop().await);
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Shutdown, Cause::Panic)
    );
    runner.start().await.unwrap();
    assert!(runner.is_running(), "the runner goes on");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_after_the_stop_had_begun() {
    let (runner, probe) = running().await;
    probe.tell(Act::with(|cx| {
        let inner = cx.clone();
        cx.spawn(async move {
            inner.cancelled().await;
            Err(Broken("drain"))
        });
    }));
    idle().await;
    let failure = failure(runner.stop().await);
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Task, Cause::Error)
    );
    assert_eq!(runner.wait().await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn all_failures_of_a_stop_are_kept() {
    let (runner, probe) = running().await;
    probe.on_cancel(Act::Fail("flush"));
    probe.on_shutdown(Act::Fail("close"));
    let last = failure(runner.stop().await);
    let mut phases: Vec<_> = runner.errors_list().iter().map(Failure::phase).collect();
    phases.sort_by_key(|phase| format!("{phase:?}"));
    assert_eq!(phases, [Phase::Run, Phase::Shutdown]);
    assert!(
        runner
            .errors_list()
            .iter()
            .any(|f| f.phase() == last.phase())
    );
}

#[tokio::test(start_paused = true)]
async fn earlier_failures_do_not_count() {
    let (runner, probe) = running().await;
    probe.tell(Act::spawn(Act::Fail("a task")));
    probe.tell(Act::spawn(Act::Panic("another")));
    idle().await;
    assert_eq!(runner.errors_list().len(), 2);
    assert!(runner.is_running(), "the failure of a task ends nothing");
    runner.stop().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn reported_failures_do_not_count() {
    let (runner, probe) = running().await;
    probe.tell(Act::with(|cx| cx.report(Broken("before"))));
    probe.on_cancel(Act::with(|cx| cx.report(Broken("after"))));
    probe.on_shutdown(Act::with(|cx| cx.report(Broken("in shutdown"))));
    idle().await;
    let stopping = crate::support::stop(&runner).await;
    probe.tell(Act::Complete);
    stopping.outcome().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(runner.errors_list().len(), 3);
    assert!(
        runner
            .errors_list()
            .iter()
            .all(|f| f.cause() == Cause::Reported)
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_and_is_aborted_has_timed_out() {
    let (runner, probe) = running().await;
    probe.on_cancel(Act::Hang);
    probe.on_shutdown(Act::Fail("close"));
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    let causes: Vec<_> = runner.errors_list().iter().map(Failure::cause).collect();
    assert_eq!(causes, [Cause::Error, Cause::TimedOut]);
}

#[tokio::test(start_paused = true)]
async fn the_failure_is_there_when_stopped_is_seen() {
    let (runner, probe) = running().await;
    let mut watch = runner.subscribe();
    probe.tell(Act::Fail("gone"));
    while watch.changed().await != Some(startstop_core::State::Stopped) {}
    assert_eq!(
        runner.errors_last().unwrap().error().downcast_ref(),
        Some(&Broken("gone"))
    );
    assert_eq!(runner.wait().await, Exit::Failed);
}
