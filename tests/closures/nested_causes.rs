//! Which of several failures of a cycle a runner tells the one that it is within.

use std::error::Error;
use std::time::Duration;

use startstop_core::{Exit, Failure, Runner, Settings};

use crate::support::{Act, Broken, Event, Probe, Remote, idle, probed, wait, within};

async fn running(settings: Settings) -> (Runner<Runner<Probe>>, Runner<Probe>, Remote) {
    let (inner, mut probe) = probed(settings);
    let outer = Runner::new(inner.clone());
    outer.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    (outer, inner, probe)
}

/// The error at the end of the chain.
fn root(failure: &Failure) -> Option<Broken> {
    let mut error: &(dyn Error + 'static) = failure;
    while let Some(source) = error.source() {
        error = source;
    }
    error.downcast_ref().copied()
}

#[tokio::test(start_paused = true)]
async fn the_one_that_ended_it_and_not_a_later_one() {
    let (outer, inner, probe) = running(Settings::new().shutdown_always(true)).await;
    probe.on_shutdown(Act::Fail("later"));
    probe.tell(Act::Fail("first"));
    assert_eq!(within(outer.wait()).await, Exit::Failed);
    assert_eq!(inner.errors_list().len(), 2);
    assert_eq!(root(&outer.errors_last().unwrap()), Some(Broken("first")));
}

#[tokio::test(start_paused = true)]
async fn failures_before_the_stop_are_no_cause_of_an_abort_by_the_inner_handle() {
    let (outer, inner, probe) = running(Settings::new()).await;
    probe.tell(Act::with(|cx| cx.report(Broken("earlier"))));
    idle().await;
    let end = wait(&outer).await;
    inner.stop_within(Duration::ZERO).await.unwrap();
    assert_eq!(end.outcome().await, Exit::Completed);
    assert!(outer.errors_last().is_none());
    assert_eq!(inner.errors_list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_stop_by_the_inner_handle_is_the_cause() {
    let (outer, inner, probe) = running(Settings::new()).await;
    probe.tell(Act::with(|cx| cx.report(Broken("earlier"))));
    probe.on_shutdown(Act::Fail("stop"));
    idle().await;
    let end = wait(&outer).await;
    inner.stop().await.unwrap_err();
    assert_eq!(end.outcome().await, Exit::Failed);
    assert_eq!(root(&outer.errors_last().unwrap()), Some(Broken("stop")));
}
