//! Members that complete, and groups that do.

use startstop_core::{Exit, Group, Member, OnCompletion, OnFailure, State};

use super::support::{Act, Journal, idle, on, started, stopped, two, within};

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
    let work = Member::new(journal.probe("work").job()).on_completion(OnCompletion::StopGroup);
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b"))
            .with("x", Member::new(journal.probe("x")).on_completion(OnCompletion::StopGroup)),
    )
    .await;
    drop(work);
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
async fn a_group_of_which_nothing_completed_does_not_complete() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::Ignore, journal.probe("a")))
            .with("b", journal.probe("b")),
    )
    .await;
    journal.tell("a", Act::Fail);
    within(app.service().get("b").unwrap().stop()).await.unwrap();
    idle().await;
    assert_eq!(app.state(), State::Running);
    within(app.service().get("b").unwrap().start()).await.unwrap();
    assert_eq!(journal.live(), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_completes_beside_ignored_and_stopped_members() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::Ignore, journal.probe("a")))
            .with("b", journal.probe("b"))
            .with("c", journal.probe("c")),
    )
    .await;
    journal.tell("a", Act::Fail);
    within(app.service().get("b").unwrap().stop()).await.unwrap();
    journal.tell("c", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_group_of_jobs_starts_and_completes() {
    let journal = Journal::new();
    let job = |name| journal.probe(name).job().always(Act::Complete);
    let app =
        started(Group::builder("app").with("a", job("a")).then("b", job("b")).then("c", job("c")))
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
    let app =
        started(Group::builder("app").with("a", journal.probe("a")).with("b", journal.probe("b")))
            .await;
    journal.tell("a", Act::Complete);
    idle().await;
    within(app.service().remove("b")).await.unwrap();
    assert_eq!(within(app.wait()).await, Exit::Completed);
}
