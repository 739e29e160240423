//! How the time that a group has for its stop is shared out among its members.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Group, GroupBuilder, Interruption, Member, Runner, Settings, StopError};
use tokio::time::Instant;

use crate::support::groups::{
    Act, Journal, Release, aborted, begin, built, outcome, started, stop,
};
use crate::support::{SECOND, idle, within};

fn timed(stop: u32, abort: u32) -> Settings {
    Settings::new()
        .stop_timeout(stop * SECOND)
        .abort_timeout(abort * SECOND)
}

fn group(stop: u32) -> GroupBuilder {
    Group::builder("app").settings(Settings::new().stop_timeout(stop * SECOND))
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_takes_nothing_from_those_behind_it() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).settings(timed(30, 2));
    let builder = group(10)
        .with("db", probe("db"))
        .then("queue", probe("queue").lingers());
    let app = started(builder.then("http", probe("http").lingers())).await;
    journal.take();
    let begun = Instant::now();
    let error = within(app.stop()).await.unwrap_err();
    assert!(
        matches!(error, StopError::Failed(_)),
        "each has had its share: {error:?}"
    );
    let expected = ["~http", "-http", "~queue", "-queue", "~db", "-db"];
    assert_eq!(journal.take(), expected, "all were told, and in order");
    assert!(journal.seconds(begun, "-http") < 5);
    assert!(begun.elapsed() < 10 * SECOND);
    let late: Vec<_> = app
        .errors_list()
        .iter()
        .map(std::string::ToString::to_string)
        .collect();
    assert_eq!(late.len(), 2, "all failures are kept: {late:?}");
}

