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

/// A check writes a file, to see whether that can be done.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn many_leaders_may_check_one_folder_at_once() {
    let folder = crate::support::Folder::new("checks");
    let mut checks = tokio::task::JoinSet::new();
    for name in 0..256 {
        let store = folder.store();
        checks.spawn(async move { store.check(&name.to_string()).await });
    }
    while let Some(checked) = checks.join_next().await {
        checked.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_folder_without_a_name_is_refused_in_words() {
    let refused = Dir::new("").check("invoices").await.unwrap_err();
    assert_eq!(refused.to_string(), "the folder of the leases has no name");
}
