//! Members that come and go: `insert` and `remove`.

use startstop_core::{DependencyFailed, Group, GroupError, Member, OnFailure, StartError, State};

use crate::support::groups::{
    Act, Broken, Journal, built, find, insert, on, one, outcome, remove, restarting, started, stop,
    stopped,
};
use crate::support::{idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_that_came_by_then_can_be_removed_from_the_end() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b"))
            .then("c", journal.probe("c")),
    )
    .await;
    let group = app.service();
    assert!(matches!(
        within(group.remove("b")).await,
        Err(GroupError::HasDependents { dependents, .. }) if dependents == ["c"]
    ));
    within(group.remove("c")).await.unwrap();
    within(group.remove("b")).await.unwrap();
    assert_eq!(group.members(), ["a"]);
    stopped(&app).await;
    within(app.start()).await.unwrap();
    stopped(&app).await;
    assert_eq!(
        journal.moves(),
        ["+a", "+b", "+c", "-c", "-b", "-a", "+a", "-a"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_that_came_by_then_can_be_removed_before_the_start() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b"))
            .then("c", journal.probe("c")),
    );
    within(app.service().remove("c")).await.unwrap();
    within(app.service().remove("b")).await.unwrap();
    within(app.start()).await.unwrap();
    assert_eq!(journal.take(), ["+a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn two_inserts_one_after_the_other_fail_with_the_first() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let first = insert(&app, "x", journal.probe("x").explicit()).await;
    let second = insert(&app, "y", Member::new(journal.probe("y")).after(["x"])).await;
    journal.tell("x", Act::Fail);
    let error = outcome(first).await.unwrap_err();
    assert_eq!(find::<Broken>(&error), Some(&Broken("x".into())));
    let error = outcome(second).await.unwrap_err();
    assert!(matches!(error, GroupError::Start(_)), "{error:?}");
    assert_eq!(find::<DependencyFailed>(&error).unwrap().dependency(), "x");
    assert_eq!(app.service().members(), ["a"]);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_after_a_member_that_leaves_is_refused() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("x", journal.probe("x").lingers())).await;
    let leaves = remove(&app, "x").await;
    let comes = insert(&app, "y", Member::new(journal.probe("y")).after(["x"])).await;
    journal.tell("x", Act::Complete);
    outcome(leaves).await.unwrap();
    outcome(comes).await.unwrap_err();
    assert_eq!(app.service().members(), Vec::<String>::new());
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_insert_follows_a_restart_of_what_it_depends_on() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app").with("a", on(OnFailure::RestartDependents, journal.probe("a"))),
    )
    .await;
    let call = insert(
        &app,
        "b",
        Member::new(journal.probe("b").explicit()).after(["a"]),
    )
    .await;
    assert_eq!(journal.take(), ["+a", "+b"]);
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(journal.moves(), ["-a", "-b", "+a", "+b"]);
    assert!(!call.is_finished());
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_a_stop_cancels_leaves_nothing_behind() {
    let journal = Journal::new();
    let app = restarting(&journal, &[]).await;
    let call = insert(&app, "x", journal.probe("x")).await;
    assert!(!call.is_finished(), "it waits for the restart");
    let stopping = stop(&app).await;
    journal.tell("b", Act::Complete);
    outcome(stopping).await.unwrap();
    let error = outcome(call).await.unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    assert_eq!(app.service().members(), ["a", "b"]);
    assert_eq!(journal.count("+x"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_fails_leaves_the_group_as_it_was() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let x = journal.probe("x").explicit().always(Act::Fail);
    let error = within(app.service().insert("x", x)).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Start(StartError::Failed(_))),
        "{error:?}"
    );
    assert_eq!(find::<Broken>(&error), Some(&Broken("x".into())));
    assert_eq!(app.service().members(), ["a"]);
    assert!(app.service().get("x").is_none());
    within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap();
    assert_eq!(app.state(), State::Running);
    stopped(&app).await;
}
