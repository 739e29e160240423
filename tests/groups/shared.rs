//! Runners that are a member twice: of two groups, or under two names of one.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use startstop_core::{
    EventKind, Exit, Group, Member, OnFailure, Runner, Settings, State, StopError, StopReason,
    blocking_fn,
};

use crate::support::groups::{Act, Journal, Probe, built, started, stopped};
use crate::support::{SECOND, idle, within};

/// A runner that is a member of both groups, which run.
async fn of_two(journal: &Journal) -> (Runner<Group>, Runner<Group>, Runner<Probe>) {
    let shared = Runner::new(journal.probe("shared"));
    let left = started(Group::builder("left").with("shared", shared.clone())).await;
    let right = started(
        Group::builder("right")
            .with("own", journal.probe("own"))
            .with("shared", shared.clone()),
    )
    .await;
    (left, right, shared)
}

#[tokio::test(start_paused = true)]
async fn a_member_of_two_groups_stops_with_the_first_and_is_none_of_the_other() {
    let journal = Journal::new();
    let (left, right, shared) = of_two(&journal).await;
    stopped(&left).await;
    idle().await;
    assert_eq!(
        (shared.state(), right.state()),
        (State::Stopped, State::Running)
    );
    stopped(&right).await;
    assert_eq!((journal.count("+shared"), journal.live()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_of_two_groups_is_in_both_streams_with_a_path_of_each() {
    let journal = Journal::new();
    let shared = Runner::new(journal.probe("shared"));
    let group = |name| Group::builder(name).with("shared", shared.clone());
    let (left, right) = (built(group("left")), built(group("right")));
    let mut streams = [left.events(), right.events()];
    within(left.start()).await.unwrap();
    within(right.start()).await.unwrap();
    stopped(&right).await;
    stopped(&left).await;
    for (stream, path) in streams.iter_mut().zip(["left/shared", "right/shared"]) {
        let told = std::iter::from_fn(|| stream.try_next());
        let told = told
            .filter(|event| event.path() == path)
            .map(|event| event.kind().clone());
        let told: Vec<EventKind> = told.collect();
        let ready = |kind: &EventKind| matches!(kind, EventKind::Ready { .. });
        let stopping = |kind: &EventKind| matches!(kind, EventKind::Stopping(StopReason::Group));
        assert!(
            told.iter().any(ready) && told.iter().any(stopping),
            "{path}: {told:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_of_two_groups_drains_with_the_first_that_does() {
    let journal = Journal::new();
    let shared = Runner::new(journal.probe("shared"));
    let drain = Settings::new().drain(5 * SECOND);
    let left = Group::builder("left")
        .settings(drain)
        .with("shared", shared.clone());
    let left = started(left).await;
    let right = started(Group::builder("right").with("shared", shared.clone())).await;
    left.request_stop();
    assert_eq!((shared.state(), shared.is_ready()), (State::Running, false));
    within(left.stop()).await.unwrap();
    idle().await;
    assert_eq!(
        (shared.state(), right.state()),
        (State::Stopped, State::Running)
    );
    stopped(&right).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_removed_from_one_group_is_still_one_of_the_other() {
    let journal = Journal::new();
    let (left, right, shared) = of_two(&journal).await;
    within(left.service().remove("shared")).await.unwrap();
    within(shared.start()).await.unwrap();
    idle().await;
    stopped(&right).await;
    assert_eq!(
        (shared.state(), left.state()),
        (State::Stopped, State::Running)
    );
    within(shared.start()).await.unwrap();
    stopped(&left).await;
    assert!(shared.is_running(), "it is none of either");
    within(shared.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_member_of_two_groups_fails_in_both() {
    let journal = Journal::new();
    let (left, right, _shared) = of_two(&journal).await;
    journal.tell("shared", Act::Fail);
    assert_eq!(
        (within(left.wait()).await, within(right.wait()).await),
        (Exit::Failed, Exit::Failed)
    );
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_group_that_is_aborted_ends_after_what_it_shares() {
    let journal = Journal::new();
    let shared = Runner::new(journal.probe("shared").stops_in(3));
    let left = started(Group::builder("left").with("shared", shared.clone())).await;
    let right = started(Group::builder("right").with("shared", shared.clone())).await;
    left.request_stop();
    right.request_stop();
    for app in [&left, &right] {
        within(app.wait_for(State::Stopped)).await;
        assert_eq!(shared.state(), State::Stopped);
    }
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_group_ends_before_the_thread_of_what_it_shares() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let deaf = Runner::new(blocking_fn(move |_| {
        let _ = held.lock().expect("nobody panics under it").recv();
    }));
    let left = started(Group::builder("left").with("deaf", deaf.clone())).await;
    let right = started(Group::builder("right").with("deaf", deaf.clone())).await;
    let stopped = within(left.stop_within(Duration::ZERO)).await;
    assert!(
        matches!(stopped, Err(StopError::Unresponsive(_))),
        "{stopped:?}"
    );
    assert_eq!(
        (left.state(), right.state()),
        (State::Stopping, State::Stopping)
    );
    drop(release);
    for app in [&left, &right] {
        app.wait_for(State::Stopped).await;
        assert_eq!(deaf.state(), State::Stopped);
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_of_two_groups_is_started_again_by_either() {
    let journal = Journal::new();
    let (left, right, shared) = of_two(&journal).await;
    stopped(&left).await;
    within(left.start()).await.unwrap();
    assert!(shared.is_running());
    stopped(&right).await;
    assert_eq!(
        (shared.state(), left.state()),
        (State::Stopped, State::Running)
    );
    stopped(&left).await;
    assert_eq!((journal.count("+shared"), journal.live()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_under_two_names_starts_and_stops_once() {
    let journal = Journal::new();
    let shared = Runner::new(journal.probe("shared"));
    let app = started(
        Group::builder("app")
            .with("first", shared.clone())
            .then("between", journal.probe("between"))
            .then("second", shared.clone()),
    )
    .await;
    assert_eq!(journal.take(), ["+shared", "+between"]);
    stopped(&app).await;
    assert_eq!((journal.count("-shared"), journal.live()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_under_two_names_is_restarted_once() {
    let journal = Journal::new();
    let shared = Runner::new(journal.probe("shared"));
    let again =
        |runner: &Runner<_>| Member::new(runner.clone()).on_failure(OnFailure::RestartMember);
    let app = started(
        Group::builder("app")
            .with("first", again(&shared))
            .with("second", again(&shared)),
    )
    .await;
    journal.tell("shared", Act::Fail);
    idle().await;
    assert!(shared.is_running() && app.is_running());
    assert_eq!(journal.count("+shared"), 2);
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_whole_that_is_dropped_leaves_its_part_to_the_other() {
    let journal = Journal::new();
    let (left, right, shared) = of_two(&journal).await;
    within(left.service().remove("shared")).await.unwrap();
    within(shared.start()).await.unwrap();
    drop(left);
    idle().await;
    assert!(shared.is_running() && right.is_running());
    stopped(&right).await;
    assert_eq!((shared.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn a_runner_in_two_runners_ends_both() {
    let journal = Journal::new();
    let shared = Runner::new(journal.probe("shared"));
    let outer = [Runner::new(shared.clone()), Runner::new(shared.clone())];
    for outer in &outer {
        within(outer.start()).await.unwrap();
    }
    within(outer[0].stop()).await.unwrap();
    assert_eq!(within(outer[1].wait()).await, Exit::Completed);
    assert_eq!(
        (shared.state(), journal.count("+shared"), journal.live()),
        (State::Stopped, 1, 0)
    );
}
