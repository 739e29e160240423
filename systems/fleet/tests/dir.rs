//! A folder on a disk that is full, and on one that is read-only.

use std::fs;
use std::process::Command;
use std::time::Duration;

use startstop_core::{Runner, Settings, service_fn};
use startstop_fleet::{Claim, Dir, Leader, LeaseStore, StoreError, Timing};

use crate::server::Folder;

/// A small disk in memory.
struct Disk(Folder);

impl Disk {
    fn new(name: &str) -> Self {
        let disk = Self(Folder::new(name));
        disk.mount(&["-t", "tmpfs", "-o", "size=128k", "tmpfs"]);
        disk
    }

    #[track_caller]
    fn mount(&self, arguments: &[&str]) {
        let status = Command::new("mount")
            .args(arguments)
            .arg(&self.0.0)
            .status()
            .unwrap();
        assert!(status.success(), "mount {arguments:?}");
    }

    fn fill(&self) {
        let full = fs::write(self.0.0.join("ballast"), vec![0; 1 << 20]);
        assert!(full.is_err(), "it has room for more");
    }

    fn empty(&self) {
        fs::remove_file(self.0.0.join("ballast")).unwrap();
    }

    fn store(&self) -> Dir {
        Dir::new(self.0.0.join("leases"))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Stores that are dropped later have files open.
        Command::new("umount")
            .arg("--lazy")
            .arg(&self.0.0)
            .status()
            .ok();
    }
}

fn claim(holder: &str) -> Claim {
    Claim::new(holder, Duration::from_secs(15))
}

#[tokio::test]
async fn a_full_disk_refuses_a_start_and_loses_no_record() {
    let disk = Disk::new("disk-full");
    let store = disk.store();
    store.check("invoices").await.unwrap();
    let seen = store.read("invoices").await.unwrap();
    let held = store
        .take("invoices", &claim("a"), seen.version())
        .await
        .unwrap();
    disk.fill();
    let renewed = store.renew("invoices", &held).await;
    assert!(
        matches!(renewed, Err(StoreError::Unavailable(_))),
        "{renewed:?}"
    );
    assert_eq!(
        store.read("invoices").await.unwrap(),
        held,
        "it is as it was"
    );
    let checked = store.check("others").await;
    let Err(StoreError::Refused(text)) = checked else {
        panic!("{checked:?}")
    };
    assert!(text.contains("No space left"), "{text}");

    disk.empty();
    let renewed = store.renew("invoices", &held).await.unwrap();
    store.release("invoices", &renewed).await.unwrap();
    let seen = store.read("invoices").await.unwrap();
    let again = store
        .take("invoices", &claim("b"), seen.version())
        .await
        .unwrap();
    assert!(again.fence() > held.fence());
}

const TIMING: Timing = Timing {
    lease: Duration::from_secs(6),
    renew_by: Duration::from_millis(1000),
    retry: Duration::from_millis(300),
    skew: 0.05,
};

#[tokio::test]
async fn a_leader_on_a_disk_that_fills_up_stops_in_time_and_leads_again_when_there_is_room() {
    let disk = Disk::new("disk-fills");
    let idle = |_| service_fn(async |cx| cx.cancelled().await);
    let settings = Settings::new().stop_timeout(Duration::from_millis(500));
    let settings = settings.abort_timeout(Duration::from_millis(200));
    let leader = Leader::new("invoices", disk.store(), idle)
        .timing(TIMING)
        .settings(settings);
    let runner = Runner::new(leader);
    let mut leads = runner.service().leading();
    runner.start().await.unwrap();
    let mut until = async |wanted: bool| {
        let leads = leads.wait_for(|leads| *leads == wanted);
        tokio::time::timeout(Duration::from_secs(60), leads)
            .await
            .expect("in a minute")
            .unwrap();
    };
    until(true).await;
    disk.fill();
    until(false).await;
    disk.empty();
    until(true).await;
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_read_only_disk_is_refused_in_words() {
    let disk = Disk::new("disk-read-only");
    disk.store().check("invoices").await.unwrap();
    disk.mount(&["-o", "remount,ro"]);
    let idle = |_| service_fn(async |cx| cx.cancelled().await);
    let error = Runner::new(Leader::new("invoices", disk.store(), idle))
        .start()
        .await
        .unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("no lease can be written in"), "{text}");
    assert!(text.contains("Read-only file system"), "{text}");
}
