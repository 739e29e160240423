//! A member that says something and then blocks its thread, in the same poll: its group hears it all the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use startstop_core::{Context, Group, Member, Readiness, Runner, State, StopError, service_fn};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Latch, impatient};
use crate::support::groups::quiet;
use crate::support::{until, within};

type Says = fn(&Context);

/// A group of one that says this and then blocks its thread until it is released, and of one after it.
fn app(act: Says, readiness: Readiness) -> (Runner<Group>, UnboundedReceiver<()>, Release) {
    let (tell, blocks) = unbounded_channel();
    let latch = Arc::new(Latch::new());
    let passed = Arc::clone(&latch);
    let service = service_fn(move |cx: Context| {
        let (tell, latch) = (tell.clone(), Arc::clone(&passed));
        async move {
            // On a worker that has nothing else to poll.
            tokio::time::sleep(Duration::from_millis(20)).await;
            act(&cx);
            let _ = tell.send(());
            latch.pass();
        }
    });
    let settings = impatient()
        .readiness(readiness)
        .start_timeout(Duration::from_secs(60));
    let app = Group::builder("app")
        .with("blocks", Member::new(service).settings(settings))
        .then("after", quiet());
    (Runner::new(app.build().unwrap()), blocks, Release(latch))
}

/// Opens the latch also when the test fails.
pub(super) struct Release(Arc<Latch>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_others_start_though_the_one_that_is_ready_blocks_its_thread() {
    let (app, mut blocks, release) = app(Context::ready, Readiness::Explicit);
    let starting = tokio::spawn({
        let app = app.clone();
        async move { app.start().await }
    });
    within(blocks.recv()).await.unwrap();
    let begun = Instant::now();
    within(starting).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "it was held up");
    assert!(app.find("app/after").unwrap().is_running());
    drop(release);
    let _ = within(app.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_stop_of_a_group_is_on_time_whatever_a_member_says_before_it_blocks_its_thread() {
    let said: [(Says, Readiness); 5] = [
        (Context::ready, Readiness::Explicit),
        (|cx| cx.not_ready("for now"), Readiness::Immediate),
        (Context::request_stop, Readiness::Immediate),
        (Context::request_restart, Readiness::Immediate),
        (Context::request_shutdown, Readiness::Immediate),
    ];
    for (number, (act, readiness)) in said.into_iter().enumerate() {
        let (app, mut blocks, release) = app(act, readiness);
        app.request_start();
        within(blocks.recv()).await.unwrap();
        let begun = Instant::now();
        let error = within(app.stop()).await.unwrap_err();
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{number} is held up"
        );
        let is_told = matches!(error, StopError::Unresponsive(_) | StopError::Failed(_));
        assert!(is_told, "{number}: {error:?}");
        drop(release);
    }
}

/// Spawns a task that does this and then blocks its thread.
pub(super) fn in_a_task_that_blocks(
    act: impl FnOnce() + Send + 'static,
) -> (UnboundedReceiver<()>, Release) {
    let (tell, blocks) = unbounded_channel();
    let latch = Arc::new(Latch::new());
    let passed = Arc::clone(&latch);
    tokio::spawn(async move {
        // On a worker that has nothing else to poll.
        tokio::time::sleep(Duration::from_millis(20)).await;
        act();
        let _ = tell.send(());
        passed.pass();
    });
    (blocks, Release(latch))
}

type Asks = fn(&Runner<Group>);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_task_asks_for_before_it_blocks_its_thread_is_done() {
    let asked: [(Asks, State); 3] = [
        (Runner::request_start, State::Running),
        (Runner::request_restart, State::Running),
        (Runner::request_stop, State::Stopped),
    ];
    for (number, (asks, then)) in asked.into_iter().enumerate() {
        let app = Runner::new(Group::builder("app").with("web", quiet()).build().unwrap());
        if number > 0 {
            within(app.start()).await.unwrap();
        }
        let cycles = app.status().cycles();
        let handle = app.clone();
        let (mut blocks, release) = in_a_task_that_blocks(move || asks(&handle));
        within(blocks.recv()).await.unwrap();
        let begun = Instant::now();
        within(until(|| {
            let is_new = then == State::Stopped || app.status().cycles() > cycles;
            app.state() == then && is_new
        }))
        .await;
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{number} is held up"
        );
        drop(release);
        within(app.stop()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_hears_a_member_that_is_told_by_a_task_that_blocks_its_thread_then() {
    let app = Runner::new(Group::builder("app").with("web", quiet()).build().unwrap());
    within(app.start()).await.unwrap();
    let web = app.find("app/web").unwrap();
    let (mut blocks, release) = in_a_task_that_blocks(move || web.request_stop());
    within(blocks.recv()).await.unwrap();
    let begun = Instant::now();
    within(app.stop()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "it was held up");
    drop(release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_that_a_task_lets_go_of_before_it_blocks_its_thread_stops() {
    let (tell, mut told) = unbounded_channel();
    let service = service_fn(move |cx: Context| {
        let tell = tell.clone();
        async move {
            cx.cancelled().await;
            let _ = tell.send(());
        }
    });
    let runner = Runner::new(service);
    within(runner.start()).await.unwrap();
    let (mut blocks, release) = in_a_task_that_blocks(move || drop(runner));
    within(blocks.recv()).await.unwrap();
    let begun = Instant::now();
    within(told.recv()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "it was held up");
    drop(release);
}
