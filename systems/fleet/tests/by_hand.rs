//! A record that somebody has written by hand and that does not say how long it lasts: it is followed, and taken when it has been
//! unchanged for a lease.

use std::time::{Duration, Instant};

use startstop_core::{Runner, Settings, service_fn};
use startstop_fleet::{Dir, Leader, LeaseStore};

use crate::server::Folder;
use crate::shards::{TIMING, until};

/// `ops` has written the record of `invoices`.
pub(crate) async fn is_followed_and_taken<L: LeaseStore>(store: L) {
    let record = store.read("invoices").await.unwrap();
    assert_eq!(record.holder(), Some("ops"));
    assert_eq!(record.lease(), Some(Duration::ZERO));
    let idle = |_| service_fn(async |cx| cx.cancelled().await);
    let settings = Settings::new()
        .stop_timeout(Duration::from_millis(400))
        .abort_timeout(Duration::from_millis(400));
    let leader = Leader::new("invoices", store, idle)
        .timing(TIMING)
        .settings(settings);
    let mut leads = leader.leading();
    let runner = Runner::new(leader);
    let began = Instant::now();
    runner.start().await.unwrap();
    let detail = || runner.status().detail().unwrap_or_default().to_owned();
    until("it follows", async || {
        detail().starts_with("follower of ops")
    })
    .await;
    let leads = leads.wait_for(|leads| *leads);
    tokio::time::timeout(Duration::from_secs(60), leads)
        .await
        .expect("in a minute")
        .unwrap();
    assert!(began.elapsed() >= TIMING.lease, "{:?}", began.elapsed());
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_was_written_by_hand_is_taken_after_a_lease() {
    let folder = Folder::new("dir-by-hand");
    let text = "startstop lease 1\nholder ops\nfence 7\nrenewals 0\n";
    std::fs::write(folder.0.join("invoices.lease"), text).unwrap();
    std::fs::write(folder.0.join("invoices.7.life"), "").unwrap();
    is_followed_and_taken(Dir::new(&folder.0)).await;
}
