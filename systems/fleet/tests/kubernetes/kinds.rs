//! Servers of another kind are refused before the first failover.

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use startstop_core::{Runner, service_fn};
use startstop_fleet::{Kubernetes, Leader, LeaseStore, StoreError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::{stand_in, store};
use crate::etcd::Node;

const OTHER: &str = "what answers is no Kubernetes API with leases of coordination.k8s.io/v1";

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, StoreError>, why: &str) {
    let Err(StoreError::Refused(text)) = answer else {
        panic!("{answer:?}")
    };
    assert!(text.starts_with(OTHER) && text.contains(why), "{text}");
}

/// One that answers anything with this.
async fn answers(code: StatusCode, body: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = Router::new().fallback(move || async move { (code, body) });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    addr
}

/// One that speaks another protocol, and begins.
async fn says(bytes: &'static [u8]) -> SocketAddr {
    speaks(bytes, false).await
}

/// One that speaks another protocol, and waits to be asked.
async fn hears_and_says(bytes: &'static [u8]) -> SocketAddr {
    speaks(bytes, true).await
}

async fn speaks(bytes: &'static [u8], waits: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if waits {
                stream.readable().await.ok();
            }
            stream.write_all(bytes).await.ok();
            open.push(stream);
        }
    });
    addr
}

async fn starts(store: Kubernetes) -> String {
    let idle = |_| service_fn(async |cx| cx.cancelled().await);
    let runner = Runner::new(Leader::new("invoices", store, idle));
    let error = runner.start().await.expect_err("it is refused");
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[tokio::test]
async fn what_is_no_kubernetes_is_refused_in_words() {
    for (code, body, why) in [
        (
            StatusCode::OK,
            "<h1>Hello</h1>",
            "its answer is none of that API",
        ),
        (StatusCode::OK, "{\"hello\":1}", "its answer is no Lease"),
        (StatusCode::NOT_FOUND, "404 page not found", "404"),
        (StatusCode::NOT_FOUND, "{\"message\":\"Not Found\"}", "404"),
        (StatusCode::METHOD_NOT_ALLOWED, "", "405"),
    ] {
        let store = store(answers(code, body).await, "all");
        assert_refused(store.read("invoices").await, why);
        assert_refused(store.list("").await, "");
        let text = starts(store).await;
        assert!(text.contains(OTHER), "{text}");
    }
}

#[tokio::test]
async fn etcd_is_no_kubernetes() {
    let node = Node::start("etcd-no-kubernetes");
    assert_refused(store(node.addr(), "all").check("invoices").await, "404");
}

#[tokio::test]
async fn what_speaks_no_http_is_refused_in_words() {
    for addr in [says(SSH).await, hears_and_says(REDIS).await] {
        refused_both(addr).await;
    }
}

const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2\r\n";
const REDIS: &[u8] = b"-ERR wrong number of arguments for 'get' command\r\n";

async fn refused_both(addr: SocketAddr) {
    let checked = store(addr, "all").check("invoices").await;
    assert_refused(checked, "it does not speak HTTP");
    let etcd = startstop_fleet::Etcd::connect([format!("http://{addr}")]).await;
    let Err(StoreError::Refused(text)) = etcd else {
        panic!("{etcd:?}")
    };
    assert!(text.ends_with("it does not speak HTTP"), "{text}");
}

/// They may go by: a proxy says so while the server behind it starts.
#[tokio::test]
async fn a_gateway_that_has_nobody_behind_it_is_asked_again() {
    let addr = answers(StatusCode::BAD_GATEWAY, "<h1>Bad gateway</h1>").await;
    let read = store(addr, "all").read("invoices").await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
}

#[tokio::test]
async fn a_namespace_that_is_missing_is_no_other_kind() {
    let (_server, addr) = stand_in().await;
    let missing = Kubernetes::with_client(super::client(addr, "all"), "other");
    let text = starts(missing).await;
    assert!(text.contains("namespaces \"other\" not found"), "{text}");
}
