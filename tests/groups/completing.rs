//! Members that complete, and groups that do.

use startstop_core::{
    Cause, Context, Exit, Group, Member, OnCompletion, OnFailure, State, service_fn,
};

use crate::support::groups::{Act, Journal, beside, ended_by, ignored, on, started, stopped, two};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_group_completes_with_its_last_member() {
    let journal = Journal::new();
    let app = two(&journal).await;
    journal.tell("a", Act::Complete);
    idle().await;
    assert!(app.is_running());
    assert_eq!(journal.take(), ["+a", "+b", "-a"]);
    journal.tell("b", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_completion_can_end_the_group() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b"))
            .with(
                "x",
                Member::new(journal.probe("x")).on_completion(OnCompletion::StopGroup),
            ),
    )
    .await;
    journal.tell("x", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(journal.moves()[3..], ["-x", "-b", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_the_group_counts_as_a_start() {
    let journal = Journal::new();
    let job = Member::new(journal.probe("job").job().always(Act::Complete));
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("job", job.on_completion(OnCompletion::StopGroup)),
    )
    .await;
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(journal.moves(), ["+a", "+job", "-job", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_of_which_all_that_ended_have_failed_fails_with_the_last_failure() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::Ignore, journal.probe("a")))
            .with("hand", journal.probe("hand"))
            .with("b", on(OnFailure::Ignore, journal.probe("b"))),
    )
    .await;
    within(app.service().get("hand").unwrap().stop())
        .await
        .unwrap();
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(app.state(), State::Running);
    journal.tell("a", Act::Fail);
    ended_by(&app, "a").await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_completed_makes_up_for_those_that_have_failed() {
    let journal = Journal::new();
    let app = ignored(&journal, &["b"]).await;
    journal.tell("b", Act::Complete);
    journal.tell("a", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_group_completes_beside_ignored_and_stopped_members() {
    let journal = Journal::new();
    let app = ignored(&journal, &["b", "c"]).await;
    journal.tell("a", Act::Fail);
    within(app.service().get("b").unwrap().stop())
        .await
        .unwrap();
    journal.tell("c", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_group_of_jobs_starts_and_completes() {
    let journal = Journal::new();
    let job = |name| journal.probe(name).job().always(Act::Complete);
    let app = started(
        Group::builder("app")
            .with("a", job("a"))
            .then("b", job("b"))
            .then("c", job("c")),
    )
    .await;
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(journal.take(), ["+a", "-a", "+b", "-b", "+c", "-c"]);
    within(app.start()).await.unwrap();
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(journal.count("+c"), 2);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_last_but_one_by_removal_completes_the_group() {
    let journal = Journal::new();
    let app = beside(&journal).await;
    journal.tell("a", Act::Complete);
    idle().await;
    within(app.service().remove("b")).await.unwrap();
    assert_eq!(within(app.wait()).await, Exit::Completed);
}

/// Source: swift-server/swift-service-lifecycle 207. A server returns `Ok` by mistake.
#[tokio::test(start_paused = true)]
async fn a_server_that_leaves_early_has_failed() {
    let journal = Journal::new();
    let http = Member::new(journal.probe("http")).on_completion(OnCompletion::Fail);
    let app = started(
        Group::builder("app")
            .with("db", journal.probe("db"))
            .then("http", http),
    )
    .await;
    journal.tell("http", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    let http = app.service().get("http").unwrap();
    let failure = http.errors_last().unwrap();
    assert_eq!(
        (failure.cause(), failure.path()),
        (Cause::Completed, "app/http")
    );
    assert!(format!("{:?}", app.errors_last().unwrap()).contains("app/http"));
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_is_a_failure_is_followed_by_the_policy_of_the_member() {
    let journal = Journal::new();
    let http =
        on(OnFailure::RestartMember, journal.probe("http")).on_completion(OnCompletion::Fail);
    let app = started(Group::builder("app").with("http", http)).await;
    journal.tell("http", Act::Complete);
    idle().await;
    assert_eq!(journal.take(), ["+http", "-http", "+http"]);
    assert_eq!(app.errors_last().unwrap().cause(), Cause::Completed);
    // A stop by request is no failure.
    within(app.service().get("http").unwrap().stop())
        .await
        .unwrap();
    idle().await;
    assert_eq!(app.errors_list().len(), 1);
    assert!(app.is_ready());
    stopped(&app).await;
}

/// Source: actix/actix-web 148 and 1315. A handler wants to end the program.
#[tokio::test(start_paused = true)]
async fn a_member_that_asks_for_its_own_stop_has_completed_where_that_ends_the_group() {
    let own = || {
        service_fn(async |cx: Context| {
            tokio::time::sleep(SECOND).await;
            cx.request_stop();
            cx.cancelled().await;
        })
    };
    let journal = Journal::new();
    let with = |on_completion| {
        let http = Member::new(own()).on_completion(on_completion);
        started(
            Group::builder("app")
                .with("db", journal.probe("db"))
                .with("http", http),
        )
    };
    let app = with(OnCompletion::StopGroup).await;
    assert_eq!(within(app.wait()).await, Exit::Completed);
    let app = with(OnCompletion::Fail).await;
    tokio::time::sleep(10 * SECOND).await;
    assert!(app.is_ready() && app.errors_list().is_empty());
    stopped(&app).await;
}
