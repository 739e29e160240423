//! Kubernetes: a stand-in for the API server, held to what was seen on a real one; and the store on it.
//!
//! With `STARTSTOP_KUBECONFIG=1` the suites of the store run against the cluster of `KUBECONFIG` instead.

mod api;
mod beside;
mod connecting;
mod kinds;
mod plugins;
mod rules;
mod shards;

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use kube::{Client, Config};
use serde_json::json;
use startstop_fleet::{Claim, Kubernetes, LeaseStore, Record, StoreError, conformance};

use self::api::{NAMESPACE, Server};

fn client(addr: SocketAddr, token: &str) -> Client {
    let mut config = Config::new(format!("http://{addr}").parse().unwrap());
    config.default_namespace = NAMESPACE.to_owned();
    config.auth_info.token = (!token.is_empty()).then(|| token.to_owned().into());
    Client::try_from(config).unwrap()
}

fn store(addr: SocketAddr, token: &str) -> Kubernetes {
    Kubernetes::with_client(client(addr, token), NAMESPACE)
}

/// An HTTP server that is no etcd and no PostgreSQL.
pub(crate) async fn stand_in() -> (Server, SocketAddr) {
    Server::start().await
}

/// A lease that nobody has, taken.
pub(crate) async fn taken(store: &impl LeaseStore) -> Record {
    let seen = store.read("invoices").await.unwrap();
    let claim = Claim::new("a", Duration::from_secs(15));
    store
        .take("invoices", &claim, seen.version())
        .await
        .unwrap()
}

#[tokio::test]
async fn kubernetes_conforms() {
    if env::var_os("STARTSTOP_KUBECONFIG").is_some() {
        let (one, two) = (
            Kubernetes::connect().await.unwrap(),
            Kubernetes::connect().await.unwrap(),
        );
        let breaches = conformance::check(&one, &two, "conformance").await;
        assert!(breaches.is_empty(), "{breaches:#?}");
        return;
    }
    let (_server, addr) = Server::start().await;
    for token in ["all", "shards"] {
        let (one, two) = (store(addr, token), store(addr, token));
        let breaches = conformance::check(&one, &two, token).await;
        assert!(breaches.is_empty(), "{token}: {breaches:#?}");
    }
}

#[tokio::test]
async fn a_missing_right_is_refused_in_words_before_the_first_failover() {
    let (_server, addr) = Server::start().await;
    store(addr, "all").check("invoices").await.unwrap();
    for (token, verb) in [("reader", "create"), ("silent", "watch"), ("nobody", "get")] {
        let checked = store(addr, token).check("invoices").await;
        let Err(StoreError::Refused(text)) = checked else {
            panic!("{token}: {checked:?}")
        };
        assert!(
            text.contains(&format!("cannot {verb} resource \"leases\"")),
            "{text}"
        );
    }
    let expired = store(addr, "expired").check("invoices").await;
    assert!(
        matches!(expired, Err(StoreError::Refused(_))),
        "{expired:?}"
    );
    let missing = Kubernetes::with_client(client(addr, "all"), "other")
        .check("invoices")
        .await;
    let Err(StoreError::Refused(text)) = missing else {
        panic!("{missing:?}")
    };
    assert_eq!(text, "namespaces \"other\" not found");
}

#[tokio::test]
async fn a_check_leaves_nothing_behind() {
    let (_server, addr) = Server::start().await;
    let store = store(addr, "all");
    store.check("invoices").await.unwrap();
    assert!(store.read("invoices").await.unwrap().version().is_absent());
}

#[tokio::test]
async fn what_is_not_known_is_kept() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    let held = taken(&store).await;
    server.edit("invoices", |lease| {
        lease["metadata"]["labels"] = json!({ "team": "billing" });
        lease["spec"]["preferredHolder"] = json!("b");
    });
    let conflict = store.renew("invoices", &held).await;
    assert!(
        matches!(conflict, Err(StoreError::Conflict)),
        "{conflict:?}"
    );
    let now = store.read("invoices").await.unwrap();
    assert_eq!((now.holder(), now.fence()), (Some("a"), held.fence()));
    let renewed = store.renew("invoices", &now).await.unwrap();
    assert_eq!(
        server.lease("invoices")["metadata"]["labels"]["team"],
        "billing"
    );
    store.release("invoices", &renewed).await.unwrap();
    assert_eq!(server.lease("invoices")["spec"]["holderIdentity"], "");
}

