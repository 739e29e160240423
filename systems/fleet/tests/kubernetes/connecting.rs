//! What a store is connected by: the token, the namespace, and the runtime.

use std::net::SocketAddr;

use kube::Config;
use startstop_fleet::{Kubernetes, LeaseStore, StoreError};
use tokio::runtime::{Builder, Runtime};

use super::api::{NAMESPACE, Server};
use super::client;

fn config(addr: SocketAddr) -> Config {
    let mut config = Config::new(format!("http://{addr}").parse().unwrap());
    config.default_namespace = NAMESPACE.to_owned();
    config
}

#[track_caller]
pub(super) fn refused(checked: Result<(), StoreError>) -> String {
    match checked {
        Err(StoreError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// As mounted ones are, and those that people write by hand.
#[tokio::test]
async fn a_token_file_with_a_line_end_at_its_end_is_read() {
    let (_server, addr) = Server::start().await;
    let folder = crate::server::Folder::new("token");
    let path = folder.0.join("token");
    std::fs::write(&path, "all\n").unwrap();
    let mut config = config(addr);
    config.auth_info.token_file = Some(path.to_str().unwrap().to_owned());
    let store = Kubernetes::with_config(config).unwrap();
    store.check("invoices").await.unwrap();
    std::fs::write(&path, "nobody\n").unwrap(); // it is another one from now on
    refused(store.check("invoices").await);
}

/// As with `kubectl`.
#[tokio::test]
async fn a_token_file_comes_before_a_token_and_what_it_said_last_goes_on() {
    let (_server, addr) = Server::start().await;
    let folder = crate::server::Folder::new("token-last");
    let path = folder.0.join("token");
    let mut config = config(addr);
    config.auth_info.token_file = Some(path.to_str().unwrap().to_owned());
    config.auth_info.token = Some("old".to_owned().into());
    let store = Kubernetes::with_config(config).unwrap();
    let missing = format!("{:?}", store.check("invoices").await);
    assert!(missing.contains(path.to_str().unwrap()), "{missing}");
    std::fs::write(&path, "all").unwrap();
    store.check("invoices").await.unwrap();
    std::fs::write(&path, "").unwrap();
    store.check("invoices").await.unwrap();
    std::fs::remove_file(&path).unwrap();
    store.check("invoices").await.unwrap();
}

#[tokio::test]
async fn a_namespace_has_no_line_end_and_one_of_odd_characters_is_refused_in_words() {
    let (_server, addr) = Server::start().await;
    let checked = async |namespace: &str| {
        let store = Kubernetes::with_client(client(addr, "all"), namespace);
        store.check("invoices").await
    };
    checked("billing\n").await.unwrap();
    let long = "a".repeat(64);
    for odd in [
        "", "a/b", "../x", "Billing", "bill ing", "a?b", "a#b", "-a", &long,
    ] {
        let text = refused(checked(odd).await);
        assert!(text.contains("is no name of a namespace"), "{text}");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// One that is made before `main` has its own runtime, say.
#[test]
fn a_store_goes_on_when_the_runtime_that_it_was_made_on_has_ended() {
    let mut servers = Builder::new_multi_thread();
    let servers = servers.worker_threads(1).enable_all().build().unwrap();
    let (_server, addr) = servers.block_on(Server::start());
    let mut config = config(addr);
    config.auth_info.token = Some("all".to_owned().into());
    let outside = Kubernetes::with_config(config.clone()).unwrap();
    let first = runtime();
    let inside = first.block_on(async { Kubernetes::with_config(config).unwrap() });
    for store in [&outside, &inside] {
        first.block_on(store.check("invoices")).unwrap();
    }
    drop(first);
    let second = runtime();
    for store in [&outside, &inside] {
        second.block_on(store.check("invoices")).unwrap();
    }
}