#[tokio::test(start_paused = true)]
async fn members_that_all_hang_have_their_turns_as_the_page_on_grace_periods_says() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).lingers().settings(timed(30, 2));
    let builder = group(10)
        .with("db", probe("db"))
        .then("queue", probe("queue"));
    let app = started(builder.then("http", probe("http"))).await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/grace.md"));
    let page = page.unwrap();
    let mut told = "0 s".to_owned();
    for name in ["http", "queue", "db"] {
        let tenths = journal.tenths(begun, &format!("-{name}"));
        let aborted = match tenths % 10 {
            0 => format!("{} s", tenths / 10),
            rest => format!("{}.{rest} s", tenths / 10),
        };
        let row = format!("| `{name}` | {told} | {aborted} |");
        assert!(page.contains(&row), "{row}");
        told = aborted;
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_is_in_proportion_to_what_the_member_may_take() {
    let journal = Journal::new();
    let builder = group(12).with("a", journal.probe("a").lingers().settings(timed(9, 0)));
    let app = started(builder.then("b", journal.probe("b").lingers().settings(timed(27, 0)))).await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    assert_eq!(
        (journal.seconds(begun, "-b"), journal.seconds(begun, "-a")),
        (9, 12)
    );
}

#[tokio::test(start_paused = true)]
async fn time_that_a_member_leaves_over_goes_to_those_after_it() {
    let journal = Journal::new();
    let builder = group(10).with("a", journal.probe("a").lingers().settings(timed(30, 2)));
    let app = started(builder.then("b", journal.probe("b").settings(timed(30, 2)))).await;
    let begun = Instant::now();
    let error = within(app.stop()).await.unwrap_err();
    assert!(matches!(error, StopError::TimedOut), "{error:?}");
    assert_eq!(journal.seconds(begun, "-a"), 10);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_may_take_for_ever_counts_as_all_that_is_left() {
    let journal = Journal::new();
    let forever = Settings::new()
        .stop_timeout(Duration::MAX)
        .abort_timeout(Duration::ZERO);
    let probe = |name: &str| journal.probe(name).lingers().settings(forever.clone());
    let app = started(group(10).with("a", probe("a")).then("b", probe("b"))).await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    assert_eq!(
        (journal.seconds(begun, "-b"), journal.seconds(begun, "-a")),
        (5, 10)
    );
}

#[tokio::test(start_paused = true)]
async fn with_time_for_all_each_has_its_own() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).lingers().settings(timed(3, 1));
    let builder = group(20)
        .with("a", probe("a"))
        .then("b", probe("b"))
        .then("c", probe("c"));
    let app = started(builder).await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    let ended = ["-c", "-b", "-a"].map(|line| journal.seconds(begun, line));
    assert_eq!(ended, [3, 6, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_stands_beside_takes_nothing() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).lingers().settings(timed(30, 0));
    let builder = group(9).with("a", probe("a")).with("b", probe("b"));
    let app = started(builder.with("c", Member::new(probe("c")).after(["b"]))).await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    assert_eq!(journal.seconds(begun, "-c"), 5, "half of it, before b");
    assert_eq!(
        (journal.seconds(begun, "-a"), journal.seconds(begun, "-b")),
        (9, 9)
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_in_a_group_shares_its_share() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).lingers().settings(timed(30, 0));
    let inner = Group::builder("in")
        .with("a", probe("a"))
        .then("b", probe("b"));
    let app = started(
        group(12)
            .with("in", inner.build().unwrap())
            .then("c", probe("c")),
    )
    .await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    let ended = ["-c", "-b", "-a"].map(|line| journal.seconds(begun, line));
    assert_eq!(ended, [4, 8, 12]);
    assert_eq!(journal.count("~a"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_shortened_is_shared_out_anew() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).lingers().settings(timed(60, 0));
    let app = started(
        Group::builder("app")
            .with("a", probe("a"))
            .then("b", probe("b")),
    )
    .await;
    let begun = Instant::now();
    let call = stop(&app).await;
    tokio::time::sleep(SECOND).await;
    within(app.stop_within(6 * SECOND)).await.unwrap_err();
    outcome(call).await.unwrap_err();
    assert_eq!(
        (journal.seconds(begun, "-b"), journal.seconds(begun, "-a")),
        (4, 7)
    );
    assert_eq!(journal.count("~a"), 1, "it was told");
}

#[tokio::test(start_paused = true)]
async fn the_failure_names_each_member_that_was_late_by_its_path() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).settings(timed(30, 0));
    let inner = Group::builder("in")
        .with("a", probe("a").lingers())
        .with("b", probe("b"));
    let builder = group(4).with("in", inner.build().unwrap());
    let app = started(
        builder
            .with("c", probe("c").lingers())
            .with("d", probe("d")),
    )
    .await;
    assert!(matches!(within(app.stop()).await, Err(StopError::TimedOut)));
    let failure = app.errors_last().unwrap();
    let error = failure.error().downcast_ref::<Interruption>();
    let Some(Interruption::MembersNotStopped { after, members }) = error else {
        panic!("{failure:?}")
    };
    assert_eq!(after.as_secs(), 4);
    assert_eq!(*members, ["app/in/a is stopping", "app/c is stopping"]);
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_was_asked_for_is_no_failure_of_the_group() {
    let journal = Journal::new();
    let app = started(group(4).with("a", journal.probe("a").lingers())).await;
    aborted(&app).await;
    assert!(app.errors_list().is_empty());
}

/// Releases what blocks at the end of a test, also of one that fails.
struct Guard(Release);

impl Drop for Guard {
    fn drop(&mut self) {
        *self.0.0.lock().expect("nobody panics under it") = true;
        self.0.1.notify_all();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_behind_one_that_blocks_are_told_in_time() {
    let journal = Journal::new();
    let guard = Guard(Release::default());
    let builder = group(2).with("db", journal.probe("db").settings(timed(30, 30)));
    let blocks = journal
        .probe("http")
        .blocks(&guard.0)
        .settings(timed(30, 30));
    let app: Arc<Runner<Group>> = Arc::new(started(builder.then("http", blocks)).await);
    journal.until("+http").await;
    let stopping = Arc::clone(&app);
    let call = tokio::spawn(async move { stopping.stop().await });
    journal.until("~db").await;
    assert!(app.state() != startstop_core::State::Stopped);
    drop(guard);
    let _ = within(call).await.unwrap();
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_two_thousand_is_shared_out() {
    let mut builder = group(10);
    for at in 0..2_000 {
        let member = startstop_core::service_fn(async |cx| cx.cancelled().await);
        builder = builder.then(format!("m{at}"), member);
    }
    let app = built(builder);
    within(app.start()).await.unwrap();
    idle().await;
    within(app.stop()).await.unwrap();
}

/// A failure stops the group, with the members' own times; the deadline comes later, and is for who is stopping by then as well.
#[tokio::test(start_paused = true)]
async fn a_deadline_that_comes_to_a_group_which_ends_by_itself_is_shared_out() {
    let journal = Journal::new();
    let probe = |name: &str| journal.probe(name).settings(timed(30, 2));
    let after = |dep: &'static str, probe| Member::new(probe).after([dep]);
    let builder = Group::builder("app")
        .settings(Settings::new().drain(2 * SECOND))
        .with("db", probe("db"))
        .with("queue", after("db", probe("queue").lingers()))
        .with("job", probe("job"))
        .with("last", after("job", probe("last").lingers()))
        .with("failing", probe("failing"));
    let app = started(builder).await;
    journal.tell("failing", Act::Fail);
    journal.until("~last").await;
    let begun = Instant::now();
    let stopping = begin_to_stop(&app).await;
    // The next member's turn comes during the drain, and its share with it.
    journal.tell("last", Act::Complete);
    outcome(stopping).await.unwrap_err();
    assert_eq!(journal.count("~db"), 1, "{:?}", journal.take());
    assert!(journal.seconds(begun, "-queue") < 8);
}

async fn begin_to_stop(app: &Runner<Group>) -> tokio::task::JoinHandle<Result<(), StopError>> {
    let app = app.clone();
    begin(async move { app.stop_within(10 * SECOND).await }).await
}
