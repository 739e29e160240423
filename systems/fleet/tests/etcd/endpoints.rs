//! Several endpoints, of which the first is of no use.

use startstop_fleet::{Etcd, LeaseStore, StoreError};

use super::Node;

/// It takes connections, for the kernel does that, and never answers.
#[tokio::test]
async fn an_endpoint_that_is_frozen_holds_up_no_start() {
    let frozen = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let frozen = format!("http://{}", frozen.local_addr().unwrap());
    let node = Node::start("etcd-frozen");
    let store = Etcd::connect([frozen.as_str(), &node.url]).await.unwrap();
    store.check("invoices").await.unwrap();
    let nobody = Etcd::connect([frozen]).await;
    let Err(StoreError::Unavailable(error)) = nobody else {
        panic!("{nobody:?}")
    };
    assert_eq!(error.to_string(), "no endpoint has answered within 3s");
}

/// As a node says that is cut off from the others, but not from us.
#[tokio::test]
async fn an_endpoint_that_has_lost_the_others_is_begun_with_no_more() {
    let lost = || async {
        let text =
            r#"{"error":"etcdserver: no leader","code":14,"message":"etcdserver: no leader"}"#;
        (axum::http::StatusCode::SERVICE_UNAVAILABLE, text)
    };
    let router = axum::Router::new().fallback(lost);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lost = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let node = Node::start("etcd-lost");
    let store = Etcd::with_client([&*lost, &*node.url], reqwest::Client::new()).unwrap();
    let checked = store.check("invoices").await;
    assert!(
        matches!(checked, Err(StoreError::Unavailable(_))),
        "{checked:?}"
    );
    store.check("invoices").await.unwrap();
    assert!(store.read("invoices").await.unwrap().is_free());
}

/// The client that a user builds has to bring TLS.
#[tokio::test]
async fn an_endpoint_that_needs_tls_is_refused_by_a_client_without_it() {
    let refused = Etcd::connect(["https://127.0.0.1:2379"]).await;
    let Err(StoreError::Refused(text)) = refused else {
        panic!("{refused:?}")
    };
    assert!(text.contains("TLS"), "{text}");
}
