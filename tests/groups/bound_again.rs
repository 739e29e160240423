//! More of members that are bound to others: failures for good, hands, changes and stops.

use startstop_core::{Cause, DependencyFailed, Exit, Group, Member, OnFailure, Runner};

use super::bound::{bound, restarts_in, running};
use crate::support::groups::{Act, Journal, begin, find, insert, on, outcome, started, stopped};
use crate::support::{SECOND, idle, within};

/// A database, and what is bound to it and takes 4 s to stop.
async fn with_slow_http(journal: &Journal) -> Runner<Group> {
    started(
        Group::builder("app")
            .with("db", journal.probe("db"))
            .with("http", bound("db", journal.probe("http").stops_in(4))),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn when_it_has_failed_for_good_they_fail_with_it() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("other", journal.probe("other"))
            .with("db", on(OnFailure::Ignore, journal.probe("db")))
            .with(
                "http",
                bound("db", journal.probe("http")).on_failure(OnFailure::Ignore),
            )
            .with(
                "page",
                bound("http", journal.probe("page")).on_failure(OnFailure::Ignore),
            )
            .with("log", Member::new(journal.probe("log")).after(["db"])),
    )
    .await;
    journal.take();
    journal.tell("db", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-db", "~page", "-page", "~http", "-http"]);
    for (name, dependency) in [("http", "db"), ("page", "http")] {
        let failure = app.service().get(name).unwrap().errors_last().unwrap();
        assert_eq!(
            find::<DependencyFailed>(&failure).unwrap().dependency(),
            dependency
        );
    }
    let paths: Vec<String> = app
        .errors_list()
        .iter()
        .map(|failure| failure.path().to_owned())
        .collect();
    assert_eq!(paths, ["app/db", "app/http", "app/page"]);
    assert!(app.is_ready(), "they are settled");
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_rule_of_bound_members_decides_what_follows_when_it_has_failed_for_good() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("other", journal.probe("other"))
            .with("db", on(OnFailure::Ignore, journal.probe("db")))
            .with("http", bound("db", journal.probe("http"))),
    )
    .await;
    journal.tell("db", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    let failure = app.errors_last().unwrap();
    assert_eq!(
        find::<DependencyFailed>(&failure).unwrap().dependency(),
        "db"
    );
    assert_eq!(failure.cause(), Cause::Error);
}

#[tokio::test(start_paused = true)]
async fn a_bound_member_started_by_hand_while_it_is_down_stays_up() {
    let journal = Journal::new();
    let app = running(&journal).await;
    let [db, http] = ["db", "http"].map(|name| app.service().get(name).unwrap());
    within(db.stop()).await.unwrap();
    idle().await;
    within(http.start()).await.unwrap();
    idle().await;
    journal.take();
    within(db.start()).await.unwrap();
    idle().await;
    assert_eq!(
        journal.take(),
        ["+db"],
        "what is bound to one that runs has run since"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn bound_members_come_up_when_they_are_down_though_it_is_ready_before() {
    let journal = Journal::new();
    let app = with_slow_http(&journal).await;
    within(app.service().get("db").unwrap().restart())
        .await
        .unwrap();
    tokio::time::sleep(10 * SECOND).await;
    let lines = journal.moves();
    assert_eq!(lines, ["+db", "+http", "-db", "+db", "-http", "+http"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_bound_member_that_is_inserted_is_bound_as_well() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with(
        "db",
        restarts_in(5, journal.probe("db").explicit()).always(Act::Ready),
    ))
    .await;
    within(
        app.service()
            .insert("http", bound("db", journal.probe("http"))),
    )
    .await
    .unwrap();
    journal.tell("db", Act::Fail);
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(journal.count("+http"), 2);
    assert!(
        app.service().remove("db").await.is_err(),
        "it has a dependent"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_goes_on_while_what_it_is_bound_to_is_down() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("db", restarts_in(5, journal.probe("db")))).await;
    let call = insert(&app, "http", bound("db", journal.probe("http").explicit())).await;
    journal.tell("db", Act::Fail);
    idle().await;
    assert!(!call.is_finished());
    tokio::time::sleep(6 * SECOND).await;
    journal.tell("http", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!(app.service().members(), ["db", "http"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_inserted_while_it_is_stopped_by_hand_is_settled_like_it() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("db", journal.probe("db"))
            .with("log", journal.probe("log")),
    )
    .await;
    let (group, db) = (app.service(), app.service().get("db").unwrap());
    within(db.stop()).await.unwrap();
    let http = bound("db", journal.probe("http")).after(["log"]);
    within(group.insert("http", http)).await.unwrap();
    let page = bound("http", journal.probe("page").explicit());
    within(group.insert("page", page)).await.unwrap();
    assert_eq!(journal.live(), 1, "the log goes on");
    assert!(app.is_ready(), "{}", app.status());
    journal.take();
    within(db.start()).await.unwrap();
    idle().await;
    assert_eq!(journal.take(), ["+db", "+http", "+page"]);
    assert!(!app.is_ready(), "it is one of the group");
    within(db.stop()).await.unwrap();
    within(group.remove("page")).await.unwrap();
    within(group.remove("http")).await.unwrap();
    assert_eq!(group.members(), ["db", "log"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_is_over_when_what_it_is_bound_to_is_stopped_by_hand() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("db", restarts_in(5, journal.probe("db")))).await;
    let db = app.service().get("db").unwrap();
    journal.tell("db", Act::Fail);
    idle().await;
    let http = bound("db", journal.probe("http").explicit());
    let call = insert(&app, "http", http).await;
    within(db.restart()).await.unwrap();
    idle().await;
    assert!(!call.is_finished(), "a restart is no stop");
    within(db.stop()).await.unwrap();
    outcome(call).await.unwrap();
    assert_eq!(app.service().members(), ["db", "http"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_inserted_meanwhile_fails_as_a_member_when_it_comes_up() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("db", journal.probe("db"))).await;
    let db = app.service().get("db").unwrap();
    within(db.stop()).await.unwrap();
    let http = bound("db", journal.probe("http").explicit());
    within(app.service().insert("http", http)).await.unwrap();
    within(db.start()).await.unwrap();
    idle().await;
    journal.tell("http", Act::Fail);
    assert_eq!(within(app.wait()).await, startstop_core::Exit::Failed);
    assert_eq!(app.service().members(), ["db", "http"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_the_group_meanwhile_wins() {
    let journal = Journal::new();
    let app = with_slow_http(&journal).await;
    let db = app.service().get("db").unwrap();
    let call = begin(async move { db.restart().await }).await;
    stopped(&app).await;
    drop(outcome(call).await);
    assert_eq!((journal.count("+http"), journal.live()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_bound_member_that_belongs_to_two_goes_down_with_either() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("db", journal.probe("db"))
            .with("cache", journal.probe("cache"))
            .with(
                "http",
                Member::new(journal.probe("http"))
                    .bound_to(["db"])
                    .bound_to(["cache"]),
            ),
    )
    .await;
    for name in ["db", "cache"] {
        within(app.service().get(name).unwrap().restart())
            .await
            .unwrap();
        idle().await;
    }
    assert_eq!(journal.count("+http"), 3);
    let [db, cache] = ["db", "cache"].map(|name| app.service().get(name).unwrap());
    within(db.stop()).await.unwrap();
    within(cache.stop()).await.unwrap();
    within(db.start()).await.unwrap();
    idle().await;
    assert_eq!(journal.count("+http"), 3, "the cache is still down");
    within(cache.start()).await.unwrap();
    idle().await;
    assert_eq!(journal.count("+http"), 4);
    stopped(&app).await;
}
