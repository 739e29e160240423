//! Members that run before their group does, and runners that others share.

use startstop_core::{Group, Member, OnFailure, Runner, Settings, State};
use tokio::time::Instant;

use crate::support::groups::{
    Act, Journal, Probe, Starting, aborted, begin, built, one, outcome, start, started, stop,
    stopped,
};
use crate::support::{idle, within};

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
async fn a_member_that_runs_already_is_adopted_as_it_is() {
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
    let app = started(Group::builder("app").with("a", journal.probe("a")).with(
        "http",
        Member::new(http.clone()).on_failure(OnFailure::RestartAll),
    ))
    .await;
    journal.tell("http", Act::Fail);
    idle().await;
    assert_eq!((journal.count("+http"), journal.count("+a")), (2, 2));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopping_when_the_group_starts_is_started_after_its_end() {
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

/// `http` runs already; the start of its group still waits for `a`, which comes before.
async fn not_come_so_far(journal: &Journal) -> (Runner<Group>, Runner<Probe>, Starting) {
    let http = Runner::new(journal.probe("http").stops_in(1));
    within(http.start()).await.unwrap();
    let builder = Group::builder("app").with("a", journal.probe("a").explicit());
    let app = built(builder.then("http", http.clone()));
    let call = start(&app).await;
    (app, http, call)
}

#[tokio::test(start_paused = true)]
async fn a_member_that_runs_already_stops_with_a_group_that_did_not_come_so_far() {
    let journal = Journal::new();
    let (app, http, call) = not_come_so_far(&journal).await;
    within(app.stop()).await.unwrap();
    outcome(call).await.unwrap_err();
    assert_eq!((http.state(), journal.live()), (State::Stopped, 0));
    assert_eq!(
        journal.take(),
        ["+http", "+a", "~http", "-http", "~a", "-a"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_that_runs_already_is_stopped_by_its_removal() {
    let journal = Journal::new();
    let (app, http, call) = not_come_so_far(&journal).await;
    within(app.service().remove("http")).await.unwrap();
    assert_eq!((http.state(), journal.live()), (State::Stopped, 1));
    journal.tell("a", Act::Ready);
    outcome(call).await.unwrap();
    stopped(&app).await;
}

/// A group that does not come so far as to start `http`, since what comes before is not ready.
async fn not_so_far(journal: &Journal, http: &Runner<Probe>) -> Runner<Group> {
    let a = journal.probe("a").explicit();
    let app = built(
        Group::builder("app")
            .with("a", a)
            .then("http", http.clone()),
    );
    app.request_start();
    idle().await;
    app
}

async fn up(probe: Probe) -> Runner<Probe> {
    let runner = Runner::new(probe);
    within(runner.start()).await.unwrap();
    idle().await;
    runner
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopping_has_its_own_time_when_the_group_ends() {
    let journal = Journal::new();
    let http = up(journal.probe("http").stops_in(3)).await;
    let caller = http.clone();
    let stopping = begin(async move { caller.stop().await }).await;
    let app = not_so_far(&journal, &http).await;
    stopped(&app).await;
    outcome(stopping).await.unwrap();
    assert_eq!((http.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_restarting_does_not_start_again_when_the_group_ends() {
    let journal = Journal::new();
    let http = up(journal.probe("http").lingers()).await;
    http.request_restart();
    let app = not_so_far(&journal, &http).await;
    within(app.stop())
        .await
        .expect_err("it does not stop in its time");
    assert_eq!((http.state(), journal.count("+http")), (State::Stopped, 1));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopping_is_aborted_with_the_group() {
    let journal = Journal::new();
    let http = up(journal.probe("http").stops_in(3)).await;
    http.request_stop();
    let app = not_so_far(&journal, &http).await;
    let call = stop(&app).await;
    let begun = Instant::now();
    aborted(&app).await;
    outcome(call).await.unwrap();
    assert_eq!((http.state(), journal.live()), (State::Stopped, 0));
    assert_eq!(journal.seconds(begun, "-http"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopping_is_down_once_it_is_removed() {
    let journal = Journal::new();
    let http = up(journal.probe("http").stops_in(3)).await;
    http.request_stop();
    let app = not_so_far(&journal, &http).await;
    within(app.service().remove("http")).await.unwrap();
    assert_eq!(
        (http.state(), app.service().members()),
        (State::Stopped, vec!["a".to_owned()])
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopping_when_it_is_inserted_is_started_after_its_end() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let x = up(journal.probe("x").stops_in(3)).await;
    x.request_stop();
    within(app.service().insert("x", x.clone())).await.unwrap();
    assert!(x.is_running());
    idle().await;
    assert_eq!(journal.moves(), ["+a", "+x", "-x", "+x"]);
    stopped(&app).await;
    assert_eq!((x.state(), journal.live()), (State::Stopped, 0));
}
