//! More of `remove`: before, while and after the group runs.

use std::sync::{Arc, Weak};

use startstop_core::{
    Context, Group, GroupError, Member, OnFailure, Readiness, Runner, Service, Settings, State,
    StopError, service_fn,
};

use crate::support::groups::{
    Act, Journal, aborted, built, on, one, outcome, quiet, remove, restarting, started, stop,
    stopped,
};
use crate::support::{idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_is_stopped_and_gone() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b").stops_in(3)),
    )
    .await;
    let handle = app.service().get("b").unwrap();
    within(app.service().remove("b")).await.unwrap();
    assert_eq!((handle.state(), journal.live()), (State::Stopped, 1));
    assert!(app.service().get("b").is_none());
    let error = within(app.service().remove("b")).await.unwrap_err();
    assert!(
        matches!(error, GroupError::UnknownMember { .. }),
        "{error:?}"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn others_that_depend_on_it_keep_it() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b"))
            .then("c", journal.probe("c")),
    );
    for _ in 0..2 {
        let error = within(app.service().remove("a")).await.unwrap_err();
        let GroupError::HasDependents { name, dependents } = error else {
            panic!("{error:?}")
        };
        assert_eq!((&*name, dependents), ("a", vec!["c".to_owned()]));
        within(app.start()).await.unwrap();
    }
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_members_own_failure_to_stop_is_told() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").lingers())
            .with("c", journal.probe("c").fails_to_stop()),
    )
    .await;
    let error = within(app.service().remove("b")).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Stop(StopError::TimedOut)),
        "{error:?}"
    );
    let error = within(app.service().remove("c")).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Stop(StopError::Failed(_))),
        "{error:?}"
    );
    assert_eq!(app.service().members(), ["a"]);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_removal_waits_for_a_restart_under_way() {
    let journal = Journal::new();
    let app = restarting(&journal, &["x"]).await;
    let call = remove(&app, "x").await;
    assert!(!call.is_finished() && journal.count("-x") == 0);
    journal.tell("b", Act::Complete);
    outcome(call).await.unwrap();
    assert_eq!(journal.count("-x"), 1);
    assert_eq!(app.service().members(), ["a", "b"]);
    aborted(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_restarting_itself_is_removed_after_it() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").stops_in(1)),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    let call = remove(&app, "b").await;
    outcome(call).await.unwrap();
    assert_eq!(
        (app.service().members(), journal.live()),
        (vec!["a".to_owned()], 1)
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_the_group_answers_it() {
    let journal = Journal::new();
    let app = restarting(&journal, &["x"]).await;
    let call = remove(&app, "x").await;
    let stopping = stop(&app).await;
    journal.tell("b", Act::Complete);
    outcome(stopping).await.unwrap();
    let removed = outcome(call).await;
    let there = app.service().members().contains(&"x".to_owned());
    assert_eq!(removed.is_err(), there, "{removed:?}");
    let error = within(app.service().remove("nobody")).await.unwrap_err();
    assert!(
        matches!(error, GroupError::UnknownMember { .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_removal_goes_on() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").lingers()),
    )
    .await;
    let call = remove(&app, "b").await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    journal.tell("b", Act::Complete);
    idle().await;
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn two_removals_of_one_are_both_answered() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").stops_in(1)),
    )
    .await;
    let (first, second) =
        within(async { tokio::join!(app.service().remove("b"), app.service().remove("b")) }).await;
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn members_behind_a_removed_one_keep_their_order() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let after = |name: &str, dep: &str| Member::new(journal.probe(name)).after([dep.to_owned()]);
    for _ in 0..3 {
        let group = app.service();
        within(group.insert("b", after("b", "a"))).await.unwrap();
        within(group.insert("c", after("c", "a"))).await.unwrap();
        within(group.remove("b")).await.unwrap();
        within(group.insert("d", after("d", "c"))).await.unwrap();
        within(group.insert("e", after("e", "d"))).await.unwrap();
        journal.take();
        within(app.restart()).await.unwrap();
        idle().await;
        let order = [
            "~e", "-e", "~d", "-d", "~c", "-c", "~a", "-a", "+a", "+c", "+d", "+e",
        ];
        assert_eq!(journal.take(), order);
        for name in ["e", "d", "c"] {
            within(app.service().remove(name)).await.unwrap();
        }
        assert_eq!(app.service().members(), ["a"]);
    }
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_stops_refuses_it() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("a", journal.probe("a").stops_in(3))).await;
    let stopping = stop(&app).await;
    let error = within(app.service().remove("a")).await.unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    outcome(stopping).await.unwrap();
    assert_eq!(app.service().members(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_removal_a_stop_cancels_is_a_member_as_before() {
    let journal = Journal::new();
    let builder = Group::builder("app").with("a", journal.probe("a"));
    let app = started(builder.with("b", journal.probe("b").lingers())).await;
    let call = remove(&app, "b").await;
    aborted(&app).await;
    let error = outcome(call).await.unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    let c = Member::new(journal.probe("c")).after(["b"]);
    within(app.service().insert("c", c)).await.unwrap();
    assert_eq!(app.service().members(), ["a", "b", "c"]);
}

/// A service that holds a value until it is dropped, and that value.
fn holding(fails: bool) -> (impl Service, Weak<()>) {
    let value = Arc::new(());
    let held = Arc::downgrade(&value);
    let service = service_fn(move |cx: Context| {
        let value = Arc::clone(&value);
        async move {
            if fails {
                return Err("no such table");
            }
            cx.ready();
            cx.cancelled().await;
            drop(value);
            Ok(())
        }
    });
    (service, held)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_answered_finds_the_value_of_the_service_gone() {
    let app = Runner::new(Group::builder("app").with("a", quiet()).build().unwrap());
    app.start().await.unwrap();
    let group = app.service();
    let explicit = || Settings::new().readiness(Readiness::Explicit);
    let mut left = [0, 0];
    for _ in 0..500 {
        let (service, held) = holding(false);
        let member = Member::new(service).settings(explicit());
        group.insert("x", member).await.unwrap();
        group.remove("x").await.unwrap();
        left[0] += held.strong_count();
        let (service, held) = holding(true);
        let member = Member::new(service).settings(explicit());
        group.insert("x", member).await.unwrap_err();
        left[1] += held.strong_count();
    }
    assert_eq!(
        left,
        [0, 0],
        "after removals, and after insertions that failed"
    );
    app.stop().await.unwrap();
}
