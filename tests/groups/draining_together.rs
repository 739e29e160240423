//! The drain of a group is that of all its members, down to the leaves.

use startstop_core::{
    Context, EventKind, Exit, Group, GroupBuilder, Member, OnCompletion, OnFailure, Readiness,
    Runner, Service, Settings, StartStop, State, StopReason, service_fn,
};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

use crate::support::groups::{Act, Journal, on, started};
use crate::support::{SECOND, idle, within};

fn draining() -> GroupBuilder {
    Group::builder("app").settings(Settings::new().drain(5 * SECOND))
}

fn drain(seconds: u32) -> Settings {
    Settings::new().drain(seconds * SECOND)
}

type Told = Arc<Mutex<Vec<String>>>;

/// Writes when it drains and when it is told to end.
fn server(told: &Told, name: &'static str) -> Runner<impl Service> {
    let told = Arc::clone(told);
    Runner::new(service_fn(move |cx: Context| {
        let told = Arc::clone(&told);
        async move {
            cx.draining().await;
            told.lock().unwrap().push(format!("d{name}"));
            cx.cancelled().await;
            told.lock().unwrap().push(format!("c{name}"));
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn all_members_are_told_to_drain_at_once_down_to_the_leaves_and_go_on() {
    let told = Told::default();
    let (a, b, c) = (server(&told, "a"), server(&told, "b"), server(&told, "c"));
    let inner = Group::builder("in").with("a", a.clone()).build().unwrap();
    let nested = Runner::new(b.clone()).boxed();
    let builder = draining()
        .with("in", inner)
        .with("boxed", nested)
        .then("c", c.clone());
    let app = started(builder).await;
    idle().await;
    let begun = Instant::now();
    app.request_stop();
    for part in [&a as &dyn StartStop, &b, &c] {
        assert_eq!(
            (part.state(), part.is_ready()),
            (State::Running, false),
            "{part:?}"
        );
    }
    idle().await;
    let mut drained = std::mem::take(&mut *told.lock().unwrap());
    drained.sort();
    assert_eq!(drained, ["da", "db", "dc"]);
    assert_eq!(begun.elapsed().as_secs(), 0);
    within(app.stop()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5);
    let told = told.lock().unwrap().clone();
    assert_eq!(
        (&*told[0], told.len()),
        ("cc", 3),
        "in reverse order, after the drain"
    );
}

#[tokio::test(start_paused = true)]
async fn the_drain_is_the_groups_own_or_the_longest_of_its_members() {
    for (own, expected) in [(None, 7), (Some(2), 2), (Some(0), 0)] {
        let journal = Journal::new();
        let inner = Group::builder("in").with("a", journal.probe("a").settings(drain(7)));
        let settings = own.map_or(Settings::new(), drain);
        let builder = Group::builder("app").settings(settings);
        let builder = builder.with("in", inner.build().unwrap());
        let app = started(builder.then("b", journal.probe("b").settings(drain(3)))).await;
        let begun = Instant::now();
        within(app.stop()).await.unwrap();
        assert_eq!(
            begun.elapsed().as_secs(),
            expected,
            "{own:?}: none is added"
        );
        assert_eq!(journal.seconds(begun, "~b"), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_drain_of_a_group_ends_early_when_all_members_have_ended() {
    let leaves = || service_fn(async |cx: Context| cx.draining().await);
    for on_completion in [OnCompletion::Ignore, OnCompletion::StopGroup] {
        let member = || Member::new(leaves()).on_completion(on_completion);
        let app = started(draining().with("a", member()).then("b", member())).await;
        idle().await;
        let begun = Instant::now();
        within(app.stop()).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 0);
        assert_eq!(within(app.wait()).await, Exit::Stopped);
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_ends_or_fails_in_a_drain_ends_it_for_nobody_else() {
    for act in [Act::Complete, Act::Fail] {
        let journal = Journal::new();
        let a = Member::new(journal.probe("a")).on_completion(OnCompletion::StopGroup);
        let app = started(draining().with("a", a).then("b", journal.probe("b"))).await;
        let begun = Instant::now();
        app.request_stop();
        idle().await;
        journal.tell("a", act);
        within(app.wait()).await;
        assert_eq!(journal.seconds(begun, "~b"), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn no_policy_starts_a_member_again_that_ends_in_a_drain() {
    use startstop_core::{Backoff, RestartPolicy};
    let policy = RestartPolicy::always().backoff(Backoff::constant(SECOND));
    for act in [Act::Complete, Act::Fail] {
        let journal = Journal::new();
        let a = journal
            .probe("a")
            .settings(Settings::new().restart(policy.clone()));
        let member = on(OnFailure::Ignore, a);
        let app = started(draining().with("a", member).with("b", journal.probe("b"))).await;
        app.request_stop();
        idle().await;
        journal.tell("a", act);
        within(app.stop()).await.unwrap();
        assert_eq!(journal.count("+a"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_starts_or_waits_for_an_attempt_is_stopped_when_it_begins() {
    use startstop_core::{Backoff, RestartPolicy};
    let journal = Journal::new();
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
    let retried = journal.probe("a").settings(Settings::new().restart(policy));
    let app = started(draining().with("a", retried).with("b", journal.probe("b"))).await;
    let group = app.service().clone();
    let late = tokio::spawn(async move { group.insert("c", slow()).await });
    journal.tell("a", Act::Fail);
    idle().await;
    let state = |name: &str| app.service().get(name).unwrap().state();
    assert_eq!((state("a"), state("c")), (State::Backoff, State::Starting));
    app.request_stop();
    idle().await;
    assert_eq!((state("a"), state("b")), (State::Stopped, State::Running));
    within(late).await.unwrap().unwrap_err();
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_member_in_backoff_is_stopped_when_a_drain_begins_though_others_depend_on_it() {
    use startstop_core::{Backoff, RestartPolicy};
    for bound in [false, true] {
        let journal = Journal::new();
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
        let db = journal
            .probe("db")
            .settings(Settings::new().restart(policy));
        let user = Member::new(journal.probe("user"));
        let user = if bound {
            user.bound_to(["db"])
        } else {
            user.after(["db"])
        };
        let app = started(draining().with("db", db).with("user", user)).await;
        journal.tell("db", Act::Fail);
        idle().await;
        app.request_stop();
        idle().await;
        let state = |name: &str| app.service().get(name).unwrap().state();
        assert_eq!(state("db"), State::Stopped, "bound: {bound}");
        within(app.stop()).await.unwrap();
        assert_eq!(journal.count("+db"), 1, "bound: {bound}");
    }
}

/// Is never ready.
fn slow() -> Runner<impl Service> {
    let settings = Settings::new().readiness(Readiness::Explicit);
    Runner::with_settings(service_fn(async |cx| cx.cancelled().await), settings)
}

#[tokio::test(start_paused = true)]
async fn the_time_that_is_allowed_is_for_the_drain_as_well() {
    let journal = Journal::new();
    let builder = Group::builder("app").settings(drain(60));
    let app = started(builder.with("a", journal.probe("a").lingers())).await;
    let begun = Instant::now();
    within(app.stop_within(6 * SECOND)).await.unwrap_err();
    assert_eq!(journal.seconds(begun, "~a"), 3);
    assert_eq!(begun.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopped_by_hand_in_a_drain_has_what_is_left_of_its_own() {
    let journal = Journal::new();
    let a = journal.probe("a").settings(drain(3));
    let app = started(draining().with("a", a).with("b", journal.probe("b"))).await;
    let begun = Instant::now();
    app.request_stop();
    tokio::time::sleep(SECOND).await;
    within(app.service().get("a").unwrap().stop())
        .await
        .unwrap();
    assert_eq!(journal.seconds(begun, "~a"), 3);
    within(app.stop()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_restart_by_the_group_does_not_drain() {
    let journal = Journal::new();
    let b = journal.probe("b").settings(drain(30));
    let a = on(OnFailure::RestartDependents, journal.probe("a"));
    let app = started(Group::builder("app").with("a", a).then("b", b)).await;
    let begun = Instant::now();
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    assert!(begun.elapsed() < 10 * SECOND);
    within(app.stop_within(SECOND)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn members_tell_of_the_drain_before_they_stop_and_the_group_after() {
    let journal = Journal::new();
    let app = started(draining().with("a", journal.probe("a"))).await;
    let mut events = app.events();
    within(app.stop()).await.unwrap();
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        let word = match event.kind() {
            EventKind::Stopping(StopReason::Requested | StopReason::Group) => "stopping",
            EventKind::Draining => "draining",
            EventKind::Stopped { .. } => "stopped",
            other => panic!("{other:?}"),
        };
        told.push(format!("{} {word}", event.path()));
    }
    let expected = [
        "app stopping",
        "app draining",
        "app/a draining",
        "app/a stopping",
    ];
    assert_eq!(told[..4], expected);
    assert_eq!(told[4..], ["app/a stopped", "app stopped"]);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_members_and_a_thousand_levels_drain() {
    let mut inner = Group::builder("leaf");
    for at in 0..10_000 {
        inner = inner.with(
            format!("m{at}"),
            service_fn(async |cx: Context| cx.draining().await),
        );
    }
    let mut group = inner.build().unwrap();
    for _ in 0..100 {
        group = Group::builder("level")
            .with("below", group)
            .build()
            .unwrap();
    }
    let app = Arc::new(Runner::with_settings(group, drain(5)));
    within(app.start()).await.unwrap();
    idle().await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 0);
}
