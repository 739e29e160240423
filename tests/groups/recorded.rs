//! Failures that a member's policy gives up on are in the history of its group, with the member's path, whatever
//! follows.

use startstop_core::{Exit, Failure, Group, Member, OnFailure, Runner, StartError};

use crate::support::groups::{
    Act, Broken, Journal, built, find, ignored, insert, on, one, outcome, started, stopped,
};
use crate::support::{SECOND, idle, within};

fn paths(app: &Runner<Group>) -> Vec<String> {
    let failures = app.errors_list();
    failures.iter().map(|it| it.path().to_owned()).collect()
}

/// The failure of `b` in a group whose limit allows one restart.
async fn failed(on_failure: OnFailure, times: usize) -> Runner<Group> {
    let journal = Journal::new();
    let b = on(on_failure, journal.probe("b"));
    let builder = Group::builder("app").with("a", journal.probe("a"));
    let app = started(builder.with("b", b).limit(1, 60 * SECOND)).await;
    for _ in 0..times {
        journal.tell("b", Act::Fail);
        idle().await;
    }
    app
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_the_group_goes_on_after_is_there() {
    for on_failure in [
        OnFailure::Ignore,
        OnFailure::RestartMember,
        OnFailure::RestartDependents,
        OnFailure::RestartAll,
    ] {
        let app = failed(on_failure, 1).await;
        assert_eq!(paths(&app), ["app/b"], "{on_failure:?}");
        stopped(&app).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_ends_the_group_is_there_before_that_of_the_group() {
    let app = failed(OnFailure::StopGroup, 1).await;
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(paths(&app), ["app/b", "app"]);
    let failures = app.errors_list();
    let of_b = failures.iter().filter_map(|it| find::<Broken>(it)).count();
    assert_eq!(of_b, 2, "that of the group has it as its source");
    assert_eq!(
        app.errors_last().map(|it| it.path().to_owned()),
        Some("app".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_reaches_the_limit_is_there_and_says_so() {
    let app = failed(OnFailure::RestartMember, 2).await;
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(paths(&app), ["app/b", "app/b", "app"]);
    let says: Vec<bool> = app.errors_list().iter().map(says_limit).collect();
    assert_eq!(says, [false, true, true]);
}

fn says_limit(failure: &Failure) -> bool {
    format!("{failure:?}").contains("limit")
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_is_there() {
    let journal = Journal::new();
    let app = built(Group::builder("app").with("a", journal.probe("a").job().always(Act::Fail)));
    let error = within(app.start()).await.unwrap_err();
    assert!(matches!(error, StartError::Failed(_)), "{error:?}");
    assert_eq!(paths(&app), ["app/a", "app"]);
}

#[tokio::test(start_paused = true)]
async fn in_groups_of_groups_each_has_those_of_its_own_members() {
    let journal = Journal::new();
    let inner = Group::builder("inner").with("a", journal.probe("a"));
    let inner = Runner::new(inner.build().unwrap());
    let app = started(Group::builder("app").with("inner", inner.clone())).await;
    journal.tell("a", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(paths(&inner), ["app/inner/a", "app/inner"]);
    assert_eq!(paths(&app), ["app/inner", "app"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_inserted_and_does_not_start_is_there() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let call = insert(&app, "x", Member::new(journal.probe("x").explicit())).await;
    journal.tell("x", Act::Fail);
    outcome(call).await.unwrap_err();
    assert_eq!(
        (paths(&app), app.service().members()),
        (vec!["app/x".into()], vec!["a".into()])
    );
    stopped(&app).await;
}

/// Those of the cycle are those of the group's own, however often the member was started meanwhile.
#[tokio::test(start_paused = true)]
async fn one_of_a_later_cycle_of_the_member_is_among_those_of_this_cycle_of_the_group() {
    let journal = Journal::new();
    let app = ignored(&journal, &["b"]).await;
    let member = app.service().get("a").unwrap();
    for _ in 0..2 {
        within(member.restart()).await.unwrap();
    }
    journal.tell("a", Act::Fail);
    within(member.wait()).await;
    idle().await;
    assert_eq!(member.status().cycles(), 3);
    assert_eq!(app.errors_list().len(), 1);
    stopped(&app).await;
}
