//! The delay before the members come up again that a group restarts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Exit, Group, GroupBuilder, Member, OnFailure, Readiness, Runner, Settings,
    service_fn,
};
use tokio::time::Instant;

use crate::support::groups::{Act, Journal, on, outcome, remove, started_as_it_is, stopped};
use crate::support::{SECOND, idle, within};

fn ten_seconds() -> Backoff {
    Backoff::constant(10 * SECOND)
}

/// `a <- b`, and `c` beside them; `a` restarts what depends on it after ten seconds.
fn chain(journal: &Journal) -> GroupBuilder {
    Group::builder("app")
        .backoff(ten_seconds())
        .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
        .with("b", Member::new(journal.probe("b")).after(["a"]))
        .with("c", on(OnFailure::RestartMember, journal.probe("c")))
}

/// The same, in the backoff after a failure of `a`: since when.
async fn pausing(journal: &Journal) -> (Runner<Group>, Instant) {
    let app = started_as_it_is(chain(journal)).await;
    journal.take();
    let begun = Instant::now();
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-a", "~b", "-b"]);
    (app, begun)
}

#[tokio::test(start_paused = true)]
async fn members_of_a_restart_stop_at_once_and_start_when_the_backoff_is_over() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    journal.until("+b").await;
    assert_eq!(journal.take(), ["+a", "+b"]);
    assert_eq!(journal.seconds(begun, "+a"), 10);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_backoff_of_a_group_counts_from_the_failure_and_not_from_the_end_of_the_stop() {
    let journal = Journal::new();
    let app = started_as_it_is(
        Group::builder("app")
            .backoff(ten_seconds())
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").stops_in(4)),
    )
    .await;
    let begun = Instant::now();
    journal.take();
    journal.tell("a", Act::Fail);
    journal.until("+b").await;
    assert_eq!(
        [journal.seconds(begun, "-b"), journal.seconds(begun, "+a")],
        [4, 10]
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn unless_it_is_set_it_is_that_of_the_policies() {
    let journal = Journal::new();
    let member = on(OnFailure::RestartMember, journal.probe("a"));
    let app = started_as_it_is(Group::builder("app").with("a", member)).await;
    journal.take();
    let begun = Instant::now();
    journal.tell("a", Act::Fail);
    journal.until("+a").await;
    let waited = begun.elapsed();
    assert!((80..=121).contains(&waited.as_millis()), "{waited:?}");
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_backoff_of_a_group_grows_and_begins_anew_once_the_group_was_ready_for_a_minute() {
    let journal = Journal::new();
    let backoff = Backoff::exponential(SECOND).jitter(0.0);
    let member = on(OnFailure::RestartMember, journal.probe("a"));
    let app = started_as_it_is(Group::builder("app").backoff(backoff).with("a", member)).await;
    let mut delays = Vec::new();
    for healthy in [0, 0, 59, 61, 0] {
        tokio::time::sleep(healthy * SECOND).await;
        journal.take();
        let begun = Instant::now();
        journal.tell("a", Act::Fail);
        journal.until("+a").await;
        delays.push(journal.seconds(begun, "+a"));
    }
    assert_eq!(delays, [1, 2, 4, 1, 2]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_meanwhile_merges_and_does_not_put_it_off() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    tokio::time::sleep(6 * SECOND).await;
    journal.tell("c", Act::Fail);
    journal.until("+c").await;
    journal.until("+b").await;
    assert_eq!(
        ["+a", "+c"].map(|line| journal.seconds(begun, line)),
        [10, 10]
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_by_its_handle_takes_a_member_out_of_it() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    within(app.service().get("b").unwrap().start())
        .await
        .unwrap();
    within(app.service().get("a").unwrap().start())
        .await
        .unwrap();
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(journal.take(), ["+b", "+a"], "they were started once");
    assert_eq!(journal.seconds(begun, "+a"), 0);
    let restarts = ["a", "b"].map(|name| app.service().get(name).unwrap().status().restarts());
    assert_eq!(restarts, [0, 0], "the group has restarted neither");
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_others_wait_on_when_one_was_taken_out() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    within(app.service().get("a").unwrap().start())
        .await
        .unwrap();
    journal.until("+b").await;
    assert_eq!(journal.seconds(begun, "+b"), 10);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn changes_do_not_wait_for_it() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    within(app.service().remove("c")).await.unwrap();
    within(app.service().remove("b")).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    journal.take();
    journal.until("+a").await;
    idle().await;
    assert_eq!(journal.take(), ["+a"], "who was removed does not come back");
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_depends_on_what_waits_is_inserted_when_that_is_up() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    let member = Member::new(journal.probe("x")).after(["b"]);
    within(app.service().insert("x", member)).await.unwrap();
    assert_eq!(journal.seconds(begun, "+x"), 10);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn changes_wait_until_those_that_restart_are_down() {
    let journal = Journal::new();
    let app = started_as_it_is(
        Group::builder("app")
            .backoff(ten_seconds())
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .with(
                "b",
                Member::new(journal.probe("b").stops_in(4)).after(["a"]),
            )
            .with("c", journal.probe("c")),
    )
    .await;
    let begun = Instant::now();
    journal.tell("a", Act::Fail);
    idle().await;
    let removal = remove(&app, "c").await;
    assert_eq!(journal.count("-c"), 0);
    outcome(removal).await.unwrap();
    assert_eq!(journal.seconds(begun, "-c"), 4);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_meanwhile_is_immediate() {
    let journal = Journal::new();
    let (app, begun) = pausing(&journal).await;
    stopped(&app).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(journal.live(), 0);
    assert_eq!(journal.count("+a"), 1);
}

#[tokio::test(start_paused = true)]
async fn restarts_by_the_group_count_in_those_of_the_members() {
    let journal = Journal::new();
    let (app, _) = pausing(&journal).await;
    journal.until("+b").await;
    let restarts = ["a", "b", "c"].map(|name| app.service().get(name).unwrap().status().restarts());
    assert_eq!(restarts, [1, 1, 0]);
    stopped(&app).await;
}

/// Source: omgnetwork/elixir-omg 461. A database is away for ten seconds; ten tries within an instant
/// would end the program.
#[tokio::test(start_paused = true)]
async fn a_group_outlasts_ten_seconds_without_a_database() {
    let begun = Instant::now();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let db = service_fn(move |cx: Context| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let up = begun.elapsed();
            if up >= 20 * SECOND && up < 30 * SECOND {
                return Err("connection refused");
            }
            cx.ready();
            if up < 20 * SECOND {
                tokio::time::sleep((20 * SECOND).saturating_sub(up)).await;
                return Err("connection lost");
            }
            cx.cancelled().await;
            Ok(())
        }
    });
    let db = Member::new(db).settings(Settings::new().readiness(Readiness::Explicit));
    let app = started_as_it_is(
        Group::builder("app")
            .with("db", db.on_failure(OnFailure::RestartDependents))
            .then("http", service_fn(async |cx| cx.cancelled().await)),
    )
    .await;
    let ended = tokio::time::timeout(120 * SECOND, app.wait()).await;
    assert!(
        ended.is_err(),
        "{ended:?} after {tries:?} tries: {}",
        app.status()
    );
    assert!(app.is_ready());
    stopped(&app).await;
    assert_eq!(within(app.wait()).await, Exit::Stopped);
}
