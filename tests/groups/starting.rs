//! The start of a group: along the graph, side by side, and back when it cannot be.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use startstop_core::{
    Exit, Group, Member, OnFailure, Readiness, Runner, Settings, StartError, State, service_fn_with,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::support::{SECOND, alone, idle, within};

use crate::support::groups::{
    Act, Broken, Journal, built, find, on, outcome, start, started, stopped,
};

#[tokio::test(start_paused = true)]
async fn start_up_takes_the_longest_path_and_not_the_sum() {
    let journal = Journal::new();
    let begun = Instant::now();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").ready_in(3))
            .with("b", journal.probe("b").ready_in(5))
            .with(
                "c",
                Member::new(journal.probe("c").ready_in(4)).after(["a"]),
            )
            .with(
                "d",
                Member::new(journal.probe("d").ready_in(1)).after(["b", "a"]),
            ),
    )
    .await;
    assert_eq!(begun.elapsed().as_secs(), 7);
    let at = |line| journal.seconds(begun, line);
    assert_eq!((at("+a"), at("+b"), at("+c"), at("+d")), (0, 0, 3, 5));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn others_wait_for_a_job_to_be_done() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("job", journal.probe("job").job())
            .then("http", journal.probe("http")),
    );
    let call = start(&app).await;
    assert_eq!(journal.take(), ["+job"]);
    journal.tell("job", Act::Complete);
    outcome(call).await.unwrap();
    assert_eq!(journal.take(), ["-job", "+http"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_is_ready_when_its_last_member_is() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").explicit())
            .with("c", on(OnFailure::Ignore, journal.probe("c").explicit()))
            .with("d", journal.probe("d").explicit()),
    );
    let call = start(&app).await;
    journal.tell("b", Act::Ready);
    idle().await;
    assert!(!call.is_finished() && app.state() == State::Starting);
    journal.tell("c", Act::Fail);
    idle().await;
    assert!(!call.is_finished() && app.state() == State::Starting);
    within(app.service().get("d").unwrap().stop())
        .await
        .unwrap();
    outcome(call).await.unwrap();
    assert!(app.is_running() && app.is_ready());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_group_starts_and_stops() {
    let app = started(Group::builder("app")).await;
    idle().await;
    assert!(app.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_rolled_back_in_reverse() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a").stops_in(4))
            .then("b", journal.probe("b").stops_in(4))
            .then("c", journal.probe("c").always(Act::Fail).explicit())
            .then("d", journal.probe("d")),
    );
    let begun = Instant::now();
    let error = within(app.start()).await.unwrap_err();
    let StartError::Failed(failure) = error else {
        panic!("{error:?}")
    };
    assert_eq!(find::<Broken>(&failure), Some(&Broken("c".into())));
    assert_eq!(begun.elapsed().as_secs(), 8);
    assert_eq!(
        journal.take(),
        ["+a", "+b", "+c", "-c", "~b", "-b", "~a", "-a"]
    );
    assert_eq!(app.state(), State::Stopped);
    assert_eq!(within(app.wait()).await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_gives_each_its_own_stop_timeout() {
    let journal = Journal::new();
    let timeout = |seconds| Settings::new().stop_timeout(seconds * SECOND);
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a").lingers().settings(timeout(7)))
            .then("b", journal.probe("b").lingers().settings(timeout(2)))
            .then("c", journal.probe("c").always(Act::Fail).explicit()),
    );
    let begun = Instant::now();
    let error = within(app.start()).await.unwrap_err();
    assert_eq!(
        find::<Broken>(&error),
        Some(&Broken("c".into())),
        "{error:?}"
    );
    assert_eq!(journal.seconds(begun, "-b"), 2);
    assert_eq!(journal.seconds(begun, "-a"), 9);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_late_fails_the_start() {
    let journal = Journal::new();
    let late = Settings::new().start_timeout(3 * SECOND);
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b").explicit().settings(late)),
    );
    let begun = Instant::now();
    let error = within(app.start()).await.unwrap_err();
    assert!(matches!(error, StartError::Failed(_)), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(journal.moves(), ["+a", "+b", "-b", "-a"]);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_starts_again_after_its_end() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a").ready_in(1))
            .then("b", journal.probe("b").ready_in(1)),
    );
    for _ in 0..3 {
        within(app.start()).await.unwrap();
        stopped(&app).await;
        assert_eq!(journal.moves(), ["+a", "+b", "-b", "-a"]);
    }
    within(app.start()).await.unwrap();
    within(app.restart()).await.unwrap();
    assert_eq!(journal.moves(), ["+a", "+b", "-b", "-a", "+a", "+b"]);
    within(app.stop_within(Duration::MAX)).await.unwrap();
}

/// Counts the tasks at each turn of the runtime, itself among them: the most so far.
fn count_tasks() -> Arc<AtomicUsize> {
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    tokio::spawn(poll_fn(move |task| {
        seen.fetch_max(
            Handle::current().metrics().num_alive_tasks(),
            Ordering::Relaxed,
        );
        task.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    most
}

#[test]
fn a_group_needs_no_task_to_look_at_a_member() {
    alone(
        "groups::starting::a_group_needs_no_task_to_look_at_a_member",
        || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap()
                .block_on(starts_late());
        },
    );
}

async fn starts_late() {
    let late = service_fn_with(Notify::new(), async |go, cx| {
        cx.report("it takes its time");
        go.notified().await;
        cx.ready();
        cx.cancelled().await;
    });
    // No deadlines, since each would need a task.
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(Duration::MAX);
    let late = Runner::with_settings(late, settings);
    let app = built(Group::builder("app").with("late", late.clone()));
    app.request_start();
    let most = count_tasks();
    idle().await;
    late.service().state().notify_one();
    idle().await;
    assert!(app.is_ready());
    assert_eq!(
        most.load(Ordering::Relaxed),
        3,
        "the group, the member, and who counts"
    );
    stopped(&app).await;
}
