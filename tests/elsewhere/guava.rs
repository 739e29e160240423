//! The `ServiceManager` of Guava.

use std::time::Duration;

use startstop_core::{
    Context, EventKind, Exit, Group, Member, OnFailure, Readiness, Settings, State, Status, once,
    service_fn,
};
use tokio::time::timeout;

use crate::support::groups::{built, quiet, stopped};
use crate::support::{Broken, SECOND, idle, within};

/// A service that is healthy after so many seconds.
fn healthy_after(seconds: u32) -> Member {
    let service = service_fn(move |cx: Context| async move {
        tokio::time::sleep(seconds * SECOND).await;
        cx.ready();
        cx.cancelled().await;
    });
    Member::new(service).settings(Settings::new().readiness(Readiness::Explicit))
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_health_with_a_timeout_leaves_the_start_alone_and_may_be_made_again() {
    let manager = built(
        Group::builder("manager")
            .with("fast", healthy_after(1))
            .with("slow", healthy_after(9)),
    );
    manager.request_start();
    timeout(4 * SECOND, manager.ensure_running())
        .await
        .unwrap_err();
    let status = manager.status();
    let by_state: Vec<_> = status.children().iter().map(Status::state).collect();
    assert_eq!(by_state, [State::Running, State::Starting]);
    within(manager.ensure_running()).await.unwrap();
    assert!(manager.is_ready());
    assert_eq!(manager.find("manager/slow").unwrap().status().cycles(), 1);
    stopped(&manager).await;
}

#[tokio::test(start_paused = true)]
async fn each_service_tells_how_long_its_start_up_took() {
    let manager = built(
        Group::builder("manager")
            .with("fast", healthy_after(1))
            .with("slow", healthy_after(9)),
    );
    let mut events = manager.events();
    within(manager.start()).await.unwrap();
    let mut times = Vec::new();
    while let Some(event) = events.try_next() {
        if let EventKind::Ready { after } = event.kind() {
            times.push((event.path().to_owned(), after.as_secs()));
        }
    }
    let expected = [("manager/fast", 1), ("manager/slow", 9), ("manager", 9)];
    assert_eq!(times, expected.map(|(path, took)| (path.to_owned(), took)));
    stopped(&manager).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_keeps_its_cause_and_leaves_the_others_to_run_until_all_are_stopped() {
    let bad = once(async |_cx| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Err::<(), _>(Broken("gone"))
    });
    let manager = built(
        Group::builder("manager")
            .with("bad", Member::new(bad).on_failure(OnFailure::Ignore))
            .with("good", quiet()),
    );
    within(manager.start()).await.unwrap();
    let bad = manager.find("manager/bad").unwrap();
    assert_eq!(
        (bad.state(), within(bad.wait()).await),
        (State::Stopped, Exit::Failed)
    );
    assert_eq!(bad.errors_last().unwrap().find(), Some(&Broken("gone")));
    idle().await;
    assert!(manager.find("manager/good").unwrap().is_running());
    manager.request_stop();
    within(manager.wait_for(State::Stopped)).await;
    assert_eq!(within(manager.wait()).await, Exit::Stopped);
}
