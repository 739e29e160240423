//! All stores keep the same rules.

use std::time::Duration;

use startstop_fleet::{Claim, Dir, LeaseStore, Memory, conformance};

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

/// A file that somebody has written by hand is followed, and a term that could have no greater fence does not begin.
#[cfg(unix)]
#[tokio::test]
async fn a_fence_that_is_at_its_end_is_refused_in_words() {
    let folder = crate::support::Folder::new("fences");
    let store = folder.store();
    store.check("invoices").await.unwrap();
    let claim = Claim::new("a", Duration::from_secs(15));
    for fence in [u64::MAX, i64::MAX as u64] {
        let text = format!(
            "startstop lease 1\nholder ops\nfence {fence}\nrenewals {}\nlease 15000 ms\n",
            u64::MAX
        );
        std::fs::write(folder.0.join("invoices.lease"), text).unwrap();
        let seen = store.read("invoices").await.unwrap();
        let renewed = store.renew("invoices", &seen).await.unwrap();
        assert_ne!(renewed.version(), seen.version());
        let refused = store.take("invoices", &claim, renewed.version()).await;
        let words = format!("the fence of \"invoices\" is at its end: {fence}");
        assert_eq!(refused.unwrap_err().to_string(), words);
    }
    std::fs::remove_file(folder.0.join("invoices.lease")).unwrap();
    let free = store.read("invoices").await.unwrap();
    let taken = store
        .take("invoices", &claim, free.version())
        .await
        .unwrap();
    assert_eq!(taken.fence(), 1);
}
