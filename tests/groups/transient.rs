//! Members that leave the group when they have ended.

use startstop_core::{
    EventKind, Exit, Group, GroupError, Member, OnCompletion, OnFailure, StartError,
};

use crate::support::groups::{Act, Journal, Probe, on, one, started, stopped};
use crate::support::{SECOND, idle, within};

fn session(probe: Probe) -> Member {
    Member::new(probe).transient()
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_that_has_completed_leaves_and_its_name_is_free() {
    let journal = Journal::new();
    let app = one(&journal).await;
    for _ in 0..3 {
        within(app.service().insert("s", session(journal.probe("s"))))
            .await
            .unwrap();
        assert_eq!(app.service().members(), ["a", "s"]);
        journal.tell("s", Act::Complete);
        idle().await;
        assert_eq!(app.service().members(), ["a"]);
        assert!(app.is_ready());
    }
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_that_has_failed_leaves_and_its_rule_decides() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let ignored = session(journal.probe("s")).on_failure(OnFailure::Ignore);
    within(app.service().insert("s", ignored)).await.unwrap();
    journal.tell("s", Act::Fail);
    idle().await;
    assert_eq!(app.service().members(), ["a"]);
    assert_eq!(app.errors_last().unwrap().path(), "app/s");
    within(app.service().insert("s", session(journal.probe("s"))))
        .await
        .unwrap();
    journal.tell("s", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(app.service().members(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_that_is_stopped_by_its_handle_leaves() {
    let journal = Journal::new();
    let app = one(&journal).await;
    within(app.service().insert("s", session(journal.probe("s"))))
        .await
        .unwrap();
    let handle = app.service().get("s").unwrap();
    within(handle.stop()).await.unwrap();
    idle().await;
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_restarts_a_transient_member() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("s", session(journal.probe("s")))
            .with(
                "t",
                session(journal.probe("t")).on_failure(OnFailure::RestartMember),
            )
            .with(
                "u",
                session(journal.probe("u")).on_failure(OnFailure::RestartAll),
            ),
    )
    .await;
    journal.tell("t", Act::Fail);
    idle().await;
    assert_eq!(app.service().members(), ["a", "s", "u"]);
    journal.tell("u", Act::Fail);
    idle().await;
    assert_eq!(
        app.service().members(),
        ["a"],
        "a restart of the group ends it"
    );
    let counts = ["+a", "+s", "+t", "+u"].map(|line| journal.count(line));
    assert_eq!(counts, [2, 1, 1, 1]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_that_is_bound_is_stopped_with_what_it_is_bound_to_and_leaves() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let bound = session(journal.probe("s")).bound_to(["a"]);
    within(app.service().insert("s", bound)).await.unwrap();
    within(app.service().get("a").unwrap().restart())
        .await
        .unwrap();
    idle().await;
    assert_eq!(app.service().members(), ["a"]);
    assert_eq!(journal.count("+s"), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_is_gone_when_the_group_has_stopped() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("s", session(journal.probe("s"))),
    )
    .await;
    stopped(&app).await;
    assert_eq!(app.service().members(), ["a"]);
    within(app.start()).await.unwrap();
    assert_eq!(journal.count("+s"), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_can_end_the_group() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let last = session(journal.probe("s")).on_completion(OnCompletion::StopGroup);
    within(app.service().insert("s", last)).await.unwrap();
    journal.tell("s", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(app.service().members(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_that_does_not_start_is_an_error_of_the_insertion() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let broken = session(journal.probe("s").explicit().always(Act::Fail));
    let error = within(app.service().insert("s", broken)).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Start(StartError::Failed(_))),
        "{error:?}"
    );
    assert_eq!(app.service().members(), ["a"]);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_depends_on_a_transient_member() {
    let journal = Journal::new();
    let built = Group::builder("app")
        .with("s", session(journal.probe("s")))
        .with("b", Member::new(journal.probe("b")).after(["s"]))
        .build();
    assert!(
        matches!(built, Err(GroupError::UnknownDependency { .. })),
        "{built:?}"
    );
    let app = started(
        Group::builder("app")
            .with("s", session(journal.probe("s").explicit().ready_in(5)))
            .then("b", journal.probe("b")),
    )
    .await;
    let lines = journal.take();
    assert_eq!(lines.iter().filter(|line| line.starts_with('+')).count(), 2);
    let bound = Member::new(journal.probe("c")).bound_to(["s"]);
    let error = within(app.service().insert("c", bound)).await.unwrap_err();
    assert!(
        matches!(error, GroupError::UnknownDependency { .. }),
        "{error:?}"
    );
    journal.tell("s", Act::Complete);
    idle().await;
    assert_eq!(app.service().members(), ["b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_members_events_end_with_its_removal() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let mut events = app.events();
    within(app.service().insert("s", session(journal.probe("s"))))
        .await
        .unwrap();
    journal.tell("s", Act::Complete);
    let mut kinds = Vec::new();
    while !matches!(kinds.last(), Some(EventKind::Removed)) {
        let event = within(events.next()).await.unwrap();
        assert_eq!(event.path(), "app/s");
        kinds.push(event.kind().clone());
    }
    assert!(matches!(kinds[0], EventKind::Inserted), "{kinds:?}");
    assert!(
        matches!(kinds[kinds.len() - 2], EventKind::Stopped { .. }),
        "{kinds:?}"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_without_others_runs_on() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("s", session(journal.probe("s")))).await;
    journal.tell("s", Act::Complete);
    tokio::time::sleep(10 * SECOND).await;
    assert!(app.is_ready());
    assert!(app.service().members().is_empty());
    stopped(&app).await;
}

/// It has not left: what is not ready keeps the group from being ready.
#[tokio::test(start_paused = true)]
async fn a_transient_member_that_its_handle_restarts_counts_as_before() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let session = session(journal.probe("s").explicit());
    journal.tell("s", Act::Ready);
    within(app.service().insert("s", session)).await.unwrap();
    app.service().get("s").unwrap().request_restart();
    journal.until("-s").await;
    idle().await;
    assert_eq!(journal.count("+s"), 2);
    assert!(!app.is_ready());
    assert_eq!(app.status().not_ready_reason(), Some("s"));
    journal.tell("s", Act::Ready);
    idle().await;
    assert!(app.is_ready());
    journal.tell("s", Act::Complete);
    idle().await;
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}
