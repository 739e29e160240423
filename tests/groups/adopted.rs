//! Members that run before their group does, and runners that others share.

use startstop_core::{Group, Member, OnFailure, Runner, Settings, State};

use super::support::{Act, Journal, built, idle, outcome, start, started, stopped, within};

#[tokio::test(start_paused = true)]
async fn a_shared_runner_stays_a_handle() {
    let journal = Journal::new();
    let http = Runner::with_settings(journal.probe("http"), Settings::new().name("http"));
    let app = started(Group::builder("app").with("web", http.clone())).await;
    assert!(http.is_running());
    within(http.stop()).await.unwrap();
    idle().await;
    assert!(app.is_running() && app.service().get("web").unwrap().state() == State::Stopped);
    within(http.start()).await.unwrap();
    stopped(&app).await;
    assert_eq!((http.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_runs_already_is_adopted_as_it_is() {
    let journal = Journal::new();
    let http = Runner::new(journal.probe("http"));
    within(http.start()).await.unwrap();
    let app = started(Group::builder("app").with("http", http.clone())).await;
    idle().await;
    assert_eq!(journal.take(), ["+http"]);
    stopped(&app).await;
    assert_eq!(journal.moves(), ["-http"]);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_one_fails_as_a_member() {
    let journal = Journal::new();
    let http = Runner::new(journal.probe("http"));
    within(http.start()).await.unwrap();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("http", Member::new(http.clone()).on_failure(OnFailure::RestartAll)),
    )
    .await;
    journal.tell("http", Act::Fail);
    idle().await;
    assert_eq!((journal.count("+http"), journal.count("+a")), (2, 2));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopping_when_the_group_starts_is_started_after_its_end() {
    let journal = Journal::new();
    let http = Runner::new(journal.probe("http").stops_in(3));
    within(http.start()).await.unwrap();
    idle().await;
    http.request_stop();
    idle().await;
    let app = started(Group::builder("app").with("http", http.clone())).await;
    idle().await;
    assert_eq!(journal.moves(), ["+http", "-http", "+http"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_runs_already_stops_with_a_group_that_did_not_come_so_far() {
    let journal = Journal::new();
    let http = Runner::new(journal.probe("http").stops_in(1));
    within(http.start()).await.unwrap();
    let app = built(
        Group::builder("app").with("a", journal.probe("a").explicit()).then("http", http.clone()),
    );
    let call = start(&app).await;
    within(app.stop()).await.unwrap();
    outcome(call).await.unwrap_err();
    assert_eq!((http.state(), journal.live()), (State::Stopped, 0));
    assert_eq!(journal.take(), ["+http", "+a", "~http", "-http", "~a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_runs_already_is_stopped_by_its_removal() {
    let journal = Journal::new();
    let http = Runner::new(journal.probe("http").stops_in(1));
    within(http.start()).await.unwrap();
    let app = built(
        Group::builder("app").with("a", journal.probe("a").explicit()).then("http", http.clone()),
    );
    let call = start(&app).await;
    within(app.service().remove("http")).await.unwrap();
    assert_eq!((http.state(), journal.live()), (State::Stopped, 1));
    journal.tell("a", Act::Ready);
    outcome(call).await.unwrap();
    stopped(&app).await;
}