#[tokio::test]
async fn one_that_was_made_by_hand_without_a_duration_is_taken_after_ours() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    taken(&store).await;
    server.edit("invoices", |lease| {
        lease["spec"] = json!({ "holderIdentity": "ops" });
    });
    crate::by_hand::is_followed_and_taken(store).await;
}

#[tokio::test]
async fn one_that_was_deleted_does_not_come_back_and_its_fence_grows() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    let held = taken(&store).await;
    server.delete("invoices");
    for result in [
        store.renew("invoices", &held).await,
        store.release("invoices", &held).await,
    ] {
        assert!(matches!(result, Err(StoreError::Conflict)), "{result:?}");
    }
    assert!(store.read("invoices").await.unwrap().version().is_absent());
    tokio::time::sleep(Duration::from_millis(1100)).await; // another second
    let again = taken(&store).await;
    assert!(again.fence() > held.fence());
}

/// The uid of the answer tells that another object was written, wherever it was not looked at.
#[tokio::test]
async fn one_that_was_made_again_by_a_renewal_is_not_the_one_that_was_held() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    let held = taken(&store).await;
    server.be_careless();
    server.delete("invoices");
    let renewed = store.renew("invoices", &held).await;
    assert!(matches!(renewed, Err(StoreError::Conflict)), "{renewed:?}");
    let now = store.read("invoices").await.unwrap();
    assert_ne!(now.version(), held.version());
}

#[tokio::test]
async fn a_watch_that_is_too_old_or_ends_is_no_harm() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    let held = taken(&store).await;
    let renewed = store.renew("invoices", &held).await.unwrap();
    server.compact();
    let told = store.changed("invoices", held.version()).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    let released = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.release("invoices", &renewed).await
    };
    let (told, released) = tokio::join!(store.changed("invoices", renewed.version()), released);
    released.unwrap();
    assert!(told.unwrap().is_some_and(|record| record.is_free()));
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_later() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    let held = taken(&store).await;
    server.be_busy(1);
    let renewed = store.renew("invoices", &held).await;
    assert!(
        matches!(renewed, Err(StoreError::Unavailable(_))),
        "{renewed:?}"
    );
    assert_eq!(
        store.renew("invoices", &held).await.unwrap().fence(),
        held.fence()
    );
}

#[tokio::test]
async fn a_frozen_server_is_left_to_the_limit_of_the_call() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    server.freeze(true);
    let read = tokio::time::timeout(Duration::from_millis(300), store.read("invoices")).await;
    assert!(read.is_err(), "{read:?}");
    server.freeze(false);
    assert!(store.read("invoices").await.unwrap().is_free());
}

/// Three processes, as for the other stores; on the cluster of `KUBECONFIG` if that is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_take_over_when_the_leader_is_stopped_frozen_or_killed() {
    let folder = crate::server::Folder::new("kubernetes-replicas");
    let (_server, addr) = Server::start().await;
    let store = if env::var_os("STARTSTOP_KUBECONFIG").is_some() {
        "kubernetes:".to_owned()
    } else {
        let path = folder.0.join("config");
        std::fs::write(&path, kubeconfig(addr, "all")).unwrap();
        format!("kubernetes:{}", path.display())
    };
    let log = folder.0.join("log");
    let fleet = move || {
        let mut fleet = crate::fleet::Fleet::new(log);
        for _ in 0..3 {
            fleet.join(crate::server::PROGRAM, &store);
        }
        crate::server::take_over(fleet, &store);
    };
    tokio::task::spawn_blocking(fleet).await.unwrap();
}

pub(crate) fn kubeconfig(addr: impl std::fmt::Display, token: &str) -> String {
    let context = json!({ "cluster": "stand-in", "user": "invoices", "namespace": NAMESPACE });
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "stand-in", "cluster": { "server": format!("http://{addr}") } }],
        "users": [{ "name": "invoices", "user": { "token": token } }],
        "contexts": [{ "name": "test", "context": context }],
    });
    config.to_string()
}
