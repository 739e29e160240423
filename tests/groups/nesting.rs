//! Groups in groups.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{
    Backoff, Group, GroupError, Member, OnFailure, RestartPolicy, Runner, Settings, State,
    service_fn,
};

use crate::support::groups::{Act, Journal, aborted, built, ended_by, find, on, started, stopped};
use crate::support::{idle, within};

fn pair(journal: &Journal, name: &'static str, first: &str, second: &str) -> Group {
    Group::builder(name)
        .with(first, journal.probe(first))
        .then(second, journal.probe(second))
        .build()
        .unwrap()
}

async fn two_pairs(journal: &Journal) -> Runner<Group> {
    let builder = Group::builder("app").with("x", pair(journal, "x", "a", "b"));
    started(builder.then("y", pair(journal, "y", "c", "d"))).await
}

#[tokio::test(start_paused = true)]
async fn a_group_in_a_group_starts_and_stops_as_one_member() {
    let journal = Journal::new();
    let app = two_pairs(&journal).await;
    stopped(&app).await;
    let expected = ["+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a"];
    assert_eq!(journal.moves(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_failure_escalates_to_the_top() {
    let journal = Journal::new();
    let app = two_pairs(&journal).await;
    journal.tell("a", Act::Fail);
    ended_by(&app, "a").await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_policy_half_way_up_ends_the_escalation() {
    let journal = Journal::new();
    let inner = Member::new(pair(&journal, "x", "a", "b")).on_failure(OnFailure::RestartMember);
    let app = started(
        Group::builder("app")
            .with("x", inner)
            .with("z", journal.probe("z")),
    )
    .await;
    journal.take();
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(journal.moves(), ["-a", "-b", "+a", "+b"]);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_groups_own_policy_restarts_it() {
    let journal = Journal::new();
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(2)));
    let app = started(
        Group::builder("app")
            .settings(Settings::new().restart(policy))
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b")),
    )
    .await;
    journal.take();
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(app.state(), State::Backoff);
    within(app.wait_for(State::Running)).await;
    assert_eq!(journal.moves(), ["-b", "-a", "+a", "+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_groups_deadline_reaches_down() {
    let journal = Journal::new();
    let long = Settings::new().stop_timeout(Duration::from_secs(90));
    let inner = Group::builder("inner").with("a", journal.probe("a").lingers().settings(long));
    let app = started(Group::builder("app").with("inner", inner.build().unwrap())).await;
    let begun = tokio::time::Instant::now();
    within(app.stop_within(Duration::from_secs(4)))
        .await
        .unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 4);
    assert_eq!((journal.live(), app.state()), (0, State::Stopped));
}

#[tokio::test(start_paused = true)]
async fn an_abort_reaches_the_members_of_a_nested_group() {
    let journal = Journal::new();
    let inner = Group::builder("inner").with("a", journal.probe("a").lingers());
    let middle = Group::builder("middle").with("inner", inner.build().unwrap());
    let app = started(Group::builder("app").with("middle", middle.build().unwrap())).await;
    aborted(&app).await;
    assert_eq!((journal.live(), app.state()), (0, State::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_passed_on_to_all() {
    let seen = Arc::new(AtomicUsize::new(0));
    let listener = || {
        let seen = Arc::clone(&seen);
        service_fn(move |cx: startstop_core::Context| {
            let seen = Arc::clone(&seen);
            async move {
                let count = async {
                    loop {
                        cx.reloaded().await.done();
                        seen.fetch_add(1, Ordering::SeqCst);
                    }
                };
                cx.run_until_cancelled(count).await;
            }
        })
    };
    let inner = Group::builder("inner")
        .with("a", listener())
        .with("b", listener())
        .build()
        .unwrap();
    let shared = Runner::new(listener());
    let app = started(
        Group::builder("app")
            .with("inner", inner)
            .with("c", listener())
            .with("d", shared),
    )
    .await;
    for round in 1..=3 {
        app.request_reload();
        idle().await;
        assert_eq!(seen.load(Ordering::SeqCst), 4 * round);
    }
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_ignored_in_the_inner_group_is_not_known_outside() {
    let journal = Journal::new();
    let inner = Group::builder("inner")
        .with("a", on(OnFailure::Ignore, journal.probe("a")))
        .with("b", journal.probe("b"));
    let app = built(Group::builder("app").with("inner", inner.build().unwrap()));
    within(app.start()).await.unwrap();
    journal.tell("a", Act::Fail);
    idle().await;
    assert!(app.is_running());
    assert!(app.errors_last().is_none());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_runs_under_one_runner_at_a_time() {
    let journal = Journal::new();
    let group = pair(&journal, "app", "a", "b");
    let (one, other) = (Runner::new(group.clone()), Runner::new(group));
    within(one.start()).await.unwrap();
    let error = within(other.start()).await.unwrap_err();
    assert!(
        matches!(find::<GroupError>(&error), Some(GroupError::AlreadyRuns)),
        "{error:?}"
    );
    within(one.stop()).await.unwrap();
    within(other.start()).await.unwrap();
    within(other.stop()).await.unwrap();
    assert_eq!(journal.live(), 0);
}
