//! All stores keep the same rules.

use startstop_fleet::{LeaseStore, Memory, conformance};

async fn assert_conforms<L: LeaseStore>(one: &L, two: &L) {
    let breaches = conformance::check(one, two, "conformance").await;
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[tokio::test]
async fn memory_conforms() {
    let store = Memory::new();
    assert_conforms(&store, &store.clone()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn dir_conforms() {
    let folder = crate::support::Folder::new("conforms");
    let (one, two) = (folder.store(), folder.store());
    assert_conforms(&one, &two).await;
}
