//! Records that say that a process has a shard of which nothing runs there, and shards that run while their balance is made anew.

use std::sync::Arc;
use std::time::Duration;

use startstop_fleet::{LeaseStore, Memory};
use tokio::time::timeout;

use super::{COUNT, Work, owned, process, quiet};
use crate::support::Cable;

#[tokio::test]
async fn a_shard_whose_release_has_failed_is_given_back_later() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let cable = Cable::new(&store);
    let a = process(cable.clone(), &work).await;
    quiet(&[&a]).await;
    cable.demote();
    let b = process(Cable::new(&store), &work).await;
    let mut owned = a.service().owned();
    let fewer = owned.wait_for(|owned| owned.len() <= COUNT as usize / 2);
    timeout(Duration::from_secs(60), fewer)
        .await
        .expect("in a minute")
        .unwrap();
    cable.promote();
    quiet(&[&a, &b]).await;
    a.stop().await.unwrap();
    b.stop().await.unwrap();
    work.assert_sound();
}

#[tokio::test]
async fn shards_go_on_in_their_terms_while_their_balance_is_restarted() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let a = process(Cable::new(&store), &work).await;
    quiet(&[&a]).await;
    let before = store.list("orders/shards/").await.unwrap();
    let balance = a.find("orders/shards/balance").expect("it is a part");
    balance.restart().await.unwrap();
    quiet(&[&a]).await;
    assert_eq!(store.list("orders/shards/").await.unwrap(), before);
    let b = process(Cable::new(&store), &work).await;
    quiet(&[&a, &b]).await;
    assert_eq!(owned(&a).len(), COUNT as usize / 2);
    a.stop().await.unwrap();
    b.stop().await.unwrap();
    work.assert_sound();
}
