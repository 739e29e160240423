//! Connections that are lost in the middle of statements, again and again, on both sides of a pooler.

use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use startstop_fleet::{Claim, LeaseStore, Postgres, Record};
use tokio::time::timeout;

use super::Cluster;
use crate::server::eventually;

#[test]
fn backends_and_the_pooler_are_ended_again_and_again() {
    let cluster = Cluster::start("postgres-losses");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(cluster.store());
    let (mut bouncer, port) = cluster.bouncer();
    let mut fleet = cluster.three(port);
    fleet.leader_after(0);
    let others =
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()";
    for _ in 0..3 {
        for _ in 0..20 {
            runtime.block_on(cluster.run(others));
            thread::sleep(Duration::from_millis(50));
        }
        bouncer.stop(Signal::KILL);
        bouncer = cluster.bouncer_at(port);
        let written = fleet.log.len();
        eventually("somebody works", || fleet.log.len() > written + 100);
    }
    let leader = fleet.log.last().unwrap();
    fleet.after("killed", leader, |pid| {
        kill_process(pid, Signal::KILL).unwrap()
    });
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.log.assert_sound();
}

#[tokio::test]
async fn a_row_that_is_locked_by_hand_does_not_use_up_the_connections_of_the_server() {
    locked_by_hand(
        "postgres-row",
        "select * from startstop_leases for update",
        async |store, free| {
            // It is of another version: nobody is waited for.
            store.forget("invoices", free).await.unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn a_table_that_is_locked_by_hand_does_not_use_up_the_connections_of_the_server() {
    let short = Duration::from_millis(100);
    locked_by_hand(
        "postgres-table",
        "lock table startstop_leases",
        async |store, free| {
            timeout(short, store.read("invoices")).await.unwrap_err();
            timeout(short, store.list("in")).await.unwrap_err();
            timeout(short, store.check("invoices")).await.unwrap_err();
            let forgotten = timeout(short, store.forget("invoices", free)).await;
            forgotten.unwrap_err();
        },
    )
    .await;
}

/// Somebody has left a transaction open: the server does not notice by itself that the calls which wait for it were given up.
async fn locked_by_hand(name: &str, lock: &str, others: impl AsyncFn(&Postgres, &Record)) {
    let cluster = Cluster::start(name);
    let store = cluster.store().await;
    let claim = Claim::new("a", Duration::from_secs(60));
    let seen = store.read("invoices").await.unwrap();
    let taken = store.take("invoices", &claim, seen.version()).await;
    let held = taken.unwrap();
    let free = store.release("invoices", &held).await.unwrap();
    let taken = store.take("invoices", &claim, free.version()).await;
    let held = taken.unwrap();
    let by_hand = cluster.client().await;
    by_hand.batch_execute("begin").await.unwrap();
    by_hand.batch_execute(lock).await.unwrap();
    let short = Duration::from_millis(100);
    for _ in 0..10 {
        let calls = [
            timeout(short, store.renew("invoices", &held)).await,
            timeout(short, store.release("invoices", &held)).await,
            timeout(short, store.take("invoices", &claim, held.version())).await,
        ];
        assert!(calls.iter().all(Result::is_err), "{calls:?}");
        others(&store, &free).await;
    }
    // Each was to wait for as long as the lock is there, a row for a second.
    let waiting = "select from pg_stat_activity where wait_event_type = 'Lock'";
    let looks = cluster.client().await;
    let nobody_waits = async {
        while !looks.query(waiting, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), nobody_waits)
        .await
        .unwrap();
    by_hand.batch_execute("rollback").await.unwrap();
    store.read("invoices").await.unwrap();
}
