//! More of `insert`: before, while and after the group runs.

use startstop_core::{
    DependencyFailed, Exit, Group, GroupError, Member, OnFailure, Runner, StartError, State,
};

use crate::support::groups::{
    Act, Broken, Changing, Journal, aborted, built, find, insert, on, one, outcome, restarting,
    start, started, stop, stopped,
};
use crate::support::{idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_inserted_before_the_start_starts_with_the_group() {
    let journal = Journal::new();
    let app = built(Group::builder("app").with("a", journal.probe("a")));
    let b = Member::new(journal.probe("b")).after(["a"]);
    within(app.service().insert("b", b)).await.unwrap();
    idle().await;
    assert_eq!(journal.live(), 0);
    within(app.start()).await.unwrap();
    assert_eq!(journal.take(), ["+a", "+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_inserted_into_a_running_group_starts_and_stops_in_order() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let b = Member::new(journal.probe("b").ready_in(3)).after(["a"]);
    within(app.service().insert("b", b)).await.unwrap();
    assert!(app.service().get("b").unwrap().is_running());
    assert_eq!(app.service().members(), ["a", "b"]);
    stopped(&app).await;
    assert_eq!(journal.moves(), ["+a", "+b", "-b", "-a"]);
    within(app.start()).await.unwrap();
    assert_eq!(journal.take(), ["+a", "+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn during_start_up_it_waits_for_what_it_depends_on() {
    let journal = Journal::new();
    let app = built(Group::builder("app").with("a", journal.probe("a").explicit()));
    let starting = start(&app).await;
    let call = insert(&app, "b", Member::new(journal.probe("b")).after(["a"])).await;
    assert!(!call.is_finished());
    assert_eq!(journal.take(), ["+a"]);
    journal.tell("a", Act::Ready);
    outcome(starting).await.unwrap();
    outcome(call).await.unwrap();
    assert_eq!(journal.take(), ["+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_waits_for_a_restart_under_way() {
    let journal = Journal::new();
    let app = restarting(&journal, &[]).await;
    let call = insert(&app, "x", journal.probe("x")).await;
    assert!(!call.is_finished() && journal.count("+x") == 0);
    journal.tell("b", Act::Complete);
    outcome(call).await.unwrap();
    assert!(app.service().get("x").unwrap().is_running());
    aborted(&app).await;
}

#[tokio::test(start_paused = true)]
async fn insert_into_a_stopping_group_is_refused() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("a", journal.probe("a").lingers())).await;
    let call = stop(&app).await;
    let error = within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    journal.tell("a", Act::Complete);
    outcome(call).await.unwrap();
    within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap();
    assert_eq!(app.service().members(), ["a", "x"]);
    assert_eq!(journal.count("+x"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_cancels_one_that_is_starting() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let call = insert(
        &app,
        "x",
        Member::new(journal.probe("x").explicit()).after(["a"]),
    )
    .await;
    stopped(&app).await;
    let error = outcome(call).await.unwrap_err();
    let expected = matches!(
        error,
        GroupError::Stopping | GroupError::Start(StartError::Stopped)
    );
    assert!(expected, "{error:?}");
    assert_eq!(app.service().members(), ["a"]);
    assert_eq!(journal.moves(), ["+a", "+x", "-x", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_and_a_dependency_that_is_not_there_are_refused() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let error = within(app.service().insert("a", journal.probe("b")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, GroupError::DuplicateName { .. }),
        "{error:?}"
    );
    let c = Member::new(journal.probe("c")).after(["nobody"]);
    let error = within(app.service().insert("c", c)).await.unwrap_err();
    assert!(
        matches!(error, GroupError::UnknownDependency { .. }),
        "{error:?}"
    );
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_insert_asks_no_policy() {
    let journal = Journal::new();
    let app = one(&journal).await;
    for policy in [
        OnFailure::StopGroup,
        OnFailure::RestartAll,
        OnFailure::Ignore,
    ] {
        let x = on(policy, journal.probe("x").explicit().always(Act::Fail));
        let error = within(app.service().insert("x", x)).await.unwrap_err();
        assert_eq!(find::<Broken>(&error), Some(&Broken("x".into())));
        idle().await;
    }
    assert_eq!((journal.count("+x"), journal.count("+a")), (3, 1));
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_policy_of_an_inserted_member_counts_once_it_is_in() {
    let journal = Journal::new();
    let app = one(&journal).await;
    within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap();
    idle().await;
    journal.tell("x", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_insert_goes_on() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let call = insert(&app, "x", journal.probe("x").explicit()).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    journal.tell("x", Act::Ready);
    idle().await;
    assert_eq!(app.service().members(), ["a", "x"]);
    assert!(app.service().get("x").unwrap().is_running());
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_running_runner_is_adopted() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let x = Runner::new(journal.probe("x"));
    within(x.start()).await.unwrap();
    within(app.service().insert("x", x.clone())).await.unwrap();
    idle().await;
    assert_eq!(journal.count("+x"), 1);
    stopped(&app).await;
    assert_eq!((x.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_inserted_is_in_when_it_is_done() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let job = journal.probe("job").job().always(Act::Complete);
    within(app.service().insert("job", job)).await.unwrap();
    let b = Member::new(journal.probe("b")).after(["job"]);
    within(app.service().insert("b", b)).await.unwrap();
    assert_eq!(journal.take(), ["+a", "+job", "-job", "+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_inserted_member_that_is_late_says_so_as_a_start_does() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let error = within(app.service().insert("x", journal.probe("x").explicit()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, GroupError::Start(StartError::TimedOut)),
        "{error:?}"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_inserted_member_that_is_stopped_by_hand_says_so_as_a_start_does() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let x = Runner::new(journal.probe("x").explicit().fails_to_stop());
    let call = insert(&app, "x", x.clone()).await;
    within(x.stop()).await.unwrap_err();
    let error = outcome(call).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Start(StartError::Stopped)),
        "{error:?}"
    );
    stopped(&app).await;
}

/// `x`, which is not ready yet, and after it (and after `others`) `y`, which waits for it.
async fn two_inserted(
    journal: &Journal,
    app: &Runner<Group>,
    others: &'static [&'static str],
) -> [Changing; 2] {
    let x = insert(app, "x", journal.probe("x").explicit()).await;
    let y = Member::new(journal.probe("y"))
        .after(["x"])
        .after(others.iter().copied());
    [x, insert(app, "y", y).await]
}

#[tokio::test(start_paused = true)]
async fn an_inserted_member_started_by_hand_goes_without_its_dependency() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let [x, y] = two_inserted(&journal, &app, &[]).await;
    let handle = app.service().get("y").unwrap();
    within(handle.start()).await.unwrap();
    outcome(y).await.unwrap();
    journal.tell("x", Act::Fail);
    outcome(x).await.unwrap_err();
    idle().await;
    assert_eq!(app.service().members(), ["a", "y"]);
    assert!(app.is_running() && handle.is_running() && handle.errors_list().is_empty());
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_inserted_member_that_waits_for_one_that_does_not_start_goes_with_it_during_a_restart() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").lingers()),
    )
    .await;
    let [x, y] = two_inserted(&journal, &app, &["a"]).await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    journal.tell("x", Act::Fail);
    outcome(x).await.unwrap_err();
    journal.tell("b", Act::Complete);
    let error = outcome(y).await.unwrap_err();
    assert!(find::<DependencyFailed>(&error).is_some(), "{error:?}");
    idle().await;
    assert_eq!(
        (app.service().members(), journal.count("+y")),
        (vec!["a".into(), "b".into()], 0)
    );
    aborted(&app).await;
}
