//! Handles of shards that are kept beyond their terms start nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use startstop_core::{Exit, Runner, Settings, StartStop, service_fn};
use startstop_fleet::{LeaseStore, Memory, Shards, Term};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{COUNT, Process, Work, owns, process, quiet};
use crate::support::ROOMY;

fn handles(process: &Process<Memory>) -> Vec<Arc<dyn StartStop>> {
    let path = |shard| format!("orders/shards/{shard}");
    (0..COUNT)
        .filter_map(|shard| process.find(&path(shard)))
        .collect()
}

#[tokio::test]
async fn a_handle_of_a_shard_that_has_moved_starts_nothing() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let a = process(store.clone(), &work).await;
    quiet(&[&a]).await;
    let kept = handles(&a);
    assert_eq!(kept.len(), COUNT as usize);
    let group = a.find("orders/shards").unwrap();
    let b = process(store.clone(), &work).await;
    quiet(&[&a, &b]).await;
    a.stop().await.unwrap();
    quiet(&[&b]).await;
    for handle in kept.iter().chain([&group]) {
        handle.request_start();
        assert_eq!(handle.wait().await, Exit::Failed);
        let why = handle.errors_last().unwrap().error().to_string();
        assert!(
            why.contains("only who holds the lease runs its service"),
            "{why}"
        );
    }
    b.stop().await.unwrap();
    work.assert_sound();
}

/// Somebody starts all that there ever was while processes come and go.
#[tokio::test(flavor = "multi_thread")]
async fn handles_of_shards_that_are_used_at_any_moment_run_nothing_beside_their_owners() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let (send, mut kept) = mpsc::unbounded_channel::<Arc<dyn StartStop>>();
    let meddler = tokio::spawn(async move {
        let mut all = Vec::new();
        loop {
            sleep(Duration::from_millis(1)).await;
            while let Ok(handle) = kept.try_recv() {
                all.push(handle);
            }
            for handle in &all {
                match fastrand(all.len()) {
                    0 => handle.request_restart(),
                    1 => handle.request_stop(),
                    _ => handle.request_start(),
                }
            }
        }
    });
    let turns = async {
        let mut old = process(store.clone(), &work).await;
        for _ in 0..6 {
            let new = process(store.clone(), &work).await;
            sleep(Duration::from_millis(300)).await;
            for process in [&old, &new] {
                for handle in handles(process) {
                    send.send(handle).ok();
                }
            }
            sleep(Duration::from_millis(100)).await;
            // A start that was refused meanwhile may be its failure.
            old.stop().await.ok();
            old = new;
        }
        meddler.abort();
        quiet(&[&old]).await;
        old.stop().await.unwrap();
    };
    timeout(Duration::from_secs(120), turns)
        .await
        .expect("in two minutes");
    work.assert_sound();
    let left = store.list("orders/").await.unwrap();
    assert!(
        left.iter()
            .all(|(name, record)| record.is_free() || name.contains("/shards/"))
    );
}

/// A number below so many, another one each time.
fn fastrand(below: usize) -> usize {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(below);
    usize::try_from(random % below as u64).expect("it is small")
}

#[tokio::test]
async fn a_shard_whose_service_could_not_be_made_is_made_again() {
    let is_first = AtomicBool::new(true);
    let make = move |shard: u32, _term: Term| {
        assert!(
            shard != 2 || !is_first.swap(false, Ordering::SeqCst),
            "not this time"
        );
        service_fn(async |cx| cx.cancelled().await)
    };
    let settings = Settings::new().stop_timeout(Duration::from_secs(3));
    let shards = Shards::new("orders", 4, Memory::new(), make).timing(ROOMY);
    let runner = Runner::new(shards.settings(settings));
    runner.start().await.unwrap();
    owns(&runner, 4).await;
    let path = "orders/shards/2";
    timeout(Duration::from_secs(60), async {
        while !runner.find(path).is_some_and(|shard| shard.is_running()) {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("in a minute");
    runner.stop().await.unwrap();
}
