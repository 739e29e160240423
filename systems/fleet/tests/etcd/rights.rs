//! An etcd that asks for names.

use std::time::Duration;

use rustix::process::Signal;
use startstop_fleet::{Claim, Etcd, LeaseStore, StoreError, Version, conformance};

use super::{Node, serve};

#[tokio::test]
async fn a_name_without_rights_is_refused_in_words() {
    let node = Node::start("etcd-rights");
    node.ask_for_names();
    let anonymous = Etcd::with_client([&*node.url], reqwest::Client::new()).unwrap();
    let nobody = anonymous.clone().with_user("nobody", "nothing");
    for store in [&anonymous, &nobody] {
        let checked = store.check("invoices").await;
        let Err(StoreError::Refused(text)) = checked else {
            panic!("{checked:?}")
        };
        assert!(text.contains("etcd says"), "{text}");
    }
    let wrong = anonymous
        .with_user("invoices", "wrong")
        .check("invoices")
        .await;
    let Err(StoreError::Refused(text)) = wrong else {
        panic!("{wrong:?}")
    };
    assert!(text.contains("invalid user ID or password"), "{text}");
}

/// Its tokens are gone with a restart, and are had anew.
#[tokio::test]
async fn etcd_conforms_where_it_asks_for_names() {
    let mut node = Node::start("etcd-names");
    node.ask_for_names();
    let url = node.url.replace("http://", "http://invoices:p%40ss@");
    let (one, two) = (
        Etcd::connect([&*url]).await.unwrap(),
        Etcd::connect([&*url]).await.unwrap(),
    );
    let breaches = conformance::check(&one, &two, "conformance").await;
    assert!(breaches.is_empty(), "{breaches:#?}");

    let seen = one.read("invoices").await.unwrap();
    let claim = Claim::new("a", Duration::from_secs(60));
    let held = one.take("invoices", &claim, seen.version()).await.unwrap();
    node.server.stop(Signal::KILL);
    node.server = serve(&node.folder, &node.url, &node.peer);
    let until = std::time::Instant::now() + Duration::from_secs(60);
    let renewed = loop {
        match one.renew("invoices", &held).await {
            Err(StoreError::Unavailable(_)) if std::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            renewed => break renewed,
        }
    };
    assert_eq!(renewed.unwrap().fence(), held.fence());
}

/// Whoever operates it turns that on and off while leaders run.
#[tokio::test]
async fn etcd_that_begins_or_ceases_to_ask_for_names_is_no_loss() {
    let node = Node::start("etcd-begins");
    node.know_names();
    let url = node.url.replace("http://", "http://invoices:p%40ss@");
    let store = Etcd::connect([&*url]).await.unwrap();
    let claim = Claim::new("a", Duration::from_secs(60));
    let seen = store.read("invoices").await.unwrap();
    let taken = store.take("invoices", &claim, seen.version()).await;
    let held = taken.unwrap();
    for change in [
        &["auth", "enable"][..],
        &["--user", "root:secret", "auth", "disable"],
    ] {
        assert!(node.control(change), "{change:?}");
        store.renew("invoices", &held).await.unwrap();
        let told = store.changed("invoices", &Version::absent()).await;
        assert_eq!(told.unwrap().as_ref(), Some(&held));
    }
    store.release("invoices", &held).await.unwrap();
}
