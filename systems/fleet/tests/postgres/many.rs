//! Many leases of one process.

use startstop_fleet::LeaseStore;
use tokio::task::JoinSet;

use super::Cluster;

/// The server has a hundred connections.
#[tokio::test]
async fn many_calls_at_once_do_not_use_up_the_connections_of_the_server() {
    let cluster = Cluster::start("postgres-many");
    let store = cluster.store().await;
    let mut calls = JoinSet::new();
    for name in 0..300 {
        let store = store.clone();
        calls.spawn(async move { store.read(&name.to_string()).await });
    }
    while let Some(read) = calls.join_next().await {
        assert!(read.unwrap().unwrap().is_free());
    }
}
