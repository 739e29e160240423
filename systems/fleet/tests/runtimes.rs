//! A store that is made before the program has the runtime that it runs on: it goes on when the first one has ended.

use std::time::Duration;

use startstop_fleet::{Etcd, LeaseStore, Postgres, Record};
use tokio::runtime::{Builder, Runtime};

use crate::{etcd, kubernetes, postgres};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn take(store: &impl LeaseStore) -> Record {
    store.check("invoices").await.unwrap();
    kubernetes::taken(store).await
}

/// It renews, and hears of it, on another runtime than the one that it took the lease on.
fn assert_goes_on<L: LeaseStore>(make: impl Future<Output = L>) {
    let first = runtime();
    let (store, held) = first.block_on(async {
        let store = make.await;
        let held = take(&store).await;
        let listens = store.changed("invoices", held.version());
        tokio::time::timeout(Duration::from_millis(300), listens)
            .await
            .ok();
        (store, held)
    });
    drop(first);
    runtime().block_on(async {
        let renewed = store.renew("invoices", &held).await.unwrap();
        let released = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            store.release("invoices", &renewed).await.unwrap()
        };
        // What was watched on the first runtime has failed with it, which is told once.
        let told = async {
            loop {
                if let Ok(told) = store.changed("invoices", renewed.version()).await {
                    return told;
                }
            }
        };
        let (told, _) = tokio::join!(
            tokio::time::timeout(Duration::from_secs(20), told),
            released
        );
        let told = told.expect("in time");
        assert!(told.is_none_or(|record| record.is_free()));
    });
}

#[test]
fn etcd_goes_on_when_the_runtime_that_it_was_made_on_has_ended() {
    let node = etcd::Node::start("etcd-runtimes");
    assert_goes_on(async { Etcd::connect([&*node.url]).await.unwrap() });
}

#[test]
fn postgresql_goes_on_when_the_runtime_that_it_was_made_on_has_ended() {
    let (_cluster, port) = postgres::running("postgres-runtimes");
    let url = postgres::url(port);
    assert_goes_on(async { Postgres::connect(&url).await.unwrap() });
}
