//! Removal of members that are not running, or not any more.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use startstop_core::{Group, OnFailure, State};

use crate::support::groups::{Act, Journal, built, on, outcome, start, started, stopped, two};
use crate::support::{idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_that_is_starting_is_removed() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").explicit()),
    );
    let starting = start(&app).await;
    within(app.service().remove("b")).await.unwrap();
    outcome(starting).await.unwrap();
    assert_eq!(journal.live(), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_was_never_started_is_removed() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a").explicit())
            .then("b", journal.probe("b")),
    );
    let starting = start(&app).await;
    within(app.service().remove("b")).await.unwrap();
    journal.tell("a", Act::Ready);
    outcome(starting).await.unwrap();
    assert_eq!(journal.take(), ["+a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_at_rest_is_removed_at_once() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("done", journal.probe("done").job().always(Act::Complete))
            .with("failed", on(OnFailure::Ignore, journal.probe("failed")))
            .with("hand", journal.probe("hand")),
    )
    .await;
    idle().await;
    journal.tell("failed", Act::Fail);
    within(app.service().get("hand").unwrap().stop())
        .await
        .unwrap();
    idle().await;
    for name in ["done", "failed", "hand"] {
        within(app.service().remove(name)).await.unwrap();
    }
    idle().await;
    assert_eq!(app.service().members(), ["a"]);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_member_can_be_inserted_again() {
    let journal = Journal::new();
    let app = two(&journal).await;
    for _ in 0..20 {
        within(app.service().remove("b")).await.unwrap();
        let b = startstop_core::Member::new(journal.probe("b")).after(["a"]);
        within(app.service().insert("b", b)).await.unwrap();
    }
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_removal_does_not_tell_of_an_earlier_stop_by_hand() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").fails_to_stop()),
    )
    .await;
    within(app.service().get("b").unwrap().stop())
        .await
        .unwrap_err();
    idle().await;
    within(app.service().remove("b")).await.unwrap();
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_started_by_hand_before_it_is_off_is_stopped() {
    let journal = Journal::new();
    let app = two(&journal).await;
    let b = app.service().get("b").unwrap();
    within(b.stop()).await.unwrap();
    idle().await;
    let mut removal = pin!(app.service().remove("b"));
    let waits = poll_fn(|task| Poll::Ready(removal.as_mut().poll(task).is_pending())).await;
    assert!(waits, "the group's task has not looked yet");
    b.request_start();
    within(removal).await.unwrap();
    assert_eq!(
        (b.state(), app.service().members()),
        (State::Stopped, vec!["a".to_owned()])
    );
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}
