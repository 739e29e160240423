//! Members that block their thread: nothing can be dropped, and nothing is begun beside it.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    EventKind, Group, GroupError, Member, OnFailure, Runner, Settings, StartError, State, StopError,
};

use crate::support::groups::{Act, Journal, Release, aborted, find, on, started};
use crate::support::within;

/// Releases what blocks at the end of a test, also of one that fails.
struct Guard(Release);

impl Drop for Guard {
    fn drop(&mut self) {
        *self.0.0.lock().expect("nobody panics under it") = true;
        self.0.1.notify_all();
    }
}

fn hasty() -> Settings {
    let short = Duration::from_millis(50);
    Settings::new().stop_timeout(short).abort_timeout(short)
}

async fn with_stuck(journal: &Journal, on_failure: OnFailure) -> (Runner<Group>, Guard) {
    let guard = Guard(Release::default());
    let stuck = journal.probe("b").blocks(&guard.0).settings(hasty());
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", on(on_failure, stuck))
            .then("c", journal.probe("c")),
    )
    .await;
    // `run` has to be where it waits, else the stop comes before it was entered.
    journal.until("+c").await;
    (app, guard)
}

/// A group that restarts `a` with its dependent `b`, which was found not to yield.
async fn restarting_with_stuck(journal: &Journal) -> (Runner<Group>, Guard) {
    let guard = Guard(Release::default());
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").blocks(&guard.0).settings(hasty())),
    )
    .await;
    journal.until("+b").await;
    let mut events = app.events();
    journal.tell("a", Act::Fail);
    within(async {
        while !matches!(
            events.next().await.unwrap().kind(),
            EventKind::Unresponsive(_)
        ) {}
    })
    .await;
    (app, guard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stop_does_not_wait_for_who_blocks_and_names_it() {
    let journal = Journal::new();
    let (app, guard) = with_stuck(&journal, OnFailure::StopGroup).await;
    let error = within(app.stop()).await.unwrap_err();
    let StopError::Unresponsive(stuck) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(app.service().get("b").unwrap().state(), State::Stopping);
    assert_eq!(app.service().get("a").unwrap().state(), State::Stopped);
    assert!(!stuck.parts().is_empty());
    assert_eq!(app.state(), State::Stopping, "something of it still runs");
    assert!(matches!(
        within(app.start()).await,
        Err(StartError::Unresponsive)
    ));
    drop(guard);
    within(app.wait()).await;
    assert_eq!(journal.live(), 0);
    within(app.start()).await.unwrap();
    within(app.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_restart_waits_until_who_blocks_has_ended() {
    let journal = Journal::new();
    let (app, guard) = restarting_with_stuck(&journal).await;
    let b = app.service().get("b").unwrap();
    assert_eq!(b.state(), State::Stopping);
    assert_eq!([journal.count("+a"), journal.count("+b")], [1, 1]);
    journal.take();
    drop(guard);
    journal.until("+a").await;
    journal.until("+b").await;
    let moves = journal.moves();
    // The workers decide which of the two is polled first.
    assert_eq!((&*moves[0], moves.len()), ("-b", 3), "{moves:?}");
    assert!(app.is_running());
    app.request_stop();
    within(app.wait()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stop_ends_the_wait_for_who_blocks() {
    let journal = Journal::new();
    let (app, guard) = restarting_with_stuck(&journal).await;
    let error = within(app.stop()).await.unwrap_err();
    assert!(format!("{error:?}").contains("does not yield"), "{error:?}");
    drop(guard);
    within(app.wait()).await;
    assert_eq!([journal.count("+a"), journal.count("+b")], [1, 1]);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_removal_says_who_does_not_yield() {
    let journal = Journal::new();
    let guard = Guard(Release::default());
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").blocks(&guard.0).settings(hasty())),
    )
    .await;
    journal.until("+b").await;
    let b = app.service().get("b").unwrap();
    let error = within(app.service().remove("b")).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Stop(StopError::Unresponsive(_))),
        "{error:?}"
    );
    assert!(find::<StopError>(&error).is_some());
    assert!(app.is_running());
    drop(guard);
    within(b.wait_for(State::Stopped)).await;
    within(app.stop()).await.unwrap();
    assert_eq!(journal.live(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_abort_is_over_when_the_last_thread_is_free() {
    let journal = Journal::new();
    let (app, guard) = with_stuck(&journal, OnFailure::Ignore).await;
    let caller = app.clone();
    let call = tokio::spawn(async move { caller.stop().await });
    journal.until("~b").await;
    within(app.stop_within(Duration::ZERO)).await.unwrap_err();
    assert_ne!(app.state(), State::Stopped);
    drop(guard);
    within(app.wait()).await;
    let _ = within(call).await.unwrap();
    assert_eq!((journal.live(), app.state()), (0, State::Stopped));
}

#[test]
fn the_end_of_the_runtime_ends_the_group() {
    let journal = Arc::new(Journal::new());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let app = runtime.block_on(started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", Member::new(journal.probe("b").lingers())),
    ));
    drop(runtime);
    assert_eq!((journal.live(), app.state()), (0, State::Stopped));
    let again = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    again.block_on(async {
        within(app.start()).await.unwrap();
        aborted(&app).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_members_that_block_are_named() {
    let journal = Journal::new();
    let guard = Guard(Release::default());
    let blocks = |name: &str| journal.probe(name).blocks(&guard.0).settings(hasty());
    let app = started(
        Group::builder("app")
            .with("a", blocks("a"))
            .with("b", blocks("b")),
    )
    .await;
    journal.until("+a").await;
    journal.until("+b").await;
    within(app.stop()).await.unwrap_err();
    let text = format!("{:?}", app.errors_list());
    for name in ["a", "b"] {
        assert!(text.contains(&format!("{name:?} does not yield")), "{text}");
    }
    drop(guard);
    within(app.wait()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_whole_names_who_does_not_yield_by_their_paths() {
    let journal = Journal::new();
    let guard = Guard(Release::default());
    let blocks = |name: &str| journal.probe(name).blocks(&guard.0).settings(hasty());
    let inner = Group::builder("in")
        .with("a", blocks("a"))
        .with("b", journal.probe("b"));
    let builder = Group::builder("app").with("in", inner.build().unwrap());
    let app = started(builder.with("c", blocks("c")).with("d", journal.probe("d"))).await;
    journal.until("+a").await;
    journal.until("+c").await;
    let error = within(app.stop()).await.unwrap_err();
    let StopError::Unresponsive(stuck) = &error else {
        panic!("{error:?}")
    };
    let mut members: Vec<&str> = stuck.members().iter().map(|path| &**path).collect();
    members.sort_unstable();
    assert_eq!(members, ["app/c", "app/in/a"]);
    assert!(stuck.to_string().contains("app/in/a"), "{stuck}");
    drop(guard);
    within(app.wait()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_whole_does_not_name_who_has_yielded_since() {
    let journal = Journal::new();
    let (first, second) = (Guard(Release::default()), Guard(Release::default()));
    let blocks = |name, by: &Guard| journal.probe(name).blocks(&by.0).settings(hasty());
    let builder = Group::builder("app").with("a", blocks("a", &first));
    let app = started(builder.with("b", blocks("b", &second))).await;
    journal.until("+a").await;
    journal.until("+b").await;
    let a = app.service().get("a").unwrap();
    within(a.stop()).await.unwrap_err();
    drop(first);
    within(a.wait_for(State::Stopped)).await;
    let error = within(app.stop()).await.unwrap_err();
    let StopError::Unresponsive(stuck) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(stuck.members(), ["app/b".into()]);
    drop(second);
    within(app.wait()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_restart_follows_where_who_blocks_has_ended_before_the_group_looks() {
    let journal = Journal::new();
    // The only worker is blocked, so that the group looks when that is over.
    let (app, guard) = restarting_with_stuck(&journal).await;
    journal.take();
    drop(guard);
    journal.until("+a").await;
    journal.until("+b").await;
    assert!(app.is_running());
    app.request_stop();
    within(app.wait()).await;
}
