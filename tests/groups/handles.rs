//! Members in the hands of others: stopped, started and restarted by their handles, and shared.

use std::sync::{Mutex, mpsc::channel};
use std::time::Duration;

use startstop_core::{
    Context, Exit, Group, OnFailure, Runner, Service, Settings, State, StopError, blocking_fn,
};
use tokio_util::sync::CancellationToken;

use crate::support::groups::{
    Act, Journal, begin, built, ended_by, on, outcome, remove, start, started, stop, stopped, two,
};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_stopped_by_hand_leaves_its_dependents_alone() {
    let journal = Journal::new();
    let app = two(&journal).await;
    let a = app.service().get("a").unwrap();
    within(a.stop()).await.unwrap();
    idle().await;
    assert!(app.is_running() && app.is_ready());
    assert_eq!(journal.moves(), ["+a", "+b", "-a"]);
    within(a.start()).await.unwrap();
    stopped(&app).await;
    assert_eq!(journal.moves(), ["+a", "-b", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_restarted_by_hand_is_restarted_alone() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").stops_in(2))
            .then("b", journal.probe("b")),
    )
    .await;
    within(app.service().get("a").unwrap().restart())
        .await
        .unwrap();
    idle().await;
    assert_eq!(journal.moves(), ["+a", "+b", "-a", "+a"]);
    assert!(app.is_running());
    stopped(&app).await;
    assert_eq!(journal.moves(), ["-b", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_started_again_by_hand_fails_as_a_member() {
    let journal = Journal::new();
    let app = two(&journal).await;
    let a = app.service().get("a").unwrap();
    within(a.stop()).await.unwrap();
    within(a.start()).await.unwrap();
    idle().await;
    journal.tell("a", Act::Fail);
    ended_by(&app, "a").await;
}

#[tokio::test(start_paused = true)]
async fn a_member_started_again_by_hand_that_fails_at_once_fails_as_a_member() {
    let journal = Journal::new();
    let app = two(&journal).await;
    let a = app.service().get("a").unwrap();
    within(a.stop()).await.unwrap();
    idle().await;
    journal.tell("a", Act::Fail);
    let _ = within(a.start()).await;
    idle().await;
    assert_eq!(app.state(), State::Stopped, "the failure was not seen");
    assert_eq!(within(app.wait()).await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_stops_itself_is_as_one_stopped_by_hand() {
    let journal = Journal::new();
    let quits = startstop_core::service_fn(async |cx| {
        cx.request_stop();
        cx.cancelled().await;
    });
    let app = started(
        Group::builder("app")
            .with("a", quits)
            .with("b", journal.probe("b")),
    )
    .await;
    idle().await;
    assert!(app.is_running());
    assert_eq!(app.service().get("a").unwrap().state(), State::Stopped);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_started_by_hand_while_the_group_stops_is_stopped_as_well() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").lingers())
            .then("b", journal.probe("b")),
    )
    .await;
    let call = stop(&app).await;
    let b = app.service().get("b").unwrap();
    let again = begin(async move { b.start().await }).await;
    let _ = outcome(again).await;
    idle().await;
    journal.tell("a", Act::Complete);
    let _ = outcome(call).await;
    assert_eq!(journal.live(), 0);
    assert_eq!(app.service().get("b").unwrap().state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_member_started_by_hand_that_depends_on_another_keeps_that_from_stopping_first() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b").stops_in(2)),
    )
    .await;
    let b = app.service().get("b").unwrap();
    within(b.stop()).await.unwrap();
    idle().await;
    within(b.start()).await.unwrap();
    idle().await;
    journal.take();
    stopped(&app).await;
    assert_eq!(journal.take(), ["~b", "-b", "~a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn an_ignored_one_brought_back_by_hand_is_a_dependency_again() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("x", on(OnFailure::Ignore, journal.probe("x").explicit()))
            .with("z", journal.probe("z").explicit())
            .then("y", on(OnFailure::Ignore, journal.probe("y")).after(["p"]))
            .with("p", on(OnFailure::RestartDependents, journal.probe("p"))),
    );
    journal.tell("x", Act::Fail);
    let call = start(&app).await;
    journal.tell("x", Act::Ready);
    within(app.service().get("x").unwrap().start())
        .await
        .unwrap();
    idle().await;
    journal.tell("p", Act::Fail);
    idle().await;
    assert_eq!(journal.count("+p"), 2);
    journal.tell("z", Act::Ready);
    outcome(call).await.unwrap();
    idle().await;
    assert_eq!(journal.count("+y"), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_started_by_hand_while_it_is_being_stopped_is_stopped_again() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("a", journal.probe("a").stops_in(2))).await;
    let call = stop(&app).await;
    app.service().get("a").unwrap().request_start();
    let _ = outcome(call).await;
    assert_eq!((app.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_started_by_hand_while_it_restarts_does_not_hold_that_up() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").stops_in(2)),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    app.service().get("b").unwrap().request_start();
    within(app.service().get("a").unwrap().wait_for(State::Running)).await;
    within(app.service().insert("c", journal.probe("c")))
        .await
        .unwrap();
    assert_eq!(journal.live(), 3);
    stopped(&app).await;
}

/// In real time: a paused clock does not wait for a thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_group_does_not_end_before_the_thread_of_one_started_by_hand() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let (entered, mut has_entered) = tokio::sync::mpsc::unbounded_channel();
    let deaf = blocking_fn(move |cx: Context| {
        if cx.cycle() == 2 {
            let _ = entered.send(());
            let _ = held.lock().expect("nobody panics under it").recv();
        }
    });
    let impatient = Settings::new().abort_timeout(Duration::from_millis(10));
    let deaf = Runner::with_settings(deaf, impatient.clone());
    let idle = Journal::new().probe("a");
    let app = Group::builder("app")
        .settings(impatient)
        .with("a", idle)
        .with("deaf", deaf.clone());
    let app = started(app).await;
    within(deaf.wait_for(State::Stopped)).await;
    within(deaf.start()).await.unwrap();
    within(has_entered.recv()).await.unwrap();
    let stopped = within(app.stop_within(Duration::ZERO)).await;
    assert!(
        matches!(stopped, Err(StopError::Unresponsive(_))),
        "{stopped:?}"
    );
    assert_eq!(app.state(), State::Stopping);
    drop(release);
    within(app.wait_for(State::Stopped)).await;
    assert_eq!(deaf.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_group_runs_under_a_context_without_a_runner() {
    let journal = Journal::new();
    let group = Group::builder("app")
        .with("a", journal.probe("a"))
        .then("b", journal.probe("b"));
    let group = group.build().unwrap();
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    let run = begin(async move { group.run(cx).await.map_err(|error| error.to_string()) }).await;
    assert_eq!(journal.take(), ["+a", "+b"]);
    token.cancel();
    outcome(run).await.unwrap();
    assert_eq!(
        (journal.moves(), journal.live()),
        (vec!["-b".to_owned(), "-a".to_owned()], 0)
    );
}

/// It was on its way down before: the group has told it, and does so again.
#[tokio::test(start_paused = true)]
async fn a_stop_of_the_group_cancels_a_start_that_a_handle_has_asked_for() {
    for drain in [0, 5] {
        let journal = Journal::new();
        let settings = Settings::new().drain(drain * SECOND);
        let builder = Group::builder("app").settings(settings);
        let app = started(builder.with("a", journal.probe("a").lingers())).await;
        let removing = remove(&app, "a").await;
        app.service().get("a").unwrap().request_start();
        let stopping = stop(&app).await;
        journal.tell("a", Act::Complete);
        outcome(stopping).await.unwrap();
        outcome(removing).await.unwrap();
        assert_eq!(journal.count("+a"), 1);
    }
}

/// The group was ending by itself, and had told it for that.
#[tokio::test(start_paused = true)]
async fn a_stop_of_a_group_that_ends_by_itself_cancels_such_a_start_as_well() {
    let journal = Journal::new();
    let builder = Group::builder("app").with("a", journal.probe("a").lingers());
    let app = started(builder.with("b", journal.probe("b"))).await;
    journal.tell("b", Act::Fail);
    journal.until("~a").await;
    app.service().get("a").unwrap().request_restart();
    let stopping = stop(&app).await;
    journal.tell("a", Act::Complete);
    let _ = outcome(stopping).await;
    assert_eq!((journal.count("+a"), app.state()), (1, State::Stopped));
}
