//! Several hosts: a first one that is frozen, and a primary that is frozen while leaders work, followed by its standby.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use startstop_fleet::{Claim, LeaseStore, Postgres, StoreError};

use super::{Cluster, USER, binaries, by_user, serve};
use crate::fleet::Fleet;
use crate::free_port::free_port;
use crate::server::{Folder, PROGRAM, eventually};

fn url(ports: [u16; 2]) -> String {
    let [one, two] = ports;
    format!("postgres://{USER}@127.0.0.1:{one},127.0.0.1:{two}/postgres")
}

#[tokio::test]
async fn a_first_host_that_is_frozen_holds_up_nobody() {
    let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let cluster = Cluster::start("postgres-hosts");
    cluster.store().await;
    let ports = [frozen.local_addr().unwrap().port(), cluster.port];
    let store = Postgres::connect(&url(ports)).await.unwrap();
    assert!(store.notifies());
    store.check("invoices").await.unwrap();
}

/// Calls and notifications move to the other host.
#[tokio::test]
async fn a_host_that_freezes_is_begun_with_no_more() {
    let (one, two) = (
        Cluster::start("postgres-one"),
        Cluster::start("postgres-two"),
    );
    one.store().await;
    let direct = two.store().await;
    let store = Postgres::connect(&url([one.port, two.port])).await.unwrap();
    let seen = store.read("invoices").await.unwrap();
    let _frozen = one.server.freeze_all();
    let limit = Duration::from_millis(500);
    let read = tokio::time::timeout(limit, store.read("invoices")).await;
    assert!(read.is_err(), "{read:?}");
    store.read("invoices").await.unwrap();
    let claim = Claim::new("a", Duration::from_secs(60));
    let write = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        direct
            .take("invoices", &claim, seen.version())
            .await
            .unwrap()
    };
    let (told, taken) = tokio::join!(store.changed("invoices", seen.version()), write);
    assert_eq!(told.unwrap(), Some(taken));
}

/// A cluster that follows another one.
fn standby_of(primary: &Cluster) -> Cluster {
    let folder = Folder::new("postgres-standby");
    super::give(&folder.0);
    let copied = by_user(&binaries().join("pg_basebackup"))
        .args([
            "--no-sync",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--host=127.0.0.1",
        ])
        .args(["--wal-method=stream", "--username", USER])
        .args(["--port", &primary.port.to_string(), "--pgdata"])
        .arg(folder.0.join("data"))
        .output()
        .unwrap();
    assert!(
        copied.status.success(),
        "{}",
        String::from_utf8_lossy(&copied.stderr)
    );
    let port = free_port();
    let server = serve(&folder, port);
    let cluster = Cluster {
        folder,
        server,
        port,
    };
    cluster.answers();
    cluster
}

#[test]
fn a_primary_that_freezes_is_followed_by_its_standby() {
    let primary = Cluster::start("postgres-primary");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(primary.store());
    let standby = standby_of(&primary);
    let alone = runtime.block_on(async {
        let store = Postgres::connect(&standby.url()).await.unwrap();
        store.read("journal").await
    });
    assert!(
        matches!(alone, Err(StoreError::Unavailable(_))),
        "{alone:?}"
    );
    let mut fleet = Fleet::new(primary.folder.0.join("log"));
    for ports in [
        [primary.port, standby.port],
        [primary.port, standby.port],
        [standby.port, primary.port],
    ] {
        fleet.join(PROGRAM, &format!("postgres:{}", url(ports)));
    }
    let leader = fleet.leader_after(0);
    let _frozen = primary.server.freeze_all();
    runtime.block_on(standby.run("select pg_promote()"));
    let frozen = fleet.log.len();
    eventually("somebody works on", || fleet.log.len() > frozen + 1_000);
    let leader = fleet.log.last().unwrap_or(leader);
    fleet.after("stopped", leader, |pid| {
        kill_process(pid, Signal::TERM).unwrap();
    });
    fleet.assert_taken_within(Duration::ZERO); // in a second
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.log.assert_sound();
}
