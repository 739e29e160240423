//! Effects of a failure: `a <- b <- c` and `d` beside them.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Wake, Waker};
use std::time::Duration;

use startstop_core::{Exit, Group, GroupBuilder, Member, OnFailure, Runner, Settings, State};

use crate::support::groups::{Act, Broken, Journal, find, on, outcome, started, stop, stopped};
use crate::support::{SECOND, idle, within};

fn chain(journal: &Journal, on_failure: OnFailure) -> GroupBuilder {
    Group::builder("app")
        .with("a", journal.probe("a"))
        .with("b", on(on_failure, journal.probe("b")).after(["a"]))
        .with("c", Member::new(journal.probe("c")).after(["b"]))
        .with("d", journal.probe("d"))
}

async fn running(journal: &Journal, on_failure: OnFailure) -> Runner<Group> {
    let app = started(chain(journal, on_failure)).await;
    journal.take();
    app
}

/// The lines about `a`, `b` and `c`, whose order is given; `d` may be anywhere.
fn chain_only(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| !line.ends_with('d'))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn stop_group_stops_in_reverse_and_fails() {
    let journal = Journal::new();
    let app = running(&journal, OnFailure::StopGroup).await;
    journal.tell("b", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(chain_only(journal.moves()), ["-b", "-c", "-a"]);
    assert_eq!(journal.live(), 0);
    let failure = app.errors_last().unwrap();
    assert_eq!(find::<Broken>(&failure), Some(&Broken("b".into())));
}

#[tokio::test(start_paused = true)]
async fn ignore_goes_on_without_it() {
    let journal = Journal::new();
    let app = running(&journal, OnFailure::Ignore).await;
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-b"]);
    assert!(app.is_running());
    stopped(&app).await;
    assert_eq!(chain_only(journal.moves()), ["-c", "-a"]);
}

/// Asks for a stop where somebody hears of the end of a member, before the group does.
struct StopsIt(Runner<Group>);

impl Wake for StopsIt {
    fn wake(self: Arc<Self>) {
        self.0.request_stop();
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_a_stop_is_none_of_the_stop_though_the_group_has_not_heard_of_it() {
    for on_failure in [
        OnFailure::Ignore,
        OnFailure::RestartMember,
        OnFailure::RestartDependents,
        OnFailure::RestartAll,
    ] {
        for drain in [Duration::ZERO, SECOND] {
            let journal = Journal::new();
            let drains = Member::new(journal.probe("e")).settings(Settings::new().drain(drain));
            let app = started(chain(&journal, on_failure).with("e", drains)).await;
            let b = app.service().get("b").unwrap();
            let mut ends = pin!(b.wait());
            let waker = Waker::from(Arc::new(StopsIt(app.clone())));
            let polled = ends.as_mut().poll(&mut Task::from_waker(&waker));
            assert!(polled.is_pending());
            journal.tell("b", Act::Fail);
            let exit = within(app.wait()).await;
            assert_eq!(exit, Exit::Stopped, "{on_failure:?}, drain {drain:?}");
            assert_eq!(b.status().attempts(), 1, "nothing starts any more");
            let failures = app.errors_list();
            assert_eq!(failures.len(), 1, "{failures:?}");
            assert_eq!(failures[0].path(), "app/b");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn restart_member_touches_it_alone() {
    let journal = Journal::new();
    let app = running(&journal, OnFailure::RestartMember).await;
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-b", "+b"]);
    let failures = app.errors_list();
    assert_eq!(
        failures
            .iter()
            .map(startstop_core::Failure::path)
            .collect::<Vec<_>>(),
        ["app/b"]
    );
    stopped(&app).await;
    assert_eq!(chain_only(journal.moves()), ["-c", "-b", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn restart_dependents_restarts_what_comes_after_it() {
    let journal = Journal::new();
    let app = running(&journal, OnFailure::RestartDependents).await;
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-b", "~c", "-c", "+b", "+c"]);
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn restart_all_restarts_all() {
    let journal = Journal::new();
    let app = running(&journal, OnFailure::RestartAll).await;
    journal.tell("b", Act::Fail);
    idle().await;
    let lines = journal.moves();
    assert_eq!(
        chain_only(lines.clone()),
        ["-b", "-c", "-a", "+a", "+b", "+c"]
    );
    let down = lines
        .iter()
        .position(|line| line == "-d")
        .expect("d restarts");
    let up = lines
        .iter()
        .position(|line| line == "+d")
        .expect("d restarts");
    assert!(down < up);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_starts_nobody_before_all_are_down() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with(
                "a",
                on(OnFailure::RestartDependents, journal.probe("a").ready_in(2)),
            )
            .with(
                "b",
                Member::new(journal.probe("b").stops_in(4)).after(["a"]),
            )
            .with(
                "c",
                Member::new(journal.probe("c").stops_in(1)).after(["b"]),
            ),
    )
    .await;
    journal.take();
    let begun = tokio::time::Instant::now();
    journal.tell("a", Act::Fail);
    journal.until("+c").await;
    assert_eq!(journal.moves(), ["-a", "-c", "-b", "+a", "+b", "+c"]);
    assert_eq!(journal.seconds(begun, "-b"), 5);
    assert_eq!(journal.seconds(begun, "+b"), 7);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn beyond_its_limit_the_group_fails_and_says_so() {
    let journal = Journal::new();
    let app = started(chain(&journal, OnFailure::RestartMember).limit(2, 60 * SECOND)).await;
    for _ in 0..2 {
        journal.tell("b", Act::Fail);
        idle().await;
        assert!(app.is_running());
    }
    journal.tell("b", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    let failure = app.errors_last().unwrap();
    assert_eq!(find::<Broken>(&failure), Some(&Broken("b".into())));
    assert!(format!("{failure:?}").contains("limit"), "{failure:?}");
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_limit_forgets_what_is_outside_its_window() {
    let journal = Journal::new();
    let app = started(chain(&journal, OnFailure::RestartDependents).limit(1, 60 * SECOND)).await;
    for _ in 0..5 {
        journal.tell("b", Act::Fail);
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert!(app.is_running());
    }
    assert_eq!(journal.count("+c"), 6);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_start_is_restarted_within_the_limit() {
    let journal = Journal::new();
    let app = Runner::new(chain(&journal, OnFailure::RestartMember).build().unwrap());
    for _ in 0..4 {
        journal.tell("b", Act::Fail);
    }
    within(app.start()).await.unwrap();
    idle().await;
    assert_eq!(journal.count("+b"), 5);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_wins_over_a_restart() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("b", Member::new(journal.probe("b").lingers()).after(["a"]))
            .with("c", journal.probe("c")),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    let call = stop(&app).await;
    journal.tell("b", Act::Complete);
    outcome(call).await.unwrap();
    assert_eq!(journal.count("+a"), 1);
    assert_eq!(journal.live(), 0);
    assert_eq!(app.state(), State::Stopped);
}
