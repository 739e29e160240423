//! Dependencies that end without being ready.

use startstop_core::{DependencyFailed, Group, Member, OnFailure, Runner, Settings, State};
use tokio::time::Instant;

use crate::support::groups::{Act, Journal, built, find, on, outcome, start, started, stopped};
use crate::support::{SECOND, idle, within};

/// A member that fails each time it is started, which the group ignores.
fn ignored_failure(journal: &Journal, name: &str) -> Member {
    let probe = journal.probe(name).job().always(Act::Fail);
    on(OnFailure::Ignore, probe)
}

/// The dependency for which this member could not start.
fn failed_dependency(app: &Runner<Group>, name: &str) -> String {
    let member = app.service().get(name).expect("there is such a member");
    let failure = member.errors_last().expect("it could not start");
    let failed = find::<DependencyFailed>(&failure).expect("that is the reason");
    failed.dependency().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_ends_unready_keeps_its_dependents_from_starting() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", ignored_failure(&journal, "a"))
            .with("b", journal.probe("b"))
            .with("c", Member::new(journal.probe("c")).after(["a"])),
    );
    let error = within(app.start()).await.unwrap_err();
    let failed = find::<DependencyFailed>(&error).expect("that is the reason");
    assert_eq!(failed.dependency(), "a");
    assert_eq!(journal.count("+c"), 0);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_cannot_start_for_a_dependency_can_be_ignored() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", ignored_failure(&journal, "a"))
            .with("b", on(OnFailure::Ignore, journal.probe("b")).after(["a"]))
            .with("c", on(OnFailure::Ignore, journal.probe("c")).after(["b"]))
            .with("d", journal.probe("d")),
    )
    .await;
    assert_eq!(failed_dependency(&app, "b"), "a");
    assert_eq!(failed_dependency(&app, "c"), "b");
    assert_eq!(journal.live(), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn two_dependencies_that_end_at_once_are_one_failure() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", ignored_failure(&journal, "a"))
            .with("b", ignored_failure(&journal, "b"))
            .then("c", on(OnFailure::Ignore, journal.probe("c")))
            .with(
                "d",
                on(OnFailure::Ignore, journal.probe("d")).after(["a", "b"]),
            ),
    )
    .await;
    assert_eq!(app.service().get("c").unwrap().history().entries().len(), 1);
    assert_eq!(app.service().get("d").unwrap().history().entries().len(), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_dependency_stopped_by_hand_before_it_was_ready_keeps_dependents_down() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a").explicit())
            .then("b", on(OnFailure::Ignore, journal.probe("b"))),
    );
    let call = start(&app).await;
    within(app.service().get("a").unwrap().stop())
        .await
        .unwrap();
    outcome(call).await.unwrap();
    assert_eq!(failed_dependency(&app, "b"), "a");
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_is_not_ready_any_more_lets_no_dependent_start() {
    let journal = Journal::new();
    let retry = startstop_core::RestartPolicy::on_failure()
        .backoff(startstop_core::Backoff::constant(60 * SECOND));
    let app = built(
        Group::builder("app")
            .with(
                "a",
                journal.probe("a").settings(Settings::new().restart(retry)),
            )
            .with("b", journal.probe("b").explicit())
            .then("c", journal.probe("c")),
    );
    let call = start(&app).await;
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(app.service().get("a").unwrap().state(), State::Backoff);
    let failed = Instant::now();
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!(journal.seconds(failed, "+c"), 60);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_added_by_then_waits_until_all_before_are_ready_again() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with(
                "a",
                on(OnFailure::RestartMember, journal.probe("a").explicit()),
            )
            .then("b", journal.probe("b").explicit())
            .then("c", journal.probe("c")),
    );
    let call = start(&app).await;
    journal.tell("a", Act::Ready);
    journal.until("+b").await;
    journal.tell("a", Act::Fail);
    idle().await;
    journal.tell("b", Act::Ready);
    idle().await;
    assert_eq!(journal.take(), ["+a", "+b", "-a", "+a"]);
    journal.tell("a", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!(journal.take(), ["+c"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_comes_by_then_fails_for_a_dependency_that_was_ready_and_ends_unready() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with(
                "a",
                on(OnFailure::RestartMember, journal.probe("a").explicit()),
            )
            .then("c", on(OnFailure::Ignore, journal.probe("c")).after(["z"]))
            .with("z", journal.probe("z").explicit()),
    );
    let call = start(&app).await;
    for act in [Act::Ready, Act::Fail] {
        journal.tell("a", act);
        idle().await;
    }
    assert_eq!(journal.take(), ["+a", "+z", "-a", "+a"]);
    within(app.service().get("a").unwrap().stop())
        .await
        .unwrap();
    journal.tell("z", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!(failed_dependency(&app, "c"), "a");
    assert_eq!(journal.count("+c"), 0);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_restarted_for_ever_in_vain_starves_nobody() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .limit(u32::MAX, SECOND)
            .with("a", ignored_failure(&journal, "a"))
            .with(
                "b",
                on(OnFailure::RestartMember, journal.probe("b")).after(["a"]),
            ),
    );
    app.request_start();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.state(), State::Starting);
    assert!(app.service().get("b").unwrap().history().evicted() < 1_000);
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn all_members_that_cannot_start_for_one_dependency_are_one_restart() {
    let journal = Journal::new();
    let after = |name: &str| on(OnFailure::RestartAll, journal.probe(name)).after(["d"]);
    let app = built(
        Group::builder("app")
            .limit(1, 600 * SECOND)
            .with("d", on(OnFailure::Ignore, journal.probe("d").explicit()))
            .with("m", after("m"))
            .with("n", after("n")),
    );
    journal.tell("d", Act::Fail);
    journal.tell("d", Act::Ready);
    within(app.start()).await.unwrap();
    idle().await;
    assert_eq!(journal.take(), ["+d", "-d", "+d", "+m", "+n"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_depends_on_one_that_is_being_stopped_by_hand_waits_for_its_end() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a").lingers())
            .with("b", journal.probe("b").explicit())
            .then("c", journal.probe("c")),
    );
    let call = start(&app).await;
    app.service().get("a").unwrap().request_stop();
    journal.until("~a").await;
    journal.tell("b", Act::Ready);
    idle().await;
    assert_eq!(journal.count("+c"), 0);
    journal.tell("a", Act::Complete);
    outcome(call).await.unwrap();
    assert_eq!(journal.count("+c"), 1);
    stopped(&app).await;
}
