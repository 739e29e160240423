//! The status of a group as a tree.

use std::time::Duration;

use startstop_core::{
    Backoff, Group, Member, OnFailure, RestartPolicy, Runner, Settings, State, service_fn,
};

use crate::support::groups::{Journal, built, one, started, stopped};
use crate::support::{SECOND, idle, within};

/// Fails after 187.2 seconds, and twice after two more.
fn cache() -> Runner<impl startstop_core::Service> {
    let run = |cx: startstop_core::Context| async move {
        if cx.attempt() == 1 {
            tokio::time::sleep(Duration::from_millis(187_200)).await;
        }
        Err::<(), _>("connection refused")
    };
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(2 * SECOND));
    Runner::with_settings(
        service_fn(run),
        Settings::new().name("cache").restart(policy),
    )
}

#[tokio::test(start_paused = true)]
async fn the_status_tree_is_drawn_with_name_state_uptime_and_backoff() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("db", journal.probe("db"))
            .with("cache", cache())
            .with("http", journal.probe("http")),
    );
    within(app.start()).await.unwrap();
    let begun = tokio::time::Instant::now();
    tokio::time::sleep(SECOND).await;
    within(app.service().get("http").unwrap().restart())
        .await
        .unwrap();
    tokio::time::sleep_until(begun + 192 * SECOND).await;
    let expected = [
        "app            running    3m12s",
        "├─ db          running    3m12s",
        "├─ cache       backoff    attempt 4 in 1.2s    connection refused",
        "└─ http        running    3m11s",
    ];
    assert_eq!(app.status().to_string(), expected.join("\n"));
    assert_eq!(app.service().status().to_string(), expected.join("\n"));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn reasons_stand_beside_what_has_none() {
    let journal = Journal::new();
    let fails = service_fn(async |_cx| Err::<(), _>("connection refused"));
    let ignored = Member::new(fails).on_failure(OnFailure::Ignore);
    let app = started(
        Group::builder("app")
            .with("db", ignored)
            .with("http", journal.probe("http")),
    );
    let app = app.await;
    tokio::time::sleep(100 * 24 * 3_600 * SECOND + 11 * 3_600 * SECOND).await;
    let expected = [
        "app            running    100d11h",
        "├─ db          stopped    failed    connection refused",
        "└─ http        running    100d11h",
    ];
    assert_eq!(app.status().to_string(), expected.join("\n"));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn groups_in_groups_are_branches() {
    let journal = Journal::new();
    let inner = |name: &'static str, first: &str, second: &str| {
        let builder = Group::builder(name).with(first, journal.probe(first));
        builder.with(second, journal.probe(second)).build().unwrap()
    };
    let app = started(
        Group::builder("app")
            .with("w", journal.probe("w"))
            .with("x", inner("x", "a", "b"))
            .with("y", inner("y", "c", "d")),
    )
    .await;
    tokio::time::sleep(3 * 60 * SECOND + 12 * SECOND).await;
    let text = app.status().to_string();
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.split("    ").next().unwrap().trim_end())
        .collect();
    let expected = [
        "app",
        "├─ w",
        "├─ x",
        "│  ├─ a",
        "│  └─ b",
        "└─ y",
        "   ├─ c",
        "   └─ d",
    ];
    assert_eq!(names, expected, "{text}");
    assert!(
        text.lines().all(|line| line.ends_with("running    3m12s")),
        "{text}"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_status_tree_tells_of_each_member_what_its_handle_tells() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", Member::new(journal.probe("b")).after(["a"])),
    )
    .await;
    within(app.service().get("b").unwrap().stop())
        .await
        .unwrap();
    idle().await;
    let tree = app.status();
    let states: Vec<State> = tree
        .children()
        .iter()
        .map(startstop_core::Status::state)
        .collect();
    assert_eq!(states, [State::Running, State::Stopped]);
    assert!(tree.is_ready() && tree.children()[0].is_ready());
    assert_eq!(tree.children()[0].cycles(), 1);
    stopped(&app).await;
    assert_eq!(app.service().status().state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn inserted_members_are_in_the_tree_and_removed_ones_are_not() {
    let journal = Journal::new();
    let app = one(&journal).await;
    within(app.service().insert("b", journal.probe("b")))
        .await
        .unwrap();
    assert_eq!(app.status().children().len(), 2);
    within(app.service().remove("a")).await.unwrap();
    assert_eq!(app.status().children()[0].name(), "b");
    stopped(&app).await;
}
