//! All stores keep the same rules.

use startstop_fleet::{Dir, LeaseStore, Memory, conformance};

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

#[tokio::test]
async fn a_folder_without_a_name_is_refused_in_words() {
    let refused = Dir::new("").check("invoices").await.unwrap_err();
    assert_eq!(refused.to_string(), "the folder of the leases has no name");
}
