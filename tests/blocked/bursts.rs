//! A task that makes several requests in one poll and then blocks its thread: each of them is done.

use std::time::{Duration, Instant};

use startstop_core::{Context, Exit, Group, Runner, State, service_fn};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::unbounded_channel;

use super::groups::in_a_task_that_blocks;
use crate::support::groups::quiet;
use crate::support::{until, within};

fn some() -> Vec<Runner<impl startstop_core::Service + use<>>> {
    (0..5).map(|_| Runner::new(quiet())).collect()
}

/// Lets a task ask for something of all of them and then block its thread; returns when they are in this state.
async fn ask_all<S: startstop_core::Service>(
    all: &[Runner<S>],
    asks: fn(&Runner<S>),
    then: (State, u64),
) {
    let asked = all.to_vec();
    let (mut blocks, release) = in_a_task_that_blocks(move || asked.iter().for_each(asks));
    within(blocks.recv()).await.unwrap();
    let begun = Instant::now();
    let is_there = |runner: &Runner<S>| (runner.state(), runner.status().cycles()) == then;
    within(until(|| all.iter().all(is_there))).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{then:?}");
    drop(release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_that_a_task_asks_for_before_it_blocks_its_thread_is_done() {
    let all = some();
    ask_all(&all, Runner::request_start, (State::Running, 1)).await;
    ask_all(&all, Runner::request_restart, (State::Running, 2)).await;
    ask_all(&all, Runner::request_stop, (State::Stopped, 2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn so_it_is_when_some_are_members_and_some_groups() {
    let app = || Group::builder("app").with("web", quiet()).build().unwrap();
    let groups: Vec<_> = (0..3).map(|_| Runner::new(app())).collect();
    for group in &groups {
        within(group.start()).await.unwrap();
    }
    let alone = some();
    let asked = (groups.clone(), alone.clone());
    let (mut blocks, release) = in_a_task_that_blocks(move || {
        for (group, alone) in asked.0.iter().zip(&asked.1) {
            alone.request_start();
            group.find("app/web").unwrap().request_restart();
        }
        asked.1[3].request_start();
        asked.0[0].request_stop();
    });
    within(blocks.recv()).await.unwrap();
    let begun = Instant::now();
    within(until(|| {
        let restarted = |group: &Runner<Group>| {
            let web = group.find("app/web").unwrap();
            web.is_running() && web.status().cycles() == 2
        };
        groups[1..].iter().all(restarted)
            && groups[0].state() == State::Stopped
            && alone[..4].iter().all(Runner::is_running)
    }))
    .await;
    assert!(begun.elapsed() < Duration::from_secs(2), "it was held up");
    drop(release);
    for group in &groups {
        within(group.stop()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_that_a_task_lets_go_of_before_it_blocks_its_thread_stop() {
    let (tell, mut told) = unbounded_channel();
    let service = || {
        let tell = tell.clone();
        service_fn(move |cx: Context| {
            let tell = tell.clone();
            async move {
                cx.cancelled().await;
                let _ = tell.send(());
            }
        })
    };
    let all: Vec<_> = (0..5).map(|_| Runner::new(service())).collect();
    for runner in &all {
        within(runner.start()).await.unwrap();
    }
    let (mut blocks, release) = in_a_task_that_blocks(move || drop(all));
    within(blocks.recv()).await.unwrap();
    let begun = Instant::now();
    for _ in 0..5 {
        within(told.recv()).await.unwrap();
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "they were held up"
    );
    drop(release);
}

fn of_threads(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

/// The runtime of the task has no thread left, and the services are on another.
#[test]
fn services_of_another_runtime_are_not_held_up_by_a_task_that_blocks_the_only_thread_of_its_own() {
    let (here, there) = (of_threads(1), of_threads(2));
    let all = some();
    there.block_on(async {
        for runner in &all {
            within(runner.start()).await.unwrap();
        }
    });
    let asked = all.clone();
    let (mut blocks, release) = here.block_on(async {
        in_a_task_that_blocks(move || asked.iter().for_each(Runner::request_stop))
    });
    there.block_on(async {
        within(blocks.recv()).await.unwrap();
        let begun = Instant::now();
        for runner in &all {
            assert_eq!(within(runner.wait()).await, Exit::Stopped);
        }
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "they were held up"
        );
    });
    drop(release);
}

/// The rest of a burst goes with its runtime, and is told of all the same.
#[test]
fn who_waits_is_told_though_the_runtime_ends_before_what_was_asked_for_is_done() {
    let (here, there) = (of_threads(1), of_threads(1));
    let all = some();
    let asked = all.clone();
    let (mut blocks, release) = here.block_on(async {
        in_a_task_that_blocks(move || asked.iter().for_each(Runner::request_start))
    });
    there.block_on(async {
        within(blocks.recv()).await.unwrap();
    });
    here.shutdown_background();
    drop(release);
    there.block_on(async {
        for runner in &all {
            assert_ne!(within(runner.wait()).await, Exit::Stopped);
            assert_eq!(runner.state(), State::Stopped);
            within(runner.start()).await.unwrap();
            within(runner.stop()).await.unwrap();
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_that_is_asked_to_start_and_to_stop_in_one_poll_has_stopped() {
    let all = some();
    let asks = |runner: &Runner<_>| {
        runner.request_start();
        runner.request_stop();
    };
    ask_all(&all, asks, (State::Stopped, 1)).await;
}
