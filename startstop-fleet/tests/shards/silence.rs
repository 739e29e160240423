//! A watch that is open and tells nothing, and a store that answers nothing.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Runner, service_fn};
use startstop_fleet::{Claim, LeaseStore, Memory, Record, Shards, StoreError, Timing, Version};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Work, process, quiet};
use crate::support::Cable;

#[tokio::test]
async fn a_watch_that_tells_nothing_any_more_is_made_anew() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let cable = Cable::new(&store);
    let a = process(cable.clone(), &work).await;
    let b = process(Cable::new(&store), &work).await;
    quiet(&[&a, &b]).await;
    cable.mute();
    b.stop().await.unwrap();
    quiet(&[&a]).await;
    a.stop().await.unwrap();
    work.assert_sound();
}

/// A store that answers nothing, and tells when it was asked for a list.
struct Mute(Arc<Notify>);

impl LeaseStore for Mute {
    async fn read(&self, _: &str) -> Result<Record, StoreError> {
        pending().await
    }

    async fn take(&self, _: &str, _: &Claim, _: &Version) -> Result<Record, StoreError> {
        pending().await
    }

    async fn renew(&self, _: &str, _: &Record) -> Result<Record, StoreError> {
        pending().await
    }

    async fn release(&self, _: &str, _: &Record) -> Result<Record, StoreError> {
        pending().await
    }

    async fn list(&self, _: &str) -> Result<Vec<(String, Record)>, StoreError> {
        self.0.notify_one();
        pending().await
    }

    async fn changed(&self, _: &str, _: &Version) -> Result<Option<Record>, StoreError> {
        pending().await
    }
}

#[tokio::test]
async fn a_stop_waits_for_no_call_of_a_start() {
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    let timing = Timing {
        lease: hours(6),
        renew_by: hours(4),
        retry: hours(2),
        ..Timing::default()
    };
    let idle = |_, _| service_fn(async |cx| cx.cancelled().await);
    let asked = Arc::new(Notify::new());
    let shards = Shards::new("orders", 4, Mute(asked.clone()), idle);
    let runner = Runner::new(shards.timing(timing));
    runner.request_start();
    asked.notified().await;
    let stop = timeout(Duration::from_secs(60), runner.stop()).await;
    stop.expect("in a minute").unwrap();
}
