//! A runner as the service of a runner.

use startstop_core::{Exit, Readiness, Runner, Settings, StartError, State, StopError};

use crate::support::{Act, Broken, Event, Probe, Remote, idle, probed, start, stop, wait};

type Nested = (Runner<Runner<Probe>>, Runner<Probe>, Remote);

fn nested(settings: Settings) -> Nested {
    let (inner, probe) = probed(settings);
    (Runner::new(inner.clone()), inner, probe)
}

async fn running() -> Nested {
    let (outer, inner, mut probe) = nested(Settings::new());
    outer.start().await.unwrap();
    assert_eq!(probe.next().await, Event::Run(1, 1));
    (outer, inner, probe)
}

#[tokio::test(start_paused = true)]
async fn a_start_of_the_outer_starts_the_inner() {
    let (outer, inner, mut probe) = running().await;
    assert!(outer.is_running() && inner.is_running());
    outer.stop().await.unwrap();
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(probe.count(Event::Shutdown), 1);
    assert_eq!(
        (outer.wait().await, inner.wait().await),
        (Exit::Stopped, Exit::Stopped)
    );
}

#[tokio::test(start_paused = true)]
async fn the_outer_is_ready_when_the_inner_is() {
    let (outer, inner, probe) = nested(Settings::new().readiness(Readiness::Explicit));
    let first = start(&outer).await;
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Starting, State::Starting)
    );
    probe.tell(Act::Ready);
    first.outcome().await.unwrap();
    assert!(outer.is_ready() && inner.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_of_the_inner_fails_that_of_the_outer() {
    let (outer, inner, probe) = nested(Settings::new().readiness(Readiness::Explicit));
    probe.tell(Act::Fail("no port"));
    let Err(StartError::Failed(failure)) = outer.start().await else {
        panic!()
    };
    let mut error: &(dyn std::error::Error + 'static) = failure.error();
    while let Some(source) = error.source() {
        error = source;
    }
    assert_eq!(
        error.downcast_ref(),
        Some(&Broken("no port")),
        "found at the end of the chain"
    );
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_inner_ends_the_outer() {
    for (act, exit) in [
        (Act::Complete, Exit::Completed),
        (Act::Fail("x"), Exit::Failed),
    ] {
        let (outer, inner, probe) = running().await;
        let end = wait(&outer).await;
        probe.tell(act);
        assert_eq!(end.outcome().await, exit);
        assert_eq!(inner.wait().await, exit);
        assert_eq!(outer.errors_list().len(), inner.errors_list().len());
    }
}

#[tokio::test(start_paused = true)]
async fn an_inner_that_is_stopped_by_hand_has_not_failed() {
    let (outer, inner, _probe) = running().await;
    inner.stop().await.unwrap();
    assert!(crate::support::within(outer.wait()).await.is_success());
    assert!(outer.errors_last().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_inner_that_restarts_does_not_end_the_outer() {
    let (outer, inner, mut probe) = running().await;
    inner.restart().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    idle().await;
    assert!(outer.is_running());
    assert_eq!(outer.status().cycles(), 1);
    outer.stop().await.unwrap();
    assert_eq!(inner.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_running_inner_is_adopted_as_it_is() {
    let (outer, inner, mut probe) = nested(Settings::new());
    inner.start().await.unwrap();
    probe.next().await;
    outer.start().await.unwrap();
    idle().await;
    assert_eq!(probe.runs(), 1);
    assert!(outer.is_running());
    outer.stop().await.unwrap();
    assert_eq!(inner.state(), State::Stopped);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_outer_restarts_the_inner() {
    let (outer, inner, mut probe) = running().await;
    outer.restart().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    assert!(outer.is_running() && inner.is_running());
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_a_starting_outer_stops_the_inner() {
    let (outer, inner, mut probe) = nested(Settings::new().readiness(Readiness::Explicit));
    let first = start(&outer).await;
    probe.next().await;
    outer.stop().await.unwrap();
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert_eq!(inner.state(), State::Stopped);
    assert!(probe.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_inner_stop_is_that_of_the_outer() {
    let (outer, inner, probe) = running().await;
    probe.on_shutdown(Act::Fail("close"));
    let stopping = stop(&outer).await;
    assert!(matches!(
        stopping.outcome().await,
        Err(StopError::Failed(_))
    ));
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(inner.errors_list().len(), 1);
    assert_eq!(outer.errors_list().len(), 1, "told by `shutdown` alone");
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_passed_on_to_the_inner_runner() {
    let (outer, _inner, probe) = running().await;
    let (send, mut reloaded) = tokio::sync::mpsc::unbounded_channel();
    probe.tell(Act::with(move |cx| {
        let (inner, send) = (cx.clone(), send.clone());
        cx.spawn(async move {
            inner.reloaded().await.done();
            send.send(()).unwrap();
        });
    }));
    idle().await;
    outer.request_reload();
    assert!(crate::support::within(reloaded.recv()).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_inner_is_a_child_in_the_status() {
    let (outer, inner, _probe) = running().await;
    let status = outer.status();
    assert_eq!(status.children().len(), 1);
    assert_eq!(status.children()[0].name(), inner.name());
    assert_eq!(status.children()[0].state(), State::Running);
}
