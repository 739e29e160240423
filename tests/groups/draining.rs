//! Groups that drain: their stop has begun, and their members go on for a while.

use startstop_core::{Exit, Group, GroupBuilder, GroupError, Member, OnFailure, Settings};

use crate::support::groups::{Act, Journal, insert, on, outcome, started};
use crate::support::{SECOND, idle, within};

/// Five seconds before the members are told.
fn draining() -> GroupBuilder {
    Group::builder("app").settings(Settings::new().drain(5 * SECOND))
}

#[tokio::test(start_paused = true)]
async fn a_group_that_drains_refuses_changes() {
    let journal = Journal::new();
    let app = started(draining().with("a", journal.probe("a"))).await;
    app.request_stop();
    idle().await;
    let inserted = within(app.service().insert("x", journal.probe("x"))).await;
    assert!(
        matches!(inserted, Err(GroupError::Stopping)),
        "{inserted:?}"
    );
    let removed = within(app.service().remove("a")).await;
    assert!(matches!(removed, Err(GroupError::Stopping)), "{removed:?}");
    assert_eq!(journal.take(), ["+a"], "the drain is not over");
    assert_eq!(within(app.wait()).await, Exit::Stopped);
    within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap();
    assert_eq!(journal.take(), ["~a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_fails_in_a_drain_is_not_restarted() {
    for policy in [
        OnFailure::RestartMember,
        OnFailure::RestartDependents,
        OnFailure::RestartAll,
    ] {
        let journal = Journal::new();
        let builder = draining().with("a", on(policy, journal.probe("a")));
        let app = started(builder.then("b", journal.probe("b"))).await;
        app.request_stop();
        idle().await;
        let begun = tokio::time::Instant::now();
        journal.tell("a", Act::Fail);
        idle().await;
        assert_eq!(journal.take(), ["+a", "+b", "-a"]);
        assert_eq!(
            within(app.wait()).await,
            Exit::Failed,
            "its failure is one of the stop"
        );
        assert_eq!(journal.seconds(begun, "~b"), 5);
        assert_eq!(journal.take(), ["~b", "-b"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_cuts_a_restart_short() {
    let journal = Journal::new();
    let app = started(
        draining()
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .with("c", Member::new(journal.probe("c")).after(["a"]))
            .with("b", Member::new(journal.probe("b").lingers()).after(["c"])),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    let waiting = insert(&app, "x", journal.probe("x")).await;
    journal.take();
    app.request_stop();
    idle().await;
    journal.tell("b", Act::Complete);
    idle().await;
    assert_eq!(
        journal.take(),
        ["-b"],
        "nothing starts, and the others go on"
    );
    within(app.wait()).await;
    assert_eq!(journal.take(), ["~c", "-c"]);
    let error = outcome(waiting).await.unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    assert_eq!(app.service().members(), ["a", "c", "b"]);
}
