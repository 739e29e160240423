//! The events of what is made of services: of every member, with its path.

use startstop_core::{
    Context, Group, Member, Readiness, Runner, Service, Settings, once, service_fn,
};

use super::lines;
use crate::support::SECOND;

fn idle() -> impl Service {
    service_fn(async |cx: Context| cx.cancelled().await)
}

#[tokio::test]
async fn a_group_tells_what_happens_down_to_the_leaves() {
    let inner = Group::builder("x").with("pool", idle()).build().unwrap();
    let app = Group::builder("app")
        .with("db", inner)
        .then("http", idle())
        .build()
        .unwrap();
    let app = Runner::new(app);
    let mut events = app.events();
    app.start().await.unwrap();
    assert_eq!(
        lines(&mut events),
        [
            "app starting",
            "app/db starting",
            "app/db/pool starting",
            "app/db/pool ready",
            "app/db ready",
            "app/http starting",
            "app/http ready",
            "app ready",
        ]
    );
    app.stop().await.unwrap();
    let told = lines(&mut events);
    let at = |line: &str| told.iter().position(|other| other == line).expect(line);
    assert!(
        at("app/http stopped stopped") < at("app/db/pool stopping group"),
        "{told:#?}"
    );
    assert!(
        at("app/db/pool stopped stopped") < at("app/db stopped stopped"),
        "{told:#?}"
    );
    assert_eq!(told.last().unwrap(), "app stopped stopped");
}

#[tokio::test]
async fn a_member_that_comes_later_is_heard_from_its_first_event_to_its_last() {
    let app = Runner::new(Group::builder("app").build().unwrap());
    let mut events = app.events();
    app.service().insert("early", idle()).await.unwrap();
    app.start().await.unwrap();
    app.service()
        .insert("late", once(async |_cx| ()))
        .await
        .unwrap();
    app.service().remove("late").await.unwrap();
    app.service().remove("early").await.unwrap();
    let told = lines(&mut events);
    let of = |name: &str| -> Vec<String> {
        told.iter()
            .filter_map(|line| line.strip_prefix(name))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        of("app/early "),
        [
            "inserted",
            "starting",
            "ready",
            "stopping group",
            "stopped stopped",
            "removed"
        ]
    );
    assert_eq!(
        of("app/late "),
        [
            "inserted",
            "starting",
            "ready",
            "stopped completed",
            "removed"
        ]
    );
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_member_that_was_removed_is_not_heard_any_more() {
    let shared = Runner::new(idle());
    let app = Runner::new(
        Group::builder("app")
            .with("db", shared.clone())
            .build()
            .unwrap(),
    );
    let mut events = app.events();
    app.service().remove("db").await.unwrap();
    assert_eq!(lines(&mut events), ["app/db removed"]);
    shared.start().await.unwrap();
    shared.stop().await.unwrap();
    assert!(events.try_next().is_none());
}

#[tokio::test]
async fn a_member_of_two_groups_is_in_both_streams_with_its_own_path() {
    let shared = Runner::new(idle());
    let left = Runner::new(
        Group::builder("left")
            .with("db", shared.clone())
            .build()
            .unwrap(),
    );
    let right = Runner::new(
        Group::builder("right")
            .with("store", shared.clone())
            .build()
            .unwrap(),
    );
    let (mut on_left, mut on_right) = (left.events(), right.events());
    let mut own = shared.events();
    left.start().await.unwrap();
    right.start().await.unwrap();
    assert!(lines(&mut on_left).contains(&"left/db ready".to_owned()));
    assert!(lines(&mut on_right).contains(&"right/store ready".to_owned()));
    assert_eq!(lines(&mut own), ["left/db starting", "left/db ready"]);
    right.stop().await.unwrap();
    left.stop().await.unwrap();
}

#[tokio::test]
async fn a_whole_that_becomes_a_part_tells_its_own_readers_the_paths_from_the_outermost_on() {
    let deep = Group::builder("x").with("pool", idle()).build().unwrap();
    let inner = Group::builder("inner").with("db", deep).build().unwrap();
    let inner = Runner::new(inner);
    let mut own = inner.events();
    inner.start().await.unwrap();
    assert!(lines(&mut own).contains(&"inner/db/pool ready".to_owned()));
    inner.stop().await.unwrap();
    lines(&mut own);
    let app = Runner::new(
        Group::builder("app")
            .with("in", inner.clone())
            .build()
            .unwrap(),
    );
    app.start().await.unwrap();
    assert_eq!(
        lines(&mut own),
        [
            "app/in starting",
            "app/in/db starting",
            "app/in/db/pool starting",
            "app/in/db/pool ready",
            "app/in/db ready",
            "app/in ready",
        ]
    );
    app.stop().await.unwrap();
}

#[tokio::test]
async fn failures_of_members_bear_their_paths() {
    let inner = Group::builder("x").with("pool", once(async |_cx| Err::<(), _>("no route")));
    let app = Group::builder("app").with("db", Member::new(inner.build().unwrap()));
    let app = Runner::new(app.build().unwrap());
    let error = app.start().await.unwrap_err();
    let inner = app.service().get("db").unwrap();
    assert_eq!(inner.errors_last().unwrap().path(), "app/db");
    let text = format!("{error:?}");
    assert!(text.contains("\"app/db/pool\""), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_has_started_and_is_not_ready_says_so() {
    let wavers = service_fn(async |cx: Context| {
        cx.ready();
        cx.not_ready("no connection");
        tokio::time::sleep(2 * SECOND).await;
        cx.ready();
        cx.cancelled().await;
    });
    let late = service_fn(async |cx: Context| {
        tokio::time::sleep(SECOND).await;
        cx.ready();
        cx.cancelled().await;
    });
    let explicit = Settings::new().readiness(Readiness::Explicit);
    let group = Group::builder("app")
        .with("db", Member::new(wavers).settings(explicit.clone()))
        .with("http", Member::new(late).settings(explicit));
    let app = Runner::new(group.build().unwrap());
    let mut events = app.events();
    app.start().await.unwrap();
    assert!(app.is_running() && !app.is_ready());
    app.stop().await.unwrap();
    let told: Vec<String> = lines(&mut events)
        .into_iter()
        .filter(|line| line.starts_with("app "))
        .collect();
    assert_eq!(
        told,
        [
            "app starting",
            "app not ready: db",
            "app stopping requested",
            "app stopped stopped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_ends_by_itself_in_a_drain_is_not_ready_again() {
    let leaves = service_fn(async |cx: Context| {
        cx.draining().await;
        tokio::time::sleep(SECOND).await;
    });
    let app = Group::builder("app")
        .settings(Settings::new().drain(5 * SECOND))
        .with("http", leaves)
        .with("idle", idle());
    let app = Runner::new(app.build().unwrap());
    app.start().await.unwrap();
    let mut events = app.events();
    app.stop().await.unwrap();
    assert_eq!(
        lines(&mut events),
        [
            "app stopping requested",
            "app draining",
            "app/idle draining",
            "app/http draining",
            "app/http stopped completed",
            "app/idle stopping group",
            "app/idle stopped stopped",
            "app stopped stopped",
        ]
    );
}
