//! Replicas as processes, on a folder: killed, frozen and stopped.

pub(crate) mod fleet;
pub(crate) mod log;
#[allow(dead_code, reason = "it is for the program")]
mod program;

use std::fs;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use startstop_fleet::{LeaseStore, StoreError};

use self::fleet::Fleet;
use self::program::TIMING;
use crate::support::Folder;

const PROGRAM: &str = env!("CARGO_BIN_EXE_startstop-fleet-replica");

fn three(folder: &Folder) -> Fleet {
    fs::create_dir_all(&folder.0).unwrap();
    let mut fleet = Fleet::new(folder.0.join("log"));
    for _ in 0..3 {
        fleet.join(PROGRAM, folder.0.to_str().unwrap());
    }
    fleet
}

#[test]
fn a_replica_takes_over_at_once_when_the_leader_is_killed_or_stopped() {
    let folder = Folder::new("killed");
    let mut fleet = three(&folder);
    let first = fleet.leader_after(0);
    let second = fleet.after("killed", first, |pid| {
        kill_process(pid, Signal::KILL).unwrap();
    });
    fleet.assert_taken_within(Duration::ZERO); // at once
    fleet.after("stopped", second, |pid| {
        kill_process(pid, Signal::TERM).unwrap();
    });
    fleet.assert_taken_within(Duration::ZERO);
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.log.assert_sound();
}

#[test]
fn a_frozen_leader_is_replaced_when_its_lease_is_over_and_does_not_go_on() {
    let folder = Folder::new("frozen");
    let mut fleet = three(&folder);
    let first = fleet.leader_after(0);
    fleet.after("frozen", first, |pid| {
        kill_process(pid, Signal::STOP).unwrap();
    });
    fleet.assert_taken_within(TIMING.failover());
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.wake(first);
    fleet.log.assert_sound();
}

#[test]
fn the_fence_grows_when_the_record_is_deleted_by_hand() {
    let folder = Folder::new("deleted");
    let mut fleet = three(&folder);
    let first = fleet.leader_after(0);
    fleet.after("deleted", first, |_| {
        fs::remove_file(folder.0.join("journal.lease")).unwrap();
    });
    assert!(
        fleet
            .log
            .entries()
            .windows(2)
            .all(|pair| pair[0].fence <= pair[1].fence)
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused_in_words() {
    let folder = Folder::new("no-folder");
    fs::write(&folder.0, "a file").unwrap();
    let error = folder.store().check("invoices").await.unwrap_err();
    fs::remove_file(&folder.0).unwrap();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    assert!(
        error.to_string().starts_with("no lease can be written in"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_in_words() {
    let folder = Folder::new("other-kind");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("invoices.lease"), "something else").unwrap();
    let error = folder.store().read("invoices").await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    assert!(
        error.to_string().ends_with("invoices.lease is no lease"),
        "{error}"
    );
}
